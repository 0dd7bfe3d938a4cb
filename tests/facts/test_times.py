"""Times are aware, UTC, and unset where nobody set them."""

from datetime import UTC, datetime

import pytest

from helmwake.facts.times import last_write, parse_time

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("digits", range(1, 10))
def test_a_fraction_may_have_one_to_nine_digits(digits: int) -> None:
    fraction = "123456789"[:digits]
    microseconds = int(fraction[:6].ljust(6, "0"))

    assert parse_time(f"2026-11-23T12:00:00.{fraction}Z") == NOON.replace(microsecond=microseconds)


def test_a_fraction_may_be_missing() -> None:
    assert parse_time("2026-11-23T12:00:00Z") == NOON


@pytest.mark.parametrize(
    "text", ["2026-11-23T14:00:00+02:00", "2026-11-23T05:30:00-06:30", "2026-11-23T12:00:00+00:00"]
)
def test_a_local_offset_becomes_utc(text: str) -> None:
    time = parse_time(text)

    assert time == NOON
    assert time is not None
    assert time.tzinfo is UTC


@pytest.mark.parametrize("unset", ["", None, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"])
def test_gos_zero_time_is_unset_like_nothing_at_all(unset: object) -> None:
    assert parse_time(unset) is None


@pytest.mark.parametrize(
    "junk",
    [
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T12:00:00+99:00",
        "10000-01-01T00:00:00Z",
        "2026-11-23",
        "20261123T120000Z",
        "2026-W48-1",
        "2026-11-23T12",
        1795435200,
        True,
        ["2026-11-23T12:00:00Z"],
        {"time": "2026-11-23T12:00:00Z"},
    ],
)
def test_what_is_no_rfc_3339_time_counts_as_unset(junk: object) -> None:
    assert parse_time(junk) is None


@pytest.mark.parametrize("edge", ["9999-12-31T23:59:59-01:00", "0002-01-01T00:00:00+23:59"])
def test_a_time_at_the_calendars_edge_raises_nothing(edge: str) -> None:
    parse_time(edge)


def test_the_last_write_is_any_managers_newest_to_the_object_itself() -> None:
    fields = [
        {"manager": "helm", "time": "2026-11-23T12:00:00Z"},
        {"manager": "kubectl", "time": "2026-11-23T11:00:00Z"},
        {"manager": "controller", "time": "2026-11-23T13:00:00Z", "subresource": "status"},
    ]

    assert last_write(fields) == NOON


@pytest.mark.parametrize("fields", [[], [{"manager": "helm"}], [{"time": "junk"}]])
def test_nobody_wrote_where_no_time_is_told(fields: list[dict[str, str]]) -> None:
    assert last_write(fields) is None
