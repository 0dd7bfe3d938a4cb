"""What the ledger tells of earlier processes: what ran, what is to be delivered, what was done."""

import logging
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from helmwake.cluster.credentials import utc_now
from helmwake.cluster.errors import ApiError
from helmwake.cluster.retry import RetryPolicy, retrying
from helmwake.facts.helm import Record
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import NO_CONTEXT
from helmwake.facts.namespaces import Namespace
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.progress import Progress
from helmwake.ledger.store import Bad, LedgerStore, Stored
from helmwake.ledger.writer import LedgerWriter
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.metrics import OwnError

logger = logging.getLogger(__name__)

FINAL: Final = frozenset({State.UNDELIVERED, State.DELIVERED, State.SET_ASIDE})
# An apiserver that is away makes us not ready, and restarts nobody.
FOR_EVER: Final = RetryPolicy(attempts=sys.maxsize)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a new process begins with."""

    progress: Progress
    running: tuple[Stored, ...]
    bad: tuple[Bad, ...]

    @property
    def lost(self) -> frozenset[str]:
        """The uids of the records whose entries cannot be read."""
        return frozenset(each.identity.id.uid for each in self.bad if each.identity)

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of what ran: it is told what became of them."""
        return tuple(operation.record for operation in self.operations)

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """The namespaces that were observed: it is told which ones are gone."""
        return tuple(
            Namespace(
                name=name, uid=known.uid, labels={}, keptn=NO_CONTEXT,
                terminating=False, seen=known.since,
            )
            for name, known in self.progress.namespaces.items()
            if known.uid
        )  # fmt: skip

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(stored.entry.operation for stored in self.running)


class Memory:
    """Reads the ledger, and tries for as long as it takes."""

    def __init__(
        self, store: LedgerStore, writer: LedgerWriter, *, failed: Callable[[OwnError], None]
    ) -> None:
        self._store = store
        self._writer = writer
        self._failed = failed
        self.problem: str | None = "the ledger was not read yet"
        self._known_bad: set[str] = set()  # which may be made anew yet

    async def remembered(self) -> Remembered:
        """Read what ran when the process before this one ended."""

        async def read() -> Remembered:
            try:
                return await self._remembered()
            except ApiError as error:
                problem = self._store.explained(error)
                if problem != self.problem:
                    logger.warning("The ledger cannot be read: %s", problem)
                self.problem = problem
                raise

        return await retrying(read, policy=FOR_EVER, also=(ApiError,))

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        """Stand behind the tracker's `Past`."""

        async def read() -> list[Stored]:
            try:
                return await self._store.of_release(release)
            except ApiError as error:
                logger.debug("%s: what was told of it cannot be read: %s", release, error)
                raise

        known = await retrying(read, policy=FOR_EVER, also=(ApiError,))
        return tuple(stored.entry.operation for stored in known if stored.entry.state in FINAL)

    async def undelivered(self) -> AsyncGenerator[Entry, None]:
        """Stand behind the dispatch's `Undelivered`.

        Raises:
            ApiError: it cannot be read.
        """
        async with aclosing(self._store.entries(State.UNDELIVERED)) as entries:
            async for found in entries:
                if isinstance(found, Stored):
                    self._writer.adopt(found)
                    yield found.entry
                elif found.handle.name not in self._known_bad:
                    self._warn(found)
                    await self.leave_alone(found)

    async def leave_alone(self, bad: Bad) -> None:
        """Say in an entry that it cannot be read, unless it was made anew meanwhile."""
        try:
            now = await self._store.read(bad.handle.name)
            if isinstance(now, Bad):
                await self._store.write_unreadable(now, now=utc_now())
                logger.warning("%s; nothing is left to make it of: it is left alone", now.error)
        except ApiError as error:
            logger.warning("%s: %s; it is tried again at the next start", bad.handle.name, error)

    async def _remembered(self) -> Remembered:
        progress, problems = await self._store.load_progress()
        running: list[Stored] = []
        bad: list[Bad] = []
        async with aclosing(self._store.entries(State.RUNNING, State.UNDELIVERED)) as entries:
            async for found in entries:
                if isinstance(found, Bad):
                    bad.append(found)
                elif found.entry.state is State.RUNNING:
                    running.append(found)
        for problem in problems:
            logger.warning("%s", problem)
        for each in bad:
            self._warn(each)
        for stored in running:
            self._writer.adopt(stored)
        self.problem = None
        return Remembered(progress=progress, running=tuple(running), bad=tuple(bad))

    def _warn(self, bad: Bad) -> None:
        self._known_bad.add(bad.handle.name)
        self._failed(OwnError.BAD_ENTRY)
        logger.warning("%s; it is made anew if its record is still there", bad.error)
