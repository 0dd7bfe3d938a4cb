"""When a change was seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from helmwake.recording.times import format_time, latest_time, plausible_time
from tests.recording.objects import deployment, event, namespace, record
from tests.recording.reading import lines, read, written


def at(second: int) -> str:
    return f"2026-11-23T14:00:{second:02}Z"


def made(name: str, second: int) -> dict[str, object]:
    return event(namespace(name, creationTimestamp=at(second)))


def test_without_a_time_the_clock_is_the_largest_object_time_so_far(tmp_path: Path) -> None:
    content = lines(
        made("a", 5), made("b", 3), made("c", 9), event({"kind": "X", "metadata": {"name": "x"}})
    )

    found = read(written(tmp_path / "r.jsonl", content))

    assert [seen[17:19] for seen in found.seen] == ["05", "05", "09", "09"]


def test_a_line_without_time_follows_the_ones_that_have_it(tmp_path: Path) -> None:
    content = lines(event(namespace("a"), time=at(30)), made("b", 3))

    assert [seen[17:19] for seen in read(written(tmp_path / "r", content)).seen] == ["30", "30"]


def test_files_with_times_are_merged_by_them(tmp_path: Path) -> None:
    one = written(tmp_path / "1", lines(*(event(namespace(f"a{s}"), time=at(s)) for s in (1, 4))))
    two = written(tmp_path / "2", lines(*(event(namespace(f"b{s}"), time=at(s)) for s in (2, 3))))

    assert read(one, two).names == ["a1", "b2", "b3", "a4"]


def test_files_without_times_follow_each_other(tmp_path: Path) -> None:
    one = written(tmp_path / "1", lines(made("a", 20), made("b", 40)))
    two = written(tmp_path / "2", lines(made("c", 1)))

    found = read(one, two)

    assert found.names == ["a", "b", "c"]
    assert [seen[17:19] for seen in found.seen] == ["20", "40", "40"]


def test_a_time_that_is_none_is_told_and_the_objects_own_used(tmp_path: Path) -> None:
    content = lines(event(namespace(), time="yesterday"))

    found = read(written(tmp_path / "r.jsonl", content))

    assert found.names == ["shop"]
    assert found.warnings == [
        f"{tmp_path}/r.jsonl:1: time is no RFC 3339 time of our days; the object's own are used"
    ]


def test_what_has_no_time_at_all_is_told(tmp_path: Path) -> None:
    timeless = event({"kind": "X", "metadata": {"name": "x"}})

    found = read(written(tmp_path / "r.jsonl", lines(timeless, made("a", 1))))

    assert found.names == ["a"]
    assert len(found.warnings) == 1


def test_conditions_and_managers_date_an_object() -> None:
    assert latest_time(deployment()) == datetime(2026, 11, 23, 14, 2, 30, tzinfo=UTC)
    fields = [{"manager": "helm", "time": at(59)}]
    dated = latest_time(namespace(managedFields=fields))
    assert dated == datetime(2026, 11, 23, 14, 0, 59, tzinfo=UTC)


def test_a_deletion_is_dated_by_when_it_was_asked_for() -> None:
    """The timestamp itself is the end of the grace period, which is yet to come."""
    pod = {"metadata": {"deletionTimestamp": at(40), "deletionGracePeriodSeconds": 30}}

    assert latest_time(pod) == datetime(2026, 11, 23, 14, 0, 10, tzinfo=UTC)


def test_a_payloads_times_are_not_looked_at() -> None:
    assert latest_time(record()) == datetime(2026, 11, 23, 14, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "absurd",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "2091-01-01T00:00:00Z",
        "",
        5,
        None,
        [],
        "x",
    ],
)
def test_absurd_times_do_not_move_the_clock(absurd: object) -> None:
    assert plausible_time(absurd) is None


def test_times_are_written_in_utc_with_microseconds() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert format_time(noon) == "2026-11-23T12:00:00.000000Z"
    assert plausible_time(format_time(noon)) == noon
    assert plausible_time("2026-11-23T13:00:00.123456789+01:00") == noon + timedelta(
        microseconds=123456
    )
