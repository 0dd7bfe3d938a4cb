"""Any sequence of Helm's operations, seen in any order and with any gaps, is told truly.

The truth is the simulator's, which knows nothing of our code. What may still be known after a
loss is said by `tests.simulator.evidence`, from the tables of what Helm stores.
"""

from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.properties.judging import assert_true, assert_valid
from tests.properties.replaying import replayed
from tests.properties.scenarios import LONG, drawn, far_apart
from tests.simulator.cluster import Event
from tests.simulator.strategies import Scenario, interleaved, lossy

# An example takes about 100 ms: gzip and deep copies, most of it the simulator's.
SLOW = settings(
    max_examples=50,
    phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
    database=None,
)


def assert_told_truly(
    scenario: Scenario, seen: Sequence[Event], *, rollouts_in_time: bool = True
) -> None:
    found = replayed(seen, truth=scenario.events)
    told = (*found.ended, *found.running)
    assert_true(scenario, seen, told, rollouts_in_time=rollouts_in_time)
    for trace in found.traces:
        assert_valid(trace)


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
