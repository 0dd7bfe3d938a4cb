from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from helmwake.settings.duration import Duration, format_duration, parse_duration

DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("1h30m", 5400),
        ("90s", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1h1m1s1ms", 3661.001),
        ("24h", 86400),
    ],
)
def test_go_durations_are_read(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "given",
    ["", "30", "m", "30 m", "-30m", "+30m", "1d", "30M", "0s", "25h", "1h30", "9" * 40 + "h", "٣m",
     30, 1.5, None, True, ["30m"], "30m\n"],
)  # fmt: skip
def test_others_are_refused_without_being_shown(given: object) -> None:
    with pytest.raises(ValidationError, match="a duration in Go's notation") as caught:
        DURATION.validate_python(given)

    assert caught.value.error_count() == 1


@pytest.mark.parametrize("text", ["30m", "1h30m", "1m30s", "250ms", "24h"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text


def test_nothing_is_zero_seconds() -> None:
    assert format_duration(timedelta()) == "0s"
