"""When an object was seen, where a recording does not say: by the object's own times."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helmwake.facts.meta import items, metadata, number
from helmwake.facts.times import parse_time

# Kubernetes has no older objects.
EARLIEST: Final = datetime(2014, 1, 1, tzinfo=UTC)
# A recording is of the past; one absurd time must not drag the clock along for good.
# The day allows for clocks that are off.
TOLERANCE: Final = timedelta(days=1)

CONDITION_TIMES: Final = (
    "lastTransitionTime",
    "lastUpdateTime",
    "lastProbeTime",
    "lastHeartbeatTime",
)


def plausible_time(text: object) -> datetime | None:
    """Read an RFC 3339 time; `None` for anything else, or where it is absurd."""
    try:
        time = parse_time(text)
    except OverflowError:  # year 9999 in a western time zone
        return None
    if time is None:
        return None
    return time if EARLIEST <= time <= datetime.now(UTC) + TOLERANCE else None


def format_time(time: datetime) -> str:
    """Write RFC 3339 in UTC, always with microseconds, so that lines sort as text too."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def latest_time(obj: Mapping[str, Any]) -> datetime | None:
    """Tell the moment before which this version of the object cannot have been seen.

    By the server's clock: a Helm payload's times are not looked at, a client wrote those.
    """
    return max((time for time in _times(obj) if time is not None), default=None)


def _times(obj: Mapping[str, Any]) -> Iterable[datetime | None]:
    meta = metadata(obj)
    yield plausible_time(meta.get("creationTimestamp"))
    yield _deletion_asked(meta)
    for entry in items(meta, "managedFields"):
        yield plausible_time(entry.get("time"))
    for condition in items(obj, "status", "conditions"):
        for key in CONDITION_TIMES:
            yield plausible_time(condition.get(key))


def _deletion_asked(meta: Mapping[str, Any]) -> datetime | None:
    """`deletionTimestamp` is when the grace period ends, and so lies ahead of what happened."""
    ends = plausible_time(meta.get("deletionTimestamp"))
    grace = number(meta, "deletionGracePeriodSeconds")
    if ends is None or not 0 <= grace <= TOLERANCE.total_seconds():
        return ends
    return ends - timedelta(seconds=grace)
