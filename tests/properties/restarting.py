"""A true history watched by one tracker after another, each taking up where the last one died.

What stands for the ledger keeps each operation as it was last told, as a ReleaseTrace, and has
nothing else to tell the next tracker from: what runs is restored, what is final is recalled. The
watermark is the version of the last record that was seen, as long as nothing was waited for.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from helmwake.app.watching import telling_order
from helmwake.cluster.known import Entry as KnownEntry
from helmwake.cluster.known import Known, Relisting
from helmwake.cluster.seen import Seen
from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import Driver, RecordRef, ReleaseKey
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.namespaces import Namespace
from helmwake.facts.parsing import Observed, parse_change
from helmwake.facts.payload import Payload, parse_payload
from helmwake.facts.workloads import Workload, parse_workload
from helmwake.ledger.documents import entry_name, parse_entry, to_object
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.ids import trace_id
from helmwake.tracking.clocks import RecordedClock
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker
from tests.properties.replaying import changes
from tests.simulator.cluster import Event
from tests.tracking.kit import by_label

KEYS: Final = KeptnKeys()
BETWEEN_LISTS: Final = timedelta(milliseconds=2)
KINDS: Final = ("Namespace", "Secret", "ConfigMap", "Deployment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process: it lists when `first` events have happened, and dies before event `last`.

    `order` is that of its first lists. Without `answered` nothing that it asked for after its
    last event has come before it died.
    """

    first: int
    last: int
    order: tuple[str, ...] = KINDS
    answered: bool = True
    marks: int = 1  # the watermark moves with every so manyth event


class KilledError(Exception):
    """The process is gone."""


@dataclass
class Ledger:
    """Each operation by its entry's name, as the API would give it back."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    final: dict[str, Operation] = field(default_factory=dict)
    twice: list[Operation] = field(default_factory=list)
    told_after_its_end: list[Operation] = field(default_factory=list)
    lost: list[Operation] = field(default_factory=list)
    watermarks: dict[Driver, int] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)  # by uid

    def begun(self, operation: Operation) -> None:
        """Nothing is counted."""

    def changed(self, operation: Operation) -> None:
        if entry_name(operation) in self.final:
            self.told_after_its_end.append(operation)
            return
        self._keep(operation, State.RUNNING)

    def ended(self, operation: Operation) -> None:
        name = entry_name(operation)
        if name in self.final:
            self.twice.append(operation)
            return
        self.final[name] = operation
        self._keep(operation, State.UNDELIVERED)

    def given_up(self, operation: Operation) -> None:
        name = entry_name(operation)
        if name in self.final:
            self.told_after_its_end.append(operation)
            return
        self.lost.append(operation)
        self.kept.pop(name, None)

    def running(self) -> list[Operation]:
        return [entry.operation for entry in self._entries() if entry.state is State.RUNNING]

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        return tuple(
            entry.operation
            for entry in self._entries()
            if entry.state is not State.RUNNING and entry.operation.release == release
        )

    def entered(self, namespace: str, uid: str) -> None:
        """Its records' versions tell."""

    def left(self, namespace: str) -> None:
        """No namespace loses its label here."""

    def gone(self, namespace: str) -> None:
        """Nor is there anything to forget."""

    def dated(self, record: Record) -> Record:
        news = int(record.resource_version) > self.watermarks.get(record.driver, 0)
        return replace(record, origin=Origin.RELISTED if news else Origin.INITIAL)

    def _entries(self) -> Iterator[Entry]:
        for obj in self.kept.values():
            yield parse_entry(obj)

    def _keep(self, operation: Operation, state: State) -> None:
        entry = Entry(
            operation=operation, state=state, trace_id=f"{trace_id(operation):032x}", version="1"
        )
        self.kept[entry_name(operation)] = to_object(entry, namespace="helmwake-system")


