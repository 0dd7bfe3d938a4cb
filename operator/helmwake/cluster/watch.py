"""One watch, from its opening to its end."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from helmwake.cluster.api import Api
from helmwake.cluster.errors import BadLineError, SilentWatchError, error_of_event
from helmwake.cluster.listing import identity_of, typed
from helmwake.cluster.resources import Resource
from helmwake.facts.change import ChangeType
from helmwake.facts.errors import BadObjectError


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """A line of a watch. A bookmark has a version and nothing else."""

    version: str
    type: ChangeType | None = None
    object: dict[str, Any] | None = None


async def watch(
    api: Api,
    resource: Resource,
    *,
    version: str,
    lifetime: timedelta,
    idle: timedelta,
    opened: Callable[[], None],
    heard: Callable[[WatchEvent], None],
) -> None:
    """Hear all changes since `version`, until the server ends the watch.

    `lifetime` is how long the server is asked to keep it open, `idle` how long it may be silent
    (bookmarks, about one a minute, count). `opened` is called when the server has agreed.

    Raises:
        GoneError: the server has forgotten `version`. It says so by status or by event.
        SilentWatchError: nothing whole came for `idle`.
        BadLineError: a line is no event. Nothing after it was heard, so to watch again
            from the last version that was heard loses nothing.
        ErrorEventError: the server gave up within the stream.
        ApiError: it was not opened, or was cut.

    """
    what = f"WATCH {resource.path}"
    params = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(int(lifetime.total_seconds())),
        **resource.selectors,
    }
    loop = asyncio.get_running_loop()
    alarm = asyncio.timeout(idle.total_seconds())
    try:
        async with (
            alarm,
            api.stream(resource.path, params=params, accept=resource.watch_accept) as lines,
        ):
            opened()
            async for line in lines:
                heard(parse_event(line, resource, what=what))
                alarm.reschedule(loop.time() + idle.total_seconds())
    except TimeoutError:
        if not alarm.expired():
            raise
        raise SilentWatchError(what, reason=f"nothing came for {idle}") from None


def parse_event(line: bytes, resource: Resource, *, what: str) -> WatchEvent:
    """Read one line of a watch.

    Raises:
        BadLineError: it is not an event; the message does not quote it.
        ApiError: it is an ERROR event.

    Source: Kubernetes API concepts, "Efficient detection of changes".
    """
    try:
        event = json.loads(line)
        kind, item = event["type"], event["object"]
        if kind == "ERROR" and isinstance(item, dict):
            raise error_of_event(what, item)
        if kind == "BOOKMARK":
            return WatchEvent(version=version_of(item))
        typed(item, resource)
        _, version = identity_of(item)
        return WatchEvent(version=version, type=ChangeType(kind), object=item)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        # Not chained: the parser's error holds the line. BadObjectError is a ValueError.
        cause = error.path if isinstance(error, BadObjectError) else type(error).__name__
        raise BadLineError(
            what, reason=f"a line of {len(line)} bytes is no event ({cause})"
        ) from None


def version_of(item: Any) -> str:
    version = item["metadata"]["resourceVersion"]
    if not isinstance(version, str) or not version:
        raise ValueError("metadata.resourceVersion is not a string")
    return version
