"""Brings into the ledger what is put here, for as long as it takes.

Of one operation the newest entry wins: older ones that were not written yet never are. An entry
that changes no more is forgotten when it is stored, so that memory holds what still runs, and
what the ledger does not take yet. How one entry is written is said in persisting.py.
"""

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff, BackoffPolicy
from helmwake.cluster.errors import ApiError
from helmwake.ledger.documents import entry_name
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.persisting import MARKS, Persister
from helmwake.ledger.problems import is_refusal
from helmwake.ledger.slot import Slot
from helmwake.ledger.store import LedgerStore, Stored

logger: Final = logging.getLogger(__name__)
DEBOUNCE: Final = timedelta(seconds=1)
# A turn so near has come: a loop's clock is not fine enough to wait for less.
NEAR_SECONDS: Final = 0.001


@dataclass(slots=True)
class _Flush:
    """Somebody waits for these names, each with the number of its newest put."""

    waiting: dict[str, int]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def settle(self, name: str, number: int) -> None:
        if self.waiting.get(name, number + 1) <= number:
            del self.waiting[name]
        if not self.waiting:
            self.done.set()


class LedgerWriter:
    """Writes entries through a store.

    - `on_stored` hears once of each operation and each state other than RUNNING, when the ledger
      has it. The entry is the one that will be read from the ledger.
    - `on_known` hears of an operation whose end the ledger had already, from an earlier process:
      what was put of it is dropped. It may still be undelivered; it was measured before.
    - `on_refused` hears of an entry other than a RUNNING one that the ledger's schema will never
      take, and why: who is to deliver it must do without the ledger.

    All are called on the loop and may `put`. An error of theirs ends `run`.
    """

    def __init__(
        self,
        store: LedgerStore,
        *,
        on_stored: Callable[[Entry], None],
        on_known: Callable[[Entry], None],
        on_refused: Callable[[Entry, str], None],
        debounce: timedelta = DEBOUNCE,
        concurrency: int = 4,
        backoff: BackoffPolicy = DEFAULT_BACKOFF,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.problem: str | None = None  # why nothing can be written now, and what to do
        self._store = store
        self._persister = Persister(store, on_stored=on_stored)
        self._on_known = on_known
        self._on_refused = on_refused
        self._debounce_seconds = debounce.total_seconds()
        self._concurrency = concurrency
        self._policy = backoff
        self._jitter = jitter
        self._backoff = Backoff(backoff, jitter=jitter)
        self._slots: dict[str, Slot] = {}
        self._told: set[str] = set()  # still put as RUNNING here, and over by the ledger
        self._turns: list[tuple[float, int, Slot]] = []  # a heap
        self._numbers = itertools.count(1)
        self._ties = itertools.count()
        self._under_way = 0
        self._paused_until = 0.0
        self._news = asyncio.Event()
        self._flushes: list[_Flush] = []

    @property
    def waiting(self) -> int:
        """How many entries are not stored yet."""
        return sum(slot.wanted is not None for slot in self._slots.values())

    def put(self, entry: Entry) -> None:
        """Take an entry; never waits. Must be called on the event loop."""
        name = entry_name(entry.operation)
        if name in self._told and entry.state not in MARKS:
            if entry.state is not State.RUNNING:
                self._told.discard(name)
            return
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = self._slot(name)
        if slot.refused and entry.state is State.RUNNING:
            return
        slot.wanted, slot.number = entry, next(self._numbers)
        self._schedule(slot)

    def adopt(self, stored: Stored) -> None:
        """Take over what an earlier process left: a RUNNING entry's next put updates it.

        Others are not held in memory. Their next put reads them again.
        """
        if stored.entry.state is State.RUNNING and stored.handle.name not in self._slots:
            slot = self._slots[stored.handle.name] = self._slot(stored.handle.name)
            slot.handle, slot.state, slot.ours = stored.handle, State.RUNNING, True

    async def flushed(self) -> None:
        """Return when all that was put before has been stored, dropped or refused."""
        waiting = {
            name: slot.number for name, slot in self._slots.items() if slot.wanted is not None
        }
        if not waiting:
            return
        flush = _Flush(waiting)
        self._flushes.append(flush)
        try:
            await flush.done.wait()
        finally:
            self._flushes.remove(flush)

    async def run(self) -> None:
        """Write until cancelled. What was not stored then stays here, for the next `run`."""
        self._begin_anew()
        async with asyncio.TaskGroup() as group:
            while True:
                # HAZARD: cleared before anything is looked at. What comes meanwhile sets it.
                self._news.clear()
                seconds = self._start_what_is_due(group)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._news.wait()

    def _slot(self, name: str) -> Slot:
        return Slot(name=name, backoff=Backoff(self._policy, jitter=self._jitter))

    def _begin_anew(self) -> None:
        # A task that was cancelled before its first step has cleaned up nothing.
        self._under_way = 0
        self._turns.clear()
        for slot in self._slots.values():
            slot.busy, slot.due = False, None
            if slot.wanted is not None:
                self._schedule(slot)

    def _schedule(self, slot: Slot) -> None:
        """Give it a turn: at once where its state changes, debounced else."""
        if slot.busy or slot.wanted is None or (slot.due is not None and slot.backoff.failures):
            return
        is_change = slot.wanted.state is not slot.state
        self._give_turn(slot, _now() + (0 if is_change else self._debounce_seconds))

    def _give_turn(self, slot: Slot, due: float) -> None:
        if slot.due is not None and slot.due <= due:
            return
        slot.due = due
        heapq.heappush(self._turns, (due, next(self._ties), slot))
        self._news.set()

    def _start_what_is_due(self, group: asyncio.TaskGroup) -> float | None:
        """Start writes; return after how many seconds there may be more, if nothing happens."""
        while self._turns:
            due, _, slot = self._turns[0]
            if slot.due != due or slot.wanted is None:  # it was given an earlier turn
                heapq.heappop(self._turns)
                continue
            if self._under_way >= (1 if self.problem else self._concurrency):
                return None
            if (wait := max(due, self._paused_until) - _now()) > NEAR_SECONDS:
                return wait
            heapq.heappop(self._turns)
            slot.due, slot.busy = None, True
            self._under_way += 1
            group.create_task(self._write(slot, slot.wanted, slot.number))
        return None

    async def _write(self, slot: Slot, entry: Entry, number: int) -> None:
        try:
            existing = await self._persister.persist(slot, entry)
        except ValidationError as error:
            self._refuse(slot, entry, number, f"{error.error_count()} fields are out of bounds")
        except ApiError as error:
            if is_refusal(error):
                self._work_again(slot)
                self._refuse(slot, entry, number, str(error))
            else:
                self._fail(slot, error)
        except BaseException:
            slot.uncertain = True
            raise
        else:
            self._work_again(slot)
            if existing is None:
                self._settle(slot, entry, number)
            else:
                self._drop(slot, entry, number, existing)
        finally:
            slot.busy = False
            self._under_way -= 1
            self._schedule(slot)
            self._news.set()

    def _settle(self, slot: Slot, entry: Entry, number: int) -> None:
        """Be done with one put and all before it; forget what changes no more."""
        if slot.number == number:
            slot.wanted = None
            if entry.state is not State.RUNNING:
                self._slots.pop(slot.name, None)
        for flush in self._flushes:
            flush.settle(slot.name, number)

    def _drop(self, slot: Slot, entry: Entry, number: int, existing: Entry) -> None:
        """Let the ledger's entry stay, and be done with all that was put of the operation."""
        newest = slot.wanted or entry
        if newest.state in MARKS:  # a newer one still has to be written
            self._settle(slot, entry, number)
            return
        if newest.state is State.RUNNING:
            self._told.add(slot.name)
        slot.wanted = None
        self._slots.pop(slot.name, None)
        self._settle(slot, newest, slot.number)
        logger.info("%s is over since before this start; it stays as it is", slot.name)
        self._on_known(existing)

    def _refuse(self, slot: Slot, entry: Entry, number: int, why: str) -> None:
        slot.refused = True
        logger.warning("%s is refused by the ledger: %s", slot.name, why)
        self._settle(slot, entry, number)
        if entry.state is not State.RUNNING:
            self._on_refused(entry, why)

    def _fail(self, slot: Slot, error: ApiError) -> None:
        """Try again later: this entry alone, if others could be written since it first failed."""
        problem, now = self._store.explained(error), _now()
        own = slot.backoff.fail(retry_after=error.retry_after)
        if self.problem is None and slot.backoff.failures > 1:
            if not slot.alone:
                slot.alone = True
                logger.warning("%s cannot be written, others can: %s", slot.name, problem)
            self._give_turn(slot, now + own.total_seconds())
            return
        if now >= self._paused_until:  # else it was under way when another one failed
            delay = self._backoff.fail(retry_after=error.retry_after)
            self._paused_until = now + delay.total_seconds()
        if self.problem is None or (problem != self.problem and not error.transient):
            logger.warning("The ledger cannot be written: %s", problem)
        self.problem = problem
        self._give_turn(slot, self._paused_until)

    def _work_again(self, slot: Slot) -> None:
        slot.backoff.reset()
        slot.alone = False
        self._backoff.reset()
        if self.problem is not None:
            self.problem, self._paused_until = None, 0.0
            logger.info("The ledger can be written again; %d entries wait", self.waiting)


def _now() -> float:
    return asyncio.get_running_loop().time()