class Truth:
    """The cluster as it is, whoever watches."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.changes = list(changes(events))
        self._position = 0
        self._objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}

    def move(self, position: int) -> None:
        for event in self.events[self._position : position]:
            obj = event["object"]
            of_kind = self._objects[obj["kind"]]
            if event["type"] == "DELETED":
                of_kind.pop(obj["metadata"]["uid"], None)
            else:
                of_kind[obj["metadata"]["uid"]] = obj
        self._position = max(self._position, position)

    def time(self, position: int) -> datetime:
        return self.changes[max(position - 1, 0)].seen

    def of(self, kind: str) -> Iterable[dict[str, Any]]:
        return list(self._objects[kind].values())

    def find(self, driver: Driver, uid: str) -> dict[str, Any] | None:
        return self._objects[driver.value].get(uid)


@dataclass
class Answers:
    """What the API answers, unless the process is about to die."""

    truth: Truth
    clock: RecordedClock
    ledger: Ledger
    silent: bool = False
    waiting: int = 0

    async def fetch(self, ref: RecordRef) -> Payload | None:
        await self._maybe()
        obj = self.truth.find(ref.driver, ref.uid)
        return None if obj is None else parse_payload(obj, seen=self.clock.now())

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        await self._maybe()
        found = []
        for obj in self.truth.of("Deployment"):
            change = Change(
                type=ChangeType.ADDED, object=obj, seen=self.clock.now(), origin=Origin.RELISTED
            )
            workload = parse_workload(change, keys=KEYS)
            if workload and workload.key.namespace == namespace and workload.release == release:
                found.append(workload)
        return tuple(found)

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        await self._maybe()
        return await self.ledger.recall(release)

    async def _maybe(self) -> None:
        if self.silent:
            self.waiting += 1
            await asyncio.Event().wait()


class Watches:
    """One reflector's knowledge for each kind."""

    def __init__(self) -> None:
        self.known = {kind: Known(_reduce, order=telling_order) for kind in KINDS}

    def facts(self, namespace: str) -> Iterable[Record | Workload]:
        found: list[Record | Workload] = []
        for kind in KINDS:
            for fact in self.known[kind].facts():
                match fact:
                    case Record() if fact.release.namespace == namespace:
                        found.append(fact)
                    case Workload() if fact.key.namespace == namespace:
                        found.append(fact)
                    case _:
                        pass
        return sorted(found, key=telling_order)

    def seed(self, fact: Record | Namespace, *, version: str) -> None:
        kind = "Namespace" if isinstance(fact, Namespace) else fact.driver.value
        self.known[kind].entries[fact.uid] = KnownEntry(version, fact)

    def listed(self, kind: str, items: Iterable[dict[str, Any]], seen: datetime) -> list[Observed]:
        relisting = Relisting(self.known[kind], origin=Origin.INITIAL)
        for item in items:
            relisting.add(item, seen=seen)
        return [_fact(news) for news in relisting.finish(seen=seen)]

    def heard(self, change: Change) -> Observed | None:
        news = self.known[change.object["kind"]].apply(change)
        return None if news is None else _fact(news)


@dataclass
class Watched:
    """What the lives told together, and what their watches saw, as a lossy watch would."""

    ledger: Ledger
    running: tuple[Operation, ...]
    seen: list[Event]


def live_through(events: Sequence[Event], lives: Sequence[Life]) -> Watched:
    """Let trackers watch the events one after another; the last one is not killed."""
    truth, ledger = Truth(events), Ledger()
    seen = _Sightings(events)
    running: tuple[Operation, ...] = ()
    for life in lives:
        restored = ledger.running()
        truth.move(life.first)
        seen.relist(life.first, followed={operation.id.uid for operation in restored})
        killed = life.last < len(events) or life is not lives[-1]
        running = asyncio.run(_live(life, truth, ledger, restored, killed=killed))
        seen.watch(life.last, answered=life.answered)
    return Watched(ledger, running, seen.events)


async def _live(
    life: Life, truth: Truth, ledger: Ledger, restored: Sequence[Operation], *, killed: bool
) -> tuple[Operation, ...]:
    clock = RecordedClock()
    clock.next_wake(truth.time(life.first))
    answers = Answers(truth, clock, ledger)
    running: tuple[Operation, ...] = ()
    try:
        async with asyncio.TaskGroup() as tasks:
            tracker = Tracker(
                tasks=tasks,
                payloads=answers,
                workloads=answers,
                operations=ledger,
                past=answers,
                clock=clock,
            )
            await _Process(life, truth, ledger, answers, tracker).run(restored)
            running = tracker.running()
            assert tracker.failures == 0
            tasks.create_task(_end(killed=killed))
    except* KilledError:
        pass
    return running


async def _end(*, killed: bool) -> None:
    if killed:
        raise KilledError


