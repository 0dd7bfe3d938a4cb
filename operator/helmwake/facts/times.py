"""Times as Kubernetes and Helm write them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any


def parse_time(text: object) -> datetime | None:
    """Read an RFC 3339 time with 0 to 9 fraction digits and any offset; `None` where unset.

    Helm writes an unset time as `""`, leaves it out, or writes Go's zero time,
    0001-01-01T00:00:00Z. A text that is no time counts as unset too. Digits beyond
    microseconds are cut off.
    """
    if not isinstance(text, str) or not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.year <= 1:
        return None
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    return time.astimezone(UTC)


def last_write(managed_fields: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return the newest time at which any manager changed the object itself (to 1 s).

    Writes to subresources (`status`, `scale`) do not count.

    Source: Kubernetes API reference, ManagedFieldsEntry.
    """
    times = (
        parse_time(entry.get("time")) for entry in managed_fields if not entry.get("subresource")
    )
    return max((time for time in times if time is not None), default=None)
