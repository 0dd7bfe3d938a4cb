"""From the ledger to the backend, and back with what became of it.

- A trace is made of its entry alone, so that one that is sent again is the same byte for byte.
- The queue is never asked to drop what the ledger has: what does not fit stays there, and is
  read again once half of the queue is empty.
- The ledger may still call undelivered what a backend took a moment ago, since a mark takes its
  time. So what was settled lately is remembered, and passed over.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, NoReturn, Protocol

from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff
from helmwake.cluster.errors import ApiError
from helmwake.delivery.outcome import Delivered, Dropped, Outcome, Poisoned
from helmwake.delivery.queue import DeliveryQueue
from helmwake.entry_traces import trace_of
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.naming import entry_name
from helmwake.telemetry.readable import UnfinishedTraceError
from helmwake.telemetry.spans import Trace

logger = logging.getLogger(__name__)

# Twice what a full ledger holds, 2 MB. Of more than that some would be sent twice.
MAX_REMEMBERED: Final = 10_000


class Undelivered(Protocol):
    def undelivered(self) -> AsyncGenerator[Entry, None]:
        """Read from the ledger now what is final and not delivered, in the order to send it.

        Raises:
            ApiError: it cannot be read.
        """
        ...


class Dispatch:
    """Delivers what the ledger holds; `put` takes each entry with what became of it."""

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
        self._settled: dict[str, None] = {}  # lately; the oldest first
        self._left_out = True  # an earlier process may have left some
        self._news = asyncio.Event()  # there may be room, or something to read
        self._news.set()

    def offer(self, entry: Entry) -> None:
        """Deliver an entry that is stored as final; never waits."""
        if not self._take(entry, stored=True):
            self._left_out = True  # there is room, and news, with the queue's next answer

    def offer_unstored(self, entry: Entry) -> None:
        """Deliver an entry that the ledger refuses: it is in memory alone, and gets no mark."""
        self._take(entry, stored=False)

    async def run(self) -> NoReturn:
        """Read from the ledger what did not fit, as soon as there is room; until cancelled."""
        backoff = Backoff(DEFAULT_BACKOFF)
        told = None
        while True:
            await self._news.wait()
            # HAZARD: cleared before anything is looked at. What comes meanwhile sets it.
            self._news.clear()
            if not (self._left_out and self._queue.half_empty):
                continue
            try:
                await self._read()
            except ApiError as error:
                if str(error) != told:
                    told = str(error)
                    logger.warning("What is to be delivered cannot be read: %s", told)
                delay = backoff.fail(retry_after=error.retry_after)
                await asyncio.sleep(delay.total_seconds())
            else:
                if told is not None:
                    logger.info("What is to be delivered can be read again")
                told = None
                backoff.reset()

    async def _read(self) -> None:
        # HAZARD: before the first await. What is left out meanwhile is read the next time.
        self._left_out = False
        try:
            async with aclosing(self._ledger.undelivered()) as entries:
                async for entry in entries:
                    if not self._take(entry, stored=True):
                        self._left_out = True
                        return
                    # Half a millisecond each, hundreds in a page: others must have their turn.
                    await asyncio.sleep(0)
        except BaseException:
            self._left_out = True
            self._news.set()
            raise

    def _take(self, entry: Entry, *, stored: bool) -> bool:
        """Put the entry's trace into the queue; False where it has no room."""
        name = entry_name(entry.operation)
        if name in self._under_way or name in self._settled:
            return True
        on_settled = partial(self._on_settled, name, entry if stored else None)
        try:
            trace = _finished_trace(entry)
        except Exception as error:  # noqa: BLE001  # one entry's fault stays its own
            # Its kind only: its words may hold a value.
            why = f"no trace can be made of it ({type(error).__name__})"
            logger.error("%s is set aside: %s", name, why)  # noqa: TRY400  # words again
            on_settled(Poisoned(why=why))
            return True
        if stored and not self._queue.has_room(len(trace.spans)):
            return False
        self._under_way.add(name)  # first: the queue may settle it before it returns
        self._queue.put(trace, on_settled)
        return True

    def _on_settled(self, name: str, entry: Entry | None, outcome: Outcome) -> None:
        """Have it marked, unless there is no `entry` in the ledger."""
        self._under_way.discard(name)
        self._news.set()
        if isinstance(outcome, Dropped):  # by one that the ledger refused
            self._left_out = self._left_out or entry is not None
            return
        self._settled[name] = None
        if len(self._settled) > MAX_REMEMBERED:
            del self._settled[next(iter(self._settled))]
        if entry is not None:
            self._put(self._marked(entry, outcome))

    def _marked(self, entry: Entry, outcome: Delivered | Poisoned) -> Entry:
        if isinstance(outcome, Poisoned):
            return replace(entry, state=State.SET_ASIDE, problem=outcome.why)
        return replace(
            entry,
            state=State.DELIVERED,
            delivered=self._now(),
            delivered_to=self._queue.answered_by,
            problem=_rejected(outcome) if outcome.rejected else None,
        )


def _finished_trace(entry: Entry) -> Trace:
    trace = trace_of(entry)
    if not trace.finished:
        raise UnfinishedTraceError(trace)
    return trace


def _rejected(outcome: Delivered) -> str:
    """Say what is known of a partial success: it covers a request, in which others may be too."""
    why = f": {outcome.message}" if outcome.message else ""
    return f"the backend rejected {outcome.rejected} spans of the request it was sent in{why}"