class _Process:
    """From its first lists to its last event."""

    def __init__(
        self, life: Life, truth: Truth, ledger: Ledger, answers: Answers, tracker: Tracker
    ) -> None:
        self._life, self._truth, self._ledger = life, truth, ledger
        self._answers, self._tracker, self._clock = answers, tracker, answers.clock
        self._watches = Watches()
        self._scope = Scope(tracker, selector=by_label, known=self._watches, history=ledger)

    async def run(self, restored: Sequence[Operation]) -> None:
        life = self._life
        self._answers.silent = not life.answered and life.last == life.first
        self._tracker.restore(restored)
        for operation in restored:
            record = operation.record
            self._watches.seed(record, version=record.resource_version)
        for namespace in self._ledger.namespaces.values():
            self._watches.seed(namespace, version="0")
        for kind in life.order:
            for fact in self._watches.listed(kind, self._truth.of(kind), self._clock.now()):
                self._take(fact)
            await self._settle()
            # No list waits for another.
            await self._wake(self._clock.now() + BETWEEN_LISTS, before=life.first)
        self._mark(life.first)
        for position in range(life.first, life.last):
            change = self._truth.changes[position]
            await self._wake(change.seen, before=position)
            self._answers.silent = not life.answered and position + 1 == life.last
            self._truth.move(position + 1)
            heard = self._watches.heard(change)
            if heard is not None:
                self._take(heard)
            await self._settle()
            self._mark(position + 1)

    def _take(self, fact: Observed) -> None:
        if isinstance(fact, Namespace):
            self._ledger.namespaces[fact.uid] = fact
            if fact.gone:
                del self._ledger.namespaces[fact.uid]
        self._scope.take(fact)

    async def _wake(self, until: datetime, *, before: int) -> None:
        if before < len(self._truth.changes):
            until = min(until, self._truth.changes[before].seen)
        while (wake := self._clock.next_wake(until)) is not None:
            wake()
            await self._settle()

    async def _settle(self) -> None:
        if not self._answers.silent:
            await self._tracker.settled()
        else:
            await asyncio.sleep(0)

    def _mark(self, position: int) -> None:
        """What was seen of the records is in the ledger, unless an answer tells more."""
        if self._answers.waiting or not position or position % self._life.marks:
            return
        version = int(self._truth.events[position - 1]["object"]["metadata"]["resourceVersion"])
        for driver in Driver:
            self._ledger.watermarks[driver] = version


class _Sightings:
    """The events as all lives together saw them."""

    def __init__(self, true: Sequence[Event]) -> None:
        self.events: list[Event] = []
        self._true = true
        self._position = 0
        self._known: dict[str, Event] = {}  # by uid

    def watch(self, last: int, *, answered: bool) -> None:
        for position in range(self._position, last):
            event = self._true[position]
            if position + 1 == last and not answered:
                event = self._unread(event)
            self._know(event)
            self.events.append(event)
        self._position = last

    def _unread(self, event: Event) -> Event:
        """Of a write whose payload did not come, no more is known than its metadata."""
        obj = event["object"]
        before = self._known.get(obj["metadata"]["uid"])
        if before is None or event["type"] == "DELETED":
            return event
        return {**event, "object": {**obj, "data": before["object"].get("data")}}

    def relist(self, first: int, *, followed: Collection[str]) -> None:
        """A new process knows no object that is gone, but for those records it follows."""
        before = dict(self._known)
        if not first:
            return
        time = self._true[first - 1]["time"]
        for event in self._true[max(self._position - 1, 0) : first]:
            self._know(event)
        self._position = first
        told: list[Event] = [
            {"type": "DELETED", "object": event["object"]}
            for uid, event in before.items()
            if uid not in self._known and uid in followed
        ]
        told += [
            {"type": "MODIFIED" if uid in before else "ADDED", "object": event["object"]}
            for uid, event in self._known.items()
            if before.get(uid) is not event
        ]
        self.events += [{**each, "time": time, "relisted": True} for each in told]

    def _know(self, event: Event) -> None:
        uid = event["object"]["metadata"]["uid"]
        if event["type"] == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = event


def _reduce(change: Change) -> Observed | None:
    return parse_change(change, keys=KEYS)


def _fact(news: Seen[Observed]) -> Observed:
    gone = news.type is ChangeType.DELETED
    return replace(news.fact, seen=news.seen, origin=news.origin, gone=gone)
