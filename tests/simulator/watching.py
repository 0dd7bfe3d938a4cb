"""What a watch makes of the true events: gaps that end in a re-list, streams that race."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.simulator.cluster import Event, copied, precise


@dataclass(frozen=True, slots=True)
class Gap:
    """A watch of one kind that was away.

    It lost that kind's events number `first` up to, but not with, `last`, counted
    from 0. From 0 on, it is a watcher that starts late.
    """

    kind: str
    first: int
    last: int


def lose(events: Sequence[Event], gaps: Iterable[Gap]) -> list[Event]:
    """Replace what fell into the gaps by what re-lists at their ends would tell.

    Deletions come first, with the object as it was last seen, then what changed or is
    new, by ascending revision. All of them are marked `relisted`. An object that was
    deleted and made again is reported as both. What came and went is never seen.
    """
    streams = {kind: _Stream(kind) for kind in kinds(events)}
    for gap in gaps:
        streams[gap.kind].lose(gap.first, gap.last)
    return [seen for event in events for seen in streams[event["object"]["kind"]].take(event)]


def shift(events: Sequence[Event], delays: Mapping[str, Sequence[timedelta]]) -> list[Event]:
    """Delay streams against each other, each in its own order.

    A kind's delays are used in turn for its events, and over again.
    """
    seen_at: dict[str, datetime] = {}
    counts: dict[str, int] = {}
    shifted: list[tuple[datetime, int, Event]] = []
    for position, event in enumerate(events):
        kind = event["object"]["kind"]
        own = delays.get(kind) or [timedelta(0)]
        late = own[counts.get(kind, 0) % len(own)]
        counts[kind] = counts.get(kind, 0) + 1
        arrival = datetime.fromisoformat(event["time"]) + late
        seen_at[kind] = max(arrival, seen_at.get(kind, arrival))
        shifted.append((seen_at[kind], position, {**event, "time": precise(seen_at[kind])}))
    return [event for _, _, event in sorted(shifted, key=lambda item: item[:2])]


def kinds(events: Iterable[Event]) -> list[str]:
    return sorted({event["object"]["kind"] for event in events})


def of_kind(events: Iterable[Event], kind: str) -> list[Event]:
    return [event for event in events if event["object"]["kind"] == kind]


class _Stream:
    """One kind's watch: what is true, and what was seen of it, by uid."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lost: set[int] = set()
        self._position = 0
        self._true: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}

    def lose(self, first: int, last: int) -> None:
        self._lost.update(range(first, last))

    def take(self, event: Event) -> list[Event]:
        position, self._position = self._position, self._position + 1
        _follow(self._true, event)
        if position not in self._lost:
            _follow(self._seen, event)
            return [event]
        if position + 1 in self._lost:
            return []
        found = self._relist(event["time"])
        self._seen = dict(self._true)
        return found

    def _relist(self, time: str) -> list[Event]:
        gone = [obj for uid, obj in self._seen.items() if uid not in self._true]
        now = [obj for uid, obj in self._true.items() if self._seen.get(uid) != obj]
        told = [("DELETED", obj) for obj in sorted(gone, key=_order)]
        told += [
            ("MODIFIED" if obj["metadata"]["uid"] in self._seen else "ADDED", obj)
            for obj in sorted(now, key=_order)
        ]
        return [
            {"type": change, "object": copied(obj), "time": time, "relisted": True}
            for change, obj in told
        ]


def _follow(known: dict[str, Any], event: Event) -> None:
    uid = event["object"]["metadata"]["uid"]
    if event["type"] == "DELETED":
        known.pop(uid, None)
    else:
        known[uid] = event["object"]


def _order(obj: Mapping[str, Any]) -> tuple[str, str, int, int]:
    meta = obj["metadata"]
    labels = meta.get("labels", {})
    revision = labels.get("version", "0")
    name = labels.get("name", meta["name"])
    number = int(revision) if revision.isdecimal() else 0
    return meta.get("namespace", ""), name, number, int(meta["resourceVersion"])
