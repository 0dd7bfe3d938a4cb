"""Types of a ReleaseTrace's fields: each bounded, and each the same after a round trip.

What is longer or larger than its bound is cut to it: an operation with an absurd name or
number must not make an entry that the apiserver refuses.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from helmwake.facts.times import RFC_3339

MICROSECOND: Final = timedelta(microseconds=1)
INT64_MAX: Final = 2**63 - 1
INT32_MAX: Final = 2**31 - 1
MAX_LINE: Final = 512


def write_time(time: datetime) -> str:
    """Write an aware time as RFC 3339, exact to the microsecond."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    # Not `parse_time`: that takes years which no clock shows for unset.
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError("timestamp", "a time (RFC 3339)")


def _read_microseconds(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return timedelta(microseconds=value)
        except OverflowError:
            raise PydanticCustomError("int_parsing", "microseconds") from None
    return value


def _cut(length: int) -> Callable[[Any], Any]:
    def cut(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = value[:length]
        # Halves of surrogate pairs can be in a text, and in no request.
        return value if value.isascii() else value.encode(errors="replace").decode()

    return cut


def _one_line(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return "".join(each if each.isprintable() else " " for each in value[:MAX_LINE])


def _within(least: int, most: int) -> Callable[[Any], Any]:
    def within(value: Any) -> Any:
        return min(max(value, least), most) if isinstance(value, int) else value

    return within


Timestamp = Annotated[
    datetime,
    BeforeValidator(_read_time),
    PlainSerializer(write_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Microseconds = Annotated[
    timedelta,
    BeforeValidator(_read_microseconds),
    PlainSerializer(lambda offset: offset // MICROSECOND, return_type=int, when_used="json"),
    WithJsonSchema({"type": "integer", "format": "int64"}),
]
Integer = Annotated[
    int,
    BeforeValidator(_within(-INT64_MAX - 1, INT64_MAX)),
    WithJsonSchema({"type": "integer", "format": "int64"}),
]
Count = Annotated[
    int,
    BeforeValidator(_within(0, INT32_MAX)),
    WithJsonSchema({"type": "integer", "format": "int32", "minimum": 0}),
]
Revision = Annotated[
    int,
    BeforeValidator(_within(0, INT64_MAX)),
    WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0}),
]
# A name or uid of Kubernetes or Helm, or a value of Keptn's.
Name = Annotated[str, BeforeValidator(_cut(256)), StringConstraints(max_length=256)]
Words = Annotated[str, BeforeValidator(_cut(1024)), StringConstraints(max_length=1024)]
Short = Annotated[str, BeforeValidator(_cut(64)), StringConstraints(max_length=64)]
# What is said of a delivery. There is a reserve for it, so no character takes six bytes.
Line = Annotated[str, BeforeValidator(_one_line), StringConstraints(max_length=MAX_LINE)]
TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$", max_length=32)]
SpanId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$", max_length=16)]
