"""From the ledger to the backend, and back with what became of it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Final, NoReturn, Protocol

from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff
from helmwake.cluster.errors import ApiError
from helmwake.delivery.outcome import Delivered, Outcome, Poisoned
from helmwake.delivery.queue import DeliveryQueue
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.naming import entry_name
from helmwake.telemetry.traces import Cluster, build_trace

logger = logging.getLogger(__name__)
LOOK_AGAIN_SECONDS: Final = 1.0


class Undelivered(Protocol):
    def undelivered(self) -> AsyncGenerator[Entry, None]:
        """Read from the ledger now what is final and not delivered.

        Raises:
            ApiError: it cannot be read.
        """
        ...


class Dispatch:
    """Delivers what the ledger holds.

    The queue never drops what the ledger has: what does not fit stays there, and is read again
    when half of the queue is empty. `put` takes each entry with what became of it.
    """

    def __init__(
        self,
        queue: DeliveryQueue,
        ledger: Undelivered,
        *,
        put: Callable[[Entry], None],
        now: Callable[[], datetime],
    ) -> None:
        self._queue = queue
        self._ledger = ledger
        self._put = put
        self._now = now
        self._under_way: set[str] = set()
        self._left_out = True  # an earlier process may have left some
        self._news = asyncio.Event()
        self._news.set()

    @property
    def under_way(self) -> int:
        """How many entries are in the queue."""
        return len(self._under_way)

    def offer(self, entry: Entry) -> None:
        """Deliver an entry that is stored as final; never waits."""
        if not self._take(entry, stored=True):
            self._left_out = True
            self._news.set()

    def offer_unstored(self, entry: Entry) -> None:
        """Deliver an entry that the ledger refuses: it is in memory alone."""
        self._take(entry, stored=False)

    async def run(self) -> NoReturn:
        """Read from the ledger what did not fit, as soon as there is room."""
        backoff = Backoff(DEFAULT_BACKOFF)
        while True:
            await self._news.wait()
            if not self._left_out:
                self._news.clear()
                continue
            if not self._queue.half_empty:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
                continue
            try:
                await self._read()
                backoff.reset()
            except ApiError as error:
                delay = backoff.fail(retry_after=error.retry_after)
                logger.warning("What is to be delivered cannot be read: %s", error)
                await asyncio.sleep(delay.total_seconds())

    async def _read(self) -> None:
        # HAZARD: before the first await. What is left out meanwhile is read the next time.
        self._left_out = False
        try:
            async with aclosing(self._ledger.undelivered()) as entries:
                async for entry in entries:
                    if not self._take(entry, stored=True):
                        self._left_out = True
                        return
        except BaseException:
            self._left_out = True
            raise

    def _take(self, entry: Entry, *, stored: bool) -> bool:
        """Put the entry's trace into the queue; False where it has no room."""
        name = entry_name(entry.operation)
        if name in self._under_way:
            return True
        cluster = Cluster(uid=entry.cluster_uid, name=entry.cluster_name)
        try:
            trace = build_trace(entry.operation, cluster, version=entry.version)
        except Exception as error:  # noqa: BLE001  # one entry's fault stays its own
            logger.error("%s: no trace can be made of it (%s)", name, type(error).__name__)  # noqa: TRY400
            self._put(replace(entry, state=State.SET_ASIDE, problem="no trace can be made of it"))
            return True
        if stored and not self._queue.has_room(len(trace.spans)):
            return False
        self._under_way.add(name)
        self._queue.put(trace, lambda outcome: self._settled(name, entry, outcome, stored=stored))
        return True

    def _settled(self, name: str, entry: Entry, outcome: Outcome, *, stored: bool) -> None:
        self._under_way.discard(name)
        if not stored:
            return
        match outcome:
            case Delivered():
                problem = None
                if outcome.rejected:
                    problem = f"the backend rejected {outcome.rejected} spans of its request"
                self._put(
                    replace(
                        entry,
                        state=State.DELIVERED,
                        delivered=self._now(),
                        delivered_to=self._queue.answered_by,
                        problem=problem,
                    )
                )
            case Poisoned(why=why):
                self._put(replace(entry, state=State.SET_ASIDE, problem=why))
            case _:  # dropped: it is still in the ledger
                self._left_out = True
                self._news.set()
