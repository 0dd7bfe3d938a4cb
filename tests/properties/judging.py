"""What was told of a simulated history, held against its truth."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import SUCCESS
from helmwake.telemetry.spans import Trace
from tests.simulator.cluster import Event
from tests.simulator.evidence import Expectation, expectations
from tests.simulator.sightings import vanished
from tests.simulator.strategies import Scenario

Key = tuple[str, str]  # the record's uid, the kind of operation


def by_record(operations: Iterable[Operation]) -> dict[Key, list[Operation]]:
    grouped: dict[Key, list[Operation]] = defaultdict(list)
    for operation in operations:
        grouped[operation.id.uid, operation.kind.value].append(operation)
    return grouped


def expected(scenario: Scenario, seen: Sequence[Event]) -> dict[Key, list[Expectation]]:
    grouped: dict[Key, list[Expectation]] = defaultdict(list)
    for expectation in expectations(scenario.truth, seen):
        own = expectation.operation
        grouped[own.uid, own.kind].append(expectation)
    return grouped


def assert_true(
    scenario: Scenario,
    seen: Sequence[Event],
    operations: Iterable[Operation],
    *,
    rollouts_in_time: bool = True,
) -> None:
    """Hold what was told against the truth, as far as what was seen of it tells.

    Without `rollouts_in_time` a rollout's end may be seen after its operation was found, long
    over, by a list, and closed by a consistent list of workloads in which it is gone: then
    only Helm's own part is held against the truth.
    """
    operations_told, wanted = by_record(operations), expected(scenario, seen)
    for key, candidates in wanted.items():
        own = operations_told.get(key, [])
        least = sum(candidate.verdict == "known" for candidate in candidates)
        assert least <= len(own) <= len(candidates), (key, candidates, own)
        if len(own) == len(candidates) == 1:
            assert_outcome(candidates[0], own[0], rollouts_in_time=rollouts_in_time)
    gone = vanished(seen)
    for key, extra in operations_told.items():
        if key not in wanted:
            # Helm 3 stores nowhere that a revision was a rollback, but in a text that an
            # uninstall replaces.
            rollback = wanted.get((key[0], "rollback"), [])
            if key[1] == "upgrade" and any(each.may_be_absent for each in rollback):
                continue
            # All of a release that went between two lists may look like an uninstall.
            assert key[1] == "uninstall", extra
            release = extra[0].release
            assert (release.namespace, release.name) in gone


def assert_outcome(
    expectation: Expectation, operation: Operation, *, rollouts_in_time: bool
) -> None:
    outcome = operation.outcome
    if outcome is None:
        assert expectation.verdict != "known", (expectation, operation)
    elif expectation.outcomes:
        if expectation.may_be_absent and operation.helm_outcome is not None:
            outcome = operation.helm_outcome  # whatever its rollouts did is seen all the same
        if not rollouts_in_time and operation.helm_outcome == SUCCESS:
            assert expectation.operation.state == "succeeded" or expectation.may_be_absent
            return
        error = outcome.error.value if outcome.error else None
        assert expectation.admits(outcome.result.value, error), (expectation, outcome)
    else:
        assert expectation.verdict != "running", (expectation, outcome)


def assert_valid(trace: Trace) -> None:
    root = trace.root
    assert len({span.context.span_id for span in trace.spans}) == len(trace.spans)
    for span in trace.spans:
        assert span.context.trace_id == root.context.trace_id
        assert span.end is None or span.start <= span.end
        if span is not root:
            assert span.parent == root.context
            assert span.start >= root.start
            assert root.end is None or (span.end is not None and span.end <= root.end)
