"""What is left to know after a loss, and that nothing is lost where nothing was lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.client import Fate
from tests.simulator.cluster import Event
from tests.simulator.evidence import expectations
from tests.simulator.release import Chart
from tests.simulator.simulated import SimulatedHelm
from tests.simulator.strategies import NOON, Scenario, interleaved, lossy, operations
from tests.simulator.watching import Gap, kinds, lose, of_kind

PATIENT = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def current(events: list[Event]) -> dict[str, Mapping[str, Any]]:
    """Replay events into the objects that a watcher believes to exist."""
    known: dict[str, Mapping[str, Any]] = {}
    for event in events:
        uid = event["object"]["metadata"]["uid"]
        if event["type"] == "DELETED":
            del known[uid]
        else:
            assert (event["type"] == "ADDED") == (uid not in known)
            known[uid] = event["object"]
    return known


@PATIENT
@given(operations())
def test_with_nothing_lost_everything_is_known(scenario: Scenario) -> None:
    for expectation in expectations(scenario.truth, scenario.events):
        operation = expectation.operation
        if operation.state == "running" or not operation.outcomes:
            assert expectation.verdict == "running"
        elif operation.state == "orphaned" and operation.kind in {"uninstall", "test"}:
            assert expectation.verdict == "unknown"
        else:
            assert expectation.verdict == "known", operation
            assert expectation.outcomes == operation.outcomes


@PATIENT
@given(st.data(), operations())
def test_a_watcher_with_gaps_ends_with_the_true_objects(
    data: st.DataObject, scenario: Scenario
) -> None:
    seen = data.draw(lossy(scenario.events))
    assert current(seen) == current(scenario.events)
    assert len(expectations(scenario.truth, seen)) == len(scenario.truth)


@PATIENT
@given(st.data(), operations())
def test_interleaving_keeps_the_order_of_each_kind(
    data: st.DataObject, scenario: Scenario
) -> None:
    seen = data.draw(interleaved(scenario.events))
    times = [datetime.fromisoformat(event["time"]) for event in seen]
    assert times == sorted(times)
    for kind in kinds(scenario.events):
        objects = [event["object"] for event in of_kind(seen, kind)]
        assert objects == [event["object"] for event in of_kind(scenario.events, kind)]


def upgraded() -> SimulatedHelm:
    helm = SimulatedHelm(start=NOON)
    helm.install()
    helm.settle()
    helm.upgrade(chart=Chart(image="2.0"))
    helm.settle()
    return helm


def verdicts(helm: SimulatedHelm, *gaps: Gap) -> list[str]:
    return [found.verdict for found in expectations(helm.truth, lose(helm.events, gaps))]


def test_gap_over_the_terminal_write_is_made_good_by_the_relist() -> None:
    # C v1, U v1, C v2, U v1 superseded, U v2
    assert verdicts(upgraded(), Gap("Secret", 3, 5)) == ["known", "known"]


def test_late_watcher_reads_a_superseded_install_from_its_description() -> None:
    helm = upgraded()
    found = expectations(helm.truth, lose(helm.events, [Gap("Secret", 0, 5)]))
    assert [(e.verdict, e.live) for e in found] == [("known", False)] * 2


def test_superseded_rollback_alone_may_have_been_abandoned() -> None:
    helm = upgraded()
    helm.rollback()
    helm.settle()
    helm.upgrade(chart=Chart(image="3.0"))
    count = len(of_kind(helm.events, "Secret"))
    found = expectations(helm.truth, lose(helm.events, [Gap("Secret", 5, count)]))
    assert [e.verdict for e in found][2] == "unknown"
    assert found[2].admits("error", "abandoned")


def test_vanished_release_implies_an_uninstall() -> None:
    helm = upgraded()
    helm.uninstall()
    count = len(of_kind(helm.events, "Secret"))
    assert verdicts(helm, Gap("Secret", 5, count))[-1] == "implied"


def test_revision_that_came_and_went_in_a_gap_is_hidden() -> None:
    helm = SimulatedHelm(start=NOON)
    helm.install()
    helm.uninstall()
    count = len(of_kind(helm.events, "Secret"))
    assert verdicts(helm, Gap("Secret", 0, count)) == ["hidden", "hidden"]


def test_pending_that_vanished_in_a_gap_is_unknown() -> None:
    helm = SimulatedHelm(start=NOON)
    helm.install(fate=Fate(killed_after=1))
    helm.uninstall()
    count = len(of_kind(helm.events, "Secret"))
    assert verdicts(helm, Gap("Secret", 1, count)) == ["unknown", "unknown"]


def test_relist_tells_deletions_first_and_marks_what_it_tells() -> None:
    helm = upgraded()
    helm.uninstall()
    helm.install()
    seen = of_kind(lose(helm.events, [Gap("Secret", 2, 9)]), "Secret")
    told = [
        (e["type"], e["object"]["metadata"]["labels"]["version"], e.get("relisted", False))
        for e in seen
    ]
    assert told == [
        ("ADDED", "1", False),
        ("MODIFIED", "1", False),
        ("DELETED", "1", True),
        ("ADDED", "1", True),
        ("MODIFIED", "1", False),
    ]
