"""Ages: whole days, for which Go has no unit, or durations in Go's notation: `7d`, `36h`."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from helmwake.settings.duration import MAX_LENGTH, format_duration, read_duration

PATTERN: Final = r"^([1-9][0-9]{0,2}d|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$"
SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=999)
WANTED: Final = "an age from 1h to 999d, such as 36h or 7d"
# Days are held by the pattern: CEL reads Go's notation alone, and to rewrite them there is
# more than the apiserver allows a rule to cost.
IN_BOUNDS: Final = (
    "self.endsWith('d') || "
    "duration(self) >= duration('1h') && duration(self) <= duration('23976h')"
)


def parse_age(text: Any) -> timedelta:
    if isinstance(text, timedelta):
        return text
    age = read_age(text)
    if age is None:
        raise PydanticCustomError("age", WANTED)
    return age


def read_age(text: Any) -> timedelta | None:
    """Read an age within its bounds; None: it is none."""
    age = read_duration(text, pattern=PATTERN)
    return age if age is not None and SHORTEST <= age <= LONGEST else None


def format_age(age: timedelta) -> str:
    days, rest = divmod(age, timedelta(days=1))
    return format_duration(age) if rest else f"{days}d"


Age = Annotated[
    timedelta,
    BeforeValidator(parse_age),
    # Within Python it stays a timedelta, for those who take the values of a whole model.
    PlainSerializer(format_age, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": PATTERN,
            "maxLength": MAX_LENGTH,
            "x-kubernetes-validations": [{"rule": IN_BOUNDS, "message": f"wanted is {WANTED}"}],
        }
    ),
]
