"""A ledger in memory and the entries it holds, for tests of what delivers them."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Final

from helmwake.app.dispatch import Dispatch
from helmwake.cluster.errors import ApiError
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.sender import Sender
from helmwake.delivery.waiting import WhenSettled
from helmwake.facts.identity import ReleaseKey
from helmwake.ledger.documents import parse_entry, to_object
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.spans import Trace
from tests.telemetry.operations import good_upgrade

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPANS: Final = 4  # of each of these operations
OLD: Final = "0.0.7"  # the version that closed them

upgrade = cache(good_upgrade)


def make_entry(number: int = 1, operation: Operation | None = None) -> Entry:
    """A final one, of the release shop/cart-<number>."""
    template = operation or upgrade()
    made = replace(
        template,
        id=replace(template.id, uid=f"uid-{number}"),
        release=ReleaseKey(namespace="shop", name=f"cart-{number}"),
    )
    return Entry(
        operation=made,
        state=State.UNDELIVERED,
        trace_id=f"{number:032x}",
        version=OLD,
        cluster_uid="cluster-uid",
        cluster_name="here",
    )


def make_entries(count: int) -> list[Entry]:
    return [make_entry(number) for number in range(1, count + 1)]


def number_of(entry: Entry) -> int:
    return int(entry.operation.release.name.rpartition("-")[2])


@dataclass(slots=True, eq=False)
class FakeLedger:
    """Keeps entries in the order they came.

    A mark takes `mark_s` until it can be read, as do the requests of a real one.
    """

    objects: dict[int, Entry] = field(default_factory=dict)
    page: int = 50
    page_s: float = 0.0
    mark_s: float = 0.0
    errors: deque[ApiError] = field(default_factory=deque)  # of the next pages
    marks: list[Entry] = field(default_factory=list)
    reads: int = 0
    closed: int = 0

    @property
    def entries(self) -> list[Entry]:
        return list(self.objects.values())

    def of(self, state: State) -> list[int]:
        return [number_of(entry) for entry in self.entries if entry.state is state]

    def store(self, entry: Entry) -> None:
        self.objects[number_of(entry)] = entry

    def put(self, entry: Entry) -> None:
        self.marks.append(entry)
        if self.mark_s:
            asyncio.get_running_loop().call_later(self.mark_s, self.store, entry)
        else:
            self.store(entry)

    async def undelivered(self) -> AsyncGenerator[Entry, None]:
        self.reads += 1
        try:
            for numbers in _batches(list(self.objects), self.page):
                await asyncio.sleep(self.page_s)
                if self.errors:
                    raise self.errors.popleft()
                page = [self.objects[number] for number in numbers]  # as they are now
                for entry in page:
                    if entry.state is State.UNDELIVERED:
                        yield entry
        finally:
            self.closed += 1


def _batches(numbers: list[int], size: int) -> Iterator[list[int]]:
    left = iter(numbers)
    # An empty list is one page too.
    yield list(islice(left, size))
    while batch := list(islice(left, size)):
        yield batch


class CountingQueue(DeliveryQueue):
    """Knows the most spans that ever waited in it: they grow with a put alone."""

    peak = 0

    def put(self, trace: Trace, when_settled: WhenSettled | None = None) -> None:
        super().put(trace, when_settled)
        self.peak = max(self.peak, self.state.waiting_spans)


@dataclass(slots=True, eq=False, kw_only=True)
class Desk:
    """A queue and the dispatch that fills it, as one process has them."""

    ledger: FakeLedger
    queue: CountingQueue
    dispatch: Dispatch

    def ends(self, entry: Entry) -> None:
        """An operation is final: it is stored, and then offered."""
        self.ledger.store(entry)
        self.dispatch.offer(entry)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self.queue.run()),
            asyncio.create_task(self.dispatch.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task


def make_desk(
    sender: Sender | None,
    ledger: FakeLedger | None = None,
    *,
    max_waiting_spans: int = 50_000,
    put: Callable[[Entry], None] | None = None,
) -> Desk:
    ledger = ledger or FakeLedger()
    queue = CountingQueue(sender, max_waiting_spans=max_waiting_spans)
    start = asyncio.get_running_loop().time()

    def now() -> datetime:
        return NOON + timedelta(seconds=asyncio.get_running_loop().time() - start)

    return Desk(
        ledger=ledger,
        queue=queue,
        dispatch=Dispatch(queue, ledger, put=put or ledger.put, now=now),
    )


def stored(entry: Entry) -> Entry:
    """As it is read from the cluster."""
    text = json.dumps(to_object(entry, namespace="helmwake-system"))
    return parse_entry(json.loads(text))


def flat(sent: list[list[int]]) -> list[int]:
    return [number for request in sent for number in request]
