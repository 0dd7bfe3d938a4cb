"""Times as Kubernetes and Helm write them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

# `datetime.fromisoformat` reads more than RFC 3339 allows: weeks, dates alone, no offset.
RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# What OTLP can say, in nanoseconds since 1970. Sums of such times stay in the calendar.
YEARS: Final = range(1970, 2262)


def parse_time(text: object) -> datetime | None:
    """Read an RFC 3339 time with 0 to 9 fraction digits and any offset; `None` where unset.

    Helm writes an unset time as `""`, leaves it out, or writes Go's zero time,
    0001-01-01T00:00:00Z. A text that is no time counts as unset too, and so does a year that
    no clock shows. Digits beyond microseconds are cut off.
    """
    if not isinstance(text, str) or RFC_3339.fullmatch(text) is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.year in YEARS else None


def last_write(managed_fields: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return the newest time at which any manager changed the object itself (to 1 s).

    Writes to subresources (`status`, `scale`) do not count.

    Source: Kubernetes API reference, ManagedFieldsEntry.
    """
    times = (
        parse_time(entry.get("time")) for entry in managed_fields if not entry.get("subresource")
    )
    return max((time for time in times if time is not None), default=None)
