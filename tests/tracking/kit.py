"""A tracker behind whose Protocols a test stands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.keptn import KeptnContext
from helmwake.facts.namespaces import Namespace
from helmwake.facts.payload import Payload
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.operation import Operation
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker
from tests.lifecycle.making import NOON, after

OBSERVED: Final = {"helmwake.dev/observe": "enabled"}


@dataclass
class Cluster:
    """Answers what is asked, once the gate is open; it is, unless a test closes it."""

    stored: dict[str, Payload] = field(default_factory=dict)  # by uid of the record
    live: list[Workload] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fetched: list[str] = field(default_factory=list)
    listed: list[ReleaseKey] = field(default_factory=list)
    past: list[Operation] = field(default_factory=list)
    recalled: list[ReleaseKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    async def fetch(self, ref: RecordRef) -> Payload | None:
        self.fetched.append(ref.name)
        await self.gate.wait()
        return self.stored.get(ref.uid)

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        self.listed.append(ReleaseKey(namespace, release.name))
        await self.gate.wait()
        return tuple(known for known in self.live if known.key.namespace == namespace)

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        self.recalled.append(release)
        await self.gate.wait()
        return tuple(known for known in self.past if known.release == release)

    def facts(self, namespace: str) -> Iterable[Record | Workload]:
        yield from (known for known in self.records if known.release.namespace == namespace)
        yield from (known for known in self.live if known.key.namespace == namespace)


@dataclass
class Sink:
    started: list[Operation] = field(default_factory=list)
    final: list[Operation] = field(default_factory=list)
    states: list[Operation] = field(default_factory=list)
    lost: list[Operation] = field(default_factory=list)
    on_begun: Callable[[], None] = lambda: None  # what else happens then

    def begun(self, operation: Operation) -> None:
        self.started.append(operation)
        self.on_begun()

    def changed(self, operation: Operation) -> None:
        self.states.append(operation)

    def given_up(self, operation: Operation) -> None:
        self.lost.append(operation)

    def ended(self, operation: Operation) -> None:
        self.final.append(operation)

    @property
    def told(self) -> list[tuple[str, int, str]]:
        return [
            (op.kind.value, op.revision, op.outcome.result.value)
            for op in self.final
            if op.outcome is not None
        ]


@dataclass
class HandClock:
    """Moves when a test moves it."""

    time: datetime = NOON
    wakes: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def wake(self, at: datetime, call: Callable[[], None]) -> None:
        self.wakes.append((at, call))

    def move(self, seconds: float) -> None:
        end = after(seconds)
        due = sorted((wake for wake in self.wakes if wake[0] <= end), key=lambda wake: wake[0])
        self.wakes = [wake for wake in self.wakes if wake[0] > end]
        for at, call in due:
            self.time = max(self.time, at)
            call()
        self.time = max(self.time, end)


@dataclass
class Tracked:
    tracker: Tracker
    cluster: Cluster
    sink: Sink
    clock: HandClock

    def scope(self) -> Scope:
        """Observe by label, as live."""
        return Scope(self.tracker, selector=by_label, known=self.cluster)


@asynccontextmanager
async def tracked() -> AsyncIterator[Tracked]:
    cluster, sink, clock = Cluster(), Sink(), HandClock()
    async with asyncio.TaskGroup() as tasks:
        tracker = Tracker(
            tasks=tasks,
            payloads=cluster,
            workloads=cluster,
            operations=sink,
            past=cluster,
            clock=clock,
        )
        yield Tracked(tracker, cluster, sink, clock)


def by_label(labels: Mapping[str, str]) -> bool:
    return labels.get("helmwake.dev/observe") == "enabled"


def space(
    name: str = "shop",
    *,
    at: float = 0,
    observed: bool = True,
    gone: bool = False,
    terminating: bool = False,
    origin: Origin = Origin.WATCHED,
) -> Namespace:
    return Namespace(
        name=name,
        uid=f"uid-{name}",
        labels=OBSERVED if observed else {},
        keptn=KeptnContext(stage=f"{name}-stage"),
        terminating=terminating,
        seen=after(at),
        origin=origin,
        gone=gone,
    )
