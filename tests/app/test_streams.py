"""A recorded workload is told before the record's write that it came before."""

from datetime import UTC, datetime, timedelta
from typing import Any

from helmwake.app.streams import MAX_CHANGES, in_order
from helmwake.facts.change import Change, ChangeType, Origin

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def change(
    kind: str,
    version: int,
    *,
    at_ms: int,
    change_type: ChangeType = ChangeType.MODIFIED,
    origin: Origin = Origin.WATCHED,
) -> Change:
    name = "sh.helm.release.v1.cart.v1" if kind == "Secret" else "cart"
    meta: dict[str, Any] = {"name": name, "resourceVersion": str(version)}
    if kind == "Secret":
        meta["labels"] = {"owner": "helm"}
    seen = NOON + timedelta(milliseconds=at_ms)
    obj = {"kind": kind, "metadata": meta}
    return Change(type=change_type, object=obj, seen=seen, origin=origin)


def told(*changes: Change) -> list[tuple[str, str]]:
    return [
        (str(each.object["kind"]), str(each.object["metadata"]["resourceVersion"]))
        for each in in_order(changes)
    ]


def test_a_workload_that_lags_is_told_first_and_at_the_records_time() -> None:
    record, late = change("Secret", 20, at_ms=0), change("Deployment", 19, at_ms=95)

    first, second = in_order([record, late])

    assert first.object is late.object
    assert first.seen == record.seen
    assert second == record


def test_a_workload_that_changed_later_stays_behind() -> None:
    assert told(change("Secret", 20, at_ms=0), change("Deployment", 21, at_ms=5)) == [
        ("Secret", "20"),
        ("Deployment", "21"),
    ]


def test_what_lags_more_than_half_a_second_is_another_matter() -> None:
    assert told(change("Secret", 20, at_ms=0), change("Deployment", 19, at_ms=600)) == [
        ("Secret", "20"),
        ("Deployment", "19"),
    ]


def test_deletions_and_lists_keep_their_place() -> None:
    gone = change("Deployment", 18, at_ms=5, change_type=ChangeType.DELETED)
    listed = change("Deployment", 17, at_ms=6, origin=Origin.RELISTED)
    assert told(change("Secret", 20, at_ms=0), gone, listed) == [
        ("Secret", "20"),
        ("Deployment", "18"),
        ("Deployment", "17"),
    ]


def test_nothing_is_lost_where_a_burst_is_longer_than_what_is_looked_ahead_over() -> None:
    burst = [change("Deployment", n + 1, at_ms=0) for n in range(3 * MAX_CHANGES)]
    assert len(told(*burst)) == len(burst)
