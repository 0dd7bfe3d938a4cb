"""How far back history is told, where a namespace is observed for the first time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from helmwake.settings import age
from helmwake.settings.age import format_age, read_age

NONE: Final = "none"
ALL: Final = "all"
WANTED: Final = f"none, all, or {age.WANTED}"
_PATTERN: Final = f"^({NONE}|{ALL}|{age.PATTERN.removeprefix('^').removesuffix('$')})$"


@dataclass(frozen=True, slots=True)
class Backfill:
    """What was over longer than `reach` before a namespace was observed is not told."""

    reach: timedelta | None  # zero: no history at all; None: all that there are records of

    def __str__(self) -> str:
        if self.reach is None:
            return ALL
        return format_age(self.reach) if self.reach else NONE


def parse_backfill(text: Any) -> Backfill:
    if isinstance(text, Backfill):
        return text
    if text == ALL:
        return Backfill(None)
    reach = timedelta() if text == NONE else read_age(text)
    if reach is None:
        raise PydanticCustomError("backfill", WANTED)
    return Backfill(reach)


BackfillSetting = Annotated[
    Backfill,
    BeforeValidator(parse_backfill),
    PlainSerializer(str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _PATTERN,
            "maxLength": age.MAX_LENGTH,
            "x-kubernetes-validations": [
                {
                    "rule": f"self in ['{NONE}', '{ALL}'] || {age.IN_BOUNDS}",
                    "message": f"wanted is {WANTED}",
                }
            ],
        }
    ),
]
