"""A recording's streams, in the order in which things happened.

A recorder has one watch for each kind, and none waits for another: a workload's change may
stand some lines after the write of Helm's that it came before. Live, a consistent list of the
workloads settles that. A file has no such list, but it has what comes next.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.helm import is_record
from helmwake.facts.meta import metadata

LAG: Final = timedelta(milliseconds=500)  # seen on a busy machine: 95 ms
MAX_CHANGES: Final = 500  # looked ahead over


def in_order(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield what was watched of workloads before the record's write that it came before.

    Resource versions are promised to be ordered within a kind only, but kinds that share an
    etcd share the count. Where they do not, a change moves by a moment, as in any race.
    """
    ahead: deque[Change] = deque()
    for change in changes:
        while ahead and (change.seen - ahead[0].seen > LAG or len(ahead) >= MAX_CHANGES):
            yield from _next(ahead)
        ahead.append(change)
    while ahead:
        yield from _next(ahead)


def _next(ahead: deque[Change]) -> Iterator[Change]:
    change = ahead.popleft()
    if change.origin is Origin.WATCHED and is_record(change.object):
        version = _version(change.object)
        for other in [each for each in ahead if _is_before(each, version)]:
            ahead.remove(other)
            yield replace(other, seen=min(other.seen, change.seen))
    yield change


def _is_before(change: Change, version: int) -> bool:
    return (
        change.object.get("kind") == "Deployment"
        and change.origin is Origin.WATCHED
        and change.type is not ChangeType.DELETED
        and 0 < _version(change.object) < version
    )


def _version(obj: Mapping[str, Any]) -> int:
    """Return the resource version; zero where it is no number."""
    found = str(metadata(obj).get("resourceVersion", ""))
    return int(found) if found.isdecimal() and len(found) < 20 else 0  # noqa: PLR2004  # 64 bits
