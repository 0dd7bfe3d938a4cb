"""A small apiserver: objects, resource versions, managed fields, events, virtual time."""

import heapq
import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")
Object = dict[str, Any]
Event = dict[str, Any]
Key = tuple[str, str, str]
"""(kind, namespace, name)"""

TICK: Final = timedelta(microseconds=1)
LANES: Final = 8
_UIDS: Final = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes, as `managedFields` will say."""

    name: str
    operation: str = "Update"
    subresource: str = ""


def stamp(moment: datetime) -> str:
    """Format a time as the apiserver does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(moment: datetime) -> str:
    """Format the time at which an event was seen."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def copied(value: T) -> T:
    """Copy what is JSON, several times as fast as `copy.deepcopy`: it is done all the time."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [copied(each) for each in value]  # type: ignore[return-value]
    return value


def key_of(obj: Mapping[str, Any]) -> Key:
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace", ""), meta["name"]


class Cluster:
    """Holds the current objects and tells every change, in true order, in `events`.

    Resource versions are made from virtual time, so that the events of two clusters
    with one `start` and different `lane`s can be merged into one true order.
    """

    def __init__(self, *, start: datetime, lane: int = 0) -> None:
        if not 0 <= lane < LANES:
            raise ValueError(f"lane {lane} is not in 0..{LANES - 1}")
        self.events: list[Event] = []
        self.now = start
        self._start = start
        self._lane = lane
        self._last = start
        self._objects: dict[Key, Object] = {}
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due meanwhile happens at its own moment."""
        self.run_until(self.now + timedelta(seconds=seconds))

    def run_until(self, moment: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= moment:
            due, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, due)
            action()
        self.now = max(self.now, moment)

    def settle(self) -> None:
        """Let time pass until no controller has anything left to do."""
        while self._agenda:
            self.run_until(self._agenda[0][0])

    def next_due(self) -> datetime | None:
        """Tell when a controller will act next."""
        return self._agenda[0][0] if self._agenda else None

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._agenda, (due, next(self._count), action))

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        found = self._objects.get((kind, namespace, name))
        return copied(found)

    def objects(self) -> Iterator[Object]:
        yield from (copied(obj) for obj in list(self._objects.values()))

    def create(self, obj: Object, *, by: Manager, fields: Mapping[str, Any]) -> Object:
        """Store a new object as the server does; the caller's is not changed."""
        new = copied(obj)
        if key_of(new) in self._objects:
            raise ValueError(f"{key_of(new)} exists already")
        version = self._next_version()
        new["metadata"] |= {
            "uid": str(uuid.uuid5(_UIDS, f"{self._start.isoformat()}/{version}")),
            "creationTimestamp": stamp(self.now),
        }
        return self._store("ADDED", new, version, by, fields)

    def replace(self, obj: Object, *, by: Manager, fields: Mapping[str, Any]) -> Object | None:
        """PUT a full object over the stored one. None if nothing changed: no event."""
        live = self._objects[key_of(obj)]
        new = copied(obj)
        for name in ("uid", "creationTimestamp", "managedFields", "resourceVersion"):
            new["metadata"][name] = copied(live["metadata"][name])
        if new == live:
            return None
        return self._store("MODIFIED", new, self._next_version(), by, fields)

    def delete(self, kind: str, namespace: str, name: str) -> Object:
        gone = self._objects.pop((kind, namespace, name))
        gone["metadata"]["resourceVersion"] = self._next_version()
        self._tell("DELETED", gone)
        return gone

    def _store(
        self, change: str, obj: Object, version: str, by: Manager, fields: Mapping[str, Any]
    ) -> Object:
        meta = obj["metadata"]
        meta["resourceVersion"] = version
        meta["managedFields"] = self._managed(obj, by, fields)
        self._objects[key_of(obj)] = obj
        self._tell(change, obj)
        return copied(obj)

    def _managed(self, obj: Object, by: Manager, fields: Mapping[str, Any]) -> list[Object]:
        entry: Object = {
            "manager": by.name,
            "operation": by.operation,
            "apiVersion": obj["apiVersion"],
            "time": stamp(self.now),
            "fieldsType": "FieldsV1",
            "fieldsV1": dict(fields),
        }
        if by.subresource:
            entry["subresource"] = by.subresource
        others = [
            other
            for other in obj["metadata"].get("managedFields", [])
            if (other["manager"], other["operation"], other.get("subresource", ""))
            != (by.name, by.operation, by.subresource)
        ]
        return [*others, entry]

    def _next_version(self) -> str:
        # Two writes never share a moment, so versions are unique and ascend.
        self.now = self._last = max(self.now, self._last + TICK)
        return str(1000 + (self.now - self._start) // TICK * LANES + self._lane)

    def _tell(self, change: str, obj: Object) -> None:
        event = {"type": change, "object": copied(obj), "time": precise(self.now)}
        self.events.append(event)


def merged(*clusters: Cluster) -> list[Event]:
    """Put the events of clusters with one start into one true order."""
    events = [event for cluster in clusters for event in cluster.events]
    return sorted(events, key=lambda event: int(event["object"]["metadata"]["resourceVersion"]))
