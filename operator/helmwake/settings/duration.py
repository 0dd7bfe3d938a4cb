"""Durations in Go's notation, as Kubernetes writes them: `30m`, `1h30m`, `90s`.

Go has no unit for days; those who take them too bring a pattern with `d`.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
MAX_LENGTH: Final = 32
LONGEST: Final = timedelta(hours=24)
WANTED: Final = "a duration in Go's notation above 0s and up to 24h, such as 30m or 1h30m"
RULE: Final = {
    "rule": "duration(self) > duration('0s') && duration(self) <= duration('24h')",
    "message": f"wanted is {WANTED}",
}
UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def parse_duration(text: Any) -> timedelta:
    if isinstance(text, timedelta):
        return text
    duration = read_duration(text)
    if duration is None or not timedelta() < duration <= LONGEST:
        raise PydanticCustomError("duration", WANTED)
    return duration


def read_duration(text: Any, *, pattern: str = PATTERN) -> timedelta | None:
    """Read a text of this pattern, however long the duration is; None: it is something else."""
    # The length first: a number of a million digits costs time, and overflows.
    if not isinstance(text, str) or len(text) > MAX_LENGTH or not re.fullmatch(pattern, text):
        return None
    try:
        return sum((float(n) * UNITS[unit] for n, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        return None


def format_duration(duration: timedelta) -> str:
    rest = duration // UNITS["ms"]
    parts = []
    for unit in ("h", "m", "s", "ms"):
        count, rest = divmod(rest, UNITS[unit] // UNITS["ms"])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": PATTERN,
            "maxLength": MAX_LENGTH,
            "x-kubernetes-validations": [RULE],
        }
    ),
]
