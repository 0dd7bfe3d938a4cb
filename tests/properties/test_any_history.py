"""Any sequence of Helm's operations, seen in any order and with any gaps, is told truly.

The truth is the simulator's, which knows nothing of our code. What may still be known after a
loss is said by `tests.simulator.evidence`, from the tables of what Helm stores.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from helmwake.app.replay import Replayed
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import SUCCESS
from helmwake.telemetry.spans import Trace
from tests.properties.replaying import replayed
from tests.simulator.cluster import Event
from tests.simulator.evidence import Expectation, expectations
from tests.simulator.sightings import vanished
from tests.simulator.strategies import PAUSES, Scenario, interleaved, lossy, operations

Key = tuple[str, str]  # the record's uid, the kind of operation

# An example takes about 100 ms: gzip and deep copies, most of it the simulator's.
SLOW = settings(
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
    database=None,
)


def told(found: Replayed) -> dict[Key, list[Operation]]:
    grouped: dict[Key, list[Operation]] = defaultdict(list)
    for operation in (*found.ended, *found.running):
        grouped[operation.id.uid, operation.kind.value].append(operation)
    return grouped


def expected(scenario: Scenario, seen: Sequence[Event]) -> dict[Key, list[Expectation]]:
    grouped: dict[Key, list[Expectation]] = defaultdict(list)
    for expectation in expectations(scenario.truth, seen):
        own = expectation.operation
        grouped[own.uid, own.kind].append(expectation)
    return grouped


def assert_told_truly(
    scenario: Scenario, seen: Sequence[Event], *, rollouts_in_time: bool = True
) -> None:
    """Hold what is told against the truth.

    Without `rollouts_in_time` a rollout's end may be seen after its operation was found, long
    over, by a list, and closed by a consistent list of workloads in which it is gone: then
    only Helm's own part is held against the truth.
    """
    found = replayed(seen, truth=scenario.events)
    operations_told, wanted = told(found), expected(scenario, seen)
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
    for trace in found.traces:
        assert_valid(trace)


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


def drawn(data: st.DataObject, pauses: Sequence[float] = PAUSES) -> Scenario:
    scenario = data.draw(operations(pauses=pauses))
    for release in scenario.releases:
        release.settle()
    return scenario


LONG: Final = PAUSES[1:]


def far_apart(scenario: Scenario) -> bool:
    """Tell operations that the server's whole seconds can tell apart."""
    for release in scenario.releases:
        starts = sorted(operation.start for operation in release.truth)
        if any(b - a < timedelta(seconds=2) for a, b in pairwise(starts)):
            return False
    return True


@SLOW
@given(st.data())
def test_what_is_seen_as_it_happens_is_told_as_it_was(data: st.DataObject) -> None:
    scenario = drawn(data)
    assert_told_truly(scenario, scenario.events)


@SLOW
@given(st.data())
def test_streams_that_are_late_against_each_other_change_nothing(data: st.DataObject) -> None:
    scenario = drawn(data)
    assert_told_truly(scenario, data.draw(interleaved(scenario.events)))


@SLOW
@given(st.data())
def test_after_any_gap_each_operation_is_told_as_far_as_evidence_is_left(
    data: st.DataObject,
) -> None:
    scenario = drawn(data, LONG)
    assume(far_apart(scenario))
    assert_told_truly(scenario, data.draw(lossy(scenario.events)))


@SLOW
@given(st.data())
def test_gaps_and_late_streams_together_lose_no_evidence_either(data: st.DataObject) -> None:
    scenario = drawn(data, LONG)
    assume(far_apart(scenario))
    seen = data.draw(lossy(scenario.events))
    assert_told_truly(scenario, data.draw(interleaved(seen)), rollouts_in_time=False)
