"""A process that dies at any moment, and the one after it, tell together what one would have.

Where nothing happens between the two, what is delivered is the same as without a restart. Where
something does, what is told is held against the truth, as far as evidence of it was left.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from helmwake.ledger.documents import entry_name
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.traces import Cluster, build_trace
from tests.properties.judging import assert_true, assert_valid
from tests.properties.restarting import KINDS, Life, Watched, live_through
from tests.properties.scenarios import LONG, drawn, far_apart
from tests.simulator.strategies import Scenario

# An example takes about 100 ms, nearly all of it the simulator's.
SLOW = settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
    database=None,
)
MARKS: Final = (1, 7, 1000)  # a watermark in step, behind, and never written


def lives(
    data: st.DataObject, scenario: Scenario, *, most: int = 3, unseen: bool = False
) -> list[Life]:
    """Draw when each process dies and when the next one lists, between any two changes."""
    count = len(scenario.events)
    deaths = data.draw(st.integers(1, most), label="deaths")
    ends = st.lists(st.integers(1, count), min_size=deaths, max_size=deaths)
    found: list[Life] = []
    first = 0
    for end in sorted(data.draw(ends, label="ends")):
        last = max(end, first)
        begin = data.draw(st.integers(last, count)) if unseen else last
        found.append(
            Life(
                first=first,
                last=last,
                order=tuple(data.draw(st.permutations(KINDS))),
                # What was asked for and is overwritten before anyone asks again is evidence lost.
                answered=begin > last or data.draw(st.booleans()),
                marks=data.draw(st.sampled_from(MARKS)),
            )
        )
        first = begin
    order = tuple(data.draw(st.permutations(KINDS)))
    return [*found, Life(first=first, last=count, order=order)]


def assert_each_once(watched: Watched) -> None:
    assert watched.ledger.twice == [], "it was handed over twice"
    assert watched.ledger.told_after_its_end == [], "it was begun again"
    assert watched.ledger.lost == [], "it was followed no more"
    final = watched.ledger.final
    for operation in watched.running:
        assert entry_name(operation) not in final
    for operation in final.values():
        assert_valid(build_trace(operation, Cluster(uid=None, name=None)))


def contents(operation: Operation, *, exact: bool) -> dict[str, Any]:
    """Say all that a trace tells of it; without `exact` but for what depends on timing.

    What was asked for and not heard any more is asked anew: then an end was not watched, but
    found. And what began within one second, a list cannot put in order.
    """
    payload, previous = operation.payload, operation.previous
    found: dict[str, Any] = {
        "id": operation.id,
        "revision": operation.revision,
        "outcome": operation.outcome,
        "Helm's outcome": operation.helm_outcome,
        "status": operation.status,
        "tags": operation.tags,
        "namespace": operation.namespace,
        "keptn": operation.keptn,
        "chart": operation.chart,
        "inherited": (operation.inherited_context, operation.stale_parent),
        "bounded": (operation.bounded, operation.history),
        "hooks": [(run.name, run.event, run.phase, run.outcome) for run in operation.hooks],
        "rollouts": sorted(
            (str(rollout.key), rollout.uid, rollout.template, str(rollout.outcome))
            for rollout in operation.rollouts
        ),
    }
    if exact:
        found |= {
            "previous": previous and (previous.id, previous.failed),
            "description": payload and payload.description,
            "times": (operation.started, operation.helm_ended, operation.ended),
            "hooks' times": [(run.started, run.ended) for run in operation.hooks],
            "rollouts' times": sorted(
                (rollout.uid, rollout.started, rollout.ended) for rollout in operation.rollouts
            ),
        }
    return found


def all_contents(operations: Sequence[Operation], *, exact: bool) -> dict[str, dict[str, Any]]:
    return {entry_name(operation): contents(operation, exact=exact) for operation in operations}


def assert_same(watched: Watched, whole: Watched, *, exact: bool) -> None:
    final, wanted = (
        all_contents(list(each.ledger.final.values()), exact=exact) for each in (watched, whole)
    )
    assert final.keys() == wanted.keys()
    for name, told in final.items():
        for field, value in told.items():
            assert (field, value) == (field, wanted[name][field]), name
    assert {op.id for op in watched.running} == {op.id for op in whole.running}


def uninterrupted(scenario: Scenario) -> Watched:
    return live_through(scenario.events, [Life(first=0, last=len(scenario.events))])


@SLOW
@given(st.data())
def test_a_restart_while_nothing_happens_changes_nothing(data: st.DataObject) -> None:
    scenario = drawn(data)
    found = lives(data, scenario)

    watched = live_through(scenario.events, found)

    assert_each_once(watched)
    exact = far_apart(scenario) and all(life.answered for life in found)
    assert_same(watched, uninterrupted(scenario), exact=exact)


@SLOW
@given(st.data())
def test_what_happened_while_nobody_looked_is_told_as_far_as_evidence_is_left(
    data: st.DataObject,
) -> None:
    scenario = drawn(data, LONG)
    assume(far_apart(scenario))
    found = lives(data, scenario, unseen=True)

    watched = live_through(scenario.events, found)

    assert_each_once(watched)
    told = (*watched.ledger.final.values(), *watched.running)
    assert_true(scenario, watched.seen, told, rollouts_in_time=False)
    if all(before.last == after.first for before, after in pairwise(found)):
        assert_same(watched, uninterrupted(scenario), exact=False)


@SLOW
@given(st.data())
def test_a_restart_between_any_two_changes_of_a_short_history_changes_nothing(
    data: st.DataObject,
) -> None:
    scenario = drawn(data, LONG, max_steps=2)
    assume(far_apart(scenario))
    position = data.draw(st.integers(1, len(scenario.events)))
    end = len(scenario.events)

    watched = live_through(
        scenario.events, [Life(first=0, last=position), Life(first=position, last=end)]
    )

    assert_each_once(watched)
    assert_same(watched, uninterrupted(scenario), exact=True)
