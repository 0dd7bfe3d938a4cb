"""What is kept and what goes out: the ledger, the delivery from it, and its old entries' end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Self

from helmwake.app.dispatch import Dispatch
from helmwake.app.outlet import Outlet
from helmwake.app.remembering import Memory, Remembered
from helmwake.app.watermark import Watermark
from helmwake.cluster.credentials import Credentials, utc_now
from helmwake.cluster.writing import WritingClient
from helmwake.delivery.metrics import Meters
from helmwake.delivery.queue import DeliveryQueue
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.retention import RetentionLimits
from helmwake.ledger.store import LedgerStore, writable
from helmwake.ledger.sweeping import Sweeper
from helmwake.ledger.writer import LedgerWriter
from helmwake.telemetry.traces import Cluster


class Books:
    """Outlives the watching: what is still on its way when we stop is written and sent."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        namespace: str,
        retention: Callable[[], RetentionLimits],
        queue: DeliveryQueue,
        meters: Meters,
        cluster: Callable[[], Cluster],
    ) -> None:
        self._api = WritingClient(credentials, writable=writable(namespace))
        self.store = LedgerStore(self._api, namespace=namespace)
        self.outlet = Outlet(meters=meters, cluster=cluster, put=self._put, offers=self)
        self.writer = LedgerWriter(
            self.store,
            on_stored=self._stored,
            on_known=self.outlet.known,
            on_refused=self.outlet.refused,
        )
        self._sweeper = Sweeper(self._api, namespace, limits=retention, now=utc_now)
        self.memory = Memory(self.store, self.writer, failed=self.outlet.failed)
        self._dispatch = Dispatch(queue, self.memory, put=self.writer.put, now=utc_now)
        self._queue = queue
        self._watermark: Watermark | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()  # one of them, which never should

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        self._start("delivery", self._queue.run())
        self._start("ledger", self.writer.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._api.close()

    async def remembered(self) -> Remembered:
        """Read what an earlier process left, and begin to deliver of it."""
        found = await self.memory.remembered()
        self._start("dispatch", self._dispatch.run())
        self._start("retention", self._sweeper.run())
        return found

    def follow(self, watermark: Watermark) -> None:
        """Name the one who must hear that there is something new."""
        self._watermark = watermark

    def not_ready(self) -> list[str]:
        """Say what keeps the ledger from being read or written."""
        problems = [self.memory.problem, self.writer.problem]
        if self._watermark is not None:
            problems.append(self._watermark.problem)
        return [f"ledger: {problem}" for problem in problems if problem]

    async def ends(self) -> None:
        """End with an error as soon as one of the tasks does: the pod restarts."""
        await self._ended.wait()
        for task in self._tasks:
            if task.done():
                task.result()

    async def settle(self, seconds: float) -> None:
        """Write what was learned last: what was delivered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.writer.flushed()

    def offer(self, entry: Entry) -> None:
        self._dispatch.offer(entry)

    def offer_unstored(self, entry: Entry) -> None:
        self._dispatch.offer_unstored(entry)

    def _start(self, name: str, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self._ended.set())
        self._tasks.append(task)

    def _put(self, entry: Entry) -> None:
        self.writer.put(entry)
        if self._watermark is not None:
            self._watermark.nudge()

    def _stored(self, entry: Entry) -> None:
        if entry.state is State.UNDELIVERED:
            self._sweeper.nudge()
        self.outlet.stored(entry)
