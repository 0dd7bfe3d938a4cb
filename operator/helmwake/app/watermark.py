"""How far the cluster was read: what tells news from history after a restart."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff
from helmwake.cluster.errors import ApiError, ConflictError
from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import Driver
from helmwake.ledger.progress import EVER, ObservedNamespace, Progress
from helmwake.ledger.standing import read_until, standing, standing_of_beginning

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(seconds=30)


class ProgressStore(Protocol):
    async def save_progress(self, progress: Progress) -> Progress:
        """Store it, and return it with its new resource version."""
        ...

    async def load_progress(self) -> tuple[Progress, list[str]]: ...

    def explained(self, error: ApiError) -> str:
        """Say in one line what is wrong, and what to do."""
        ...


class Watermark:
    """Stands behind the scope's `History`, and keeps it in the ledger.

    What a namespace's first list shows is filled in once: `filled_from` is set when all of it
    is in the ledger, and the resource version of `read_to` when all that was told until then
    is. Both are written seldom, and never while nothing happens.
    """

    def __init__(
        self,
        progress: Progress,
        store: ProgressStore,
        *,
        backfill: Callable[[], timedelta | None],
        told: Callable[[], Mapping[Driver, str] | None],
        answered: Callable[[], Awaitable[None]],
        flushed: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
        pause: timedelta = PAUSE,
    ) -> None:
        """`told` is None until each kind was listed; `answered` and `flushed` wait for others."""
        self.problem: str | None = None  # why it cannot be written, and what to do
        self._progress = progress
        self._store = store
        self._backfill = backfill
        self._told = told
        self._answered = answered
        self._flushed = flushed
        self._now = now
        self._pause = pause
        self._began = now()
        self._entered: set[str] = set()  # by this process
        self._rebuilt: frozenset[str] = frozenset()
        self._news = asyncio.Event()
        self._dirty = False  # the namespaces are not what is stored

    @property
    def progress(self) -> Progress:
        return self._progress

    def rebuild(self, uids: frozenset[str]) -> None:
        """Take these records for news: what was kept of them cannot be read."""
        self._rebuilt = uids

    def nudge(self) -> None:
        """Hear that something happened: there will be something to write."""
        self._news.set()

    def entered(self, namespace: str, uid: str) -> None:
        known = self._progress.namespaces.get(namespace)
        self._entered.add(namespace)
        if known is not None and known.uid == uid and known.left is None:
            return
        left = known.left if known is not None and known.uid == uid else None
        self._having(namespace, ObservedNamespace(uid=uid, since=self._now(), left=left))

    def left(self, namespace: str) -> None:
        self._entered.discard(namespace)
        known = self._progress.namespaces.get(namespace)
        if known is not None and known.left is None:
            read_to = self._told() or self._progress.read_to
            self._having(namespace, replace(known, left=dict(read_to)))

    def gone(self, namespace: str) -> None:
        self._entered.discard(namespace)
        if namespace in self._progress.namespaces:
            kept = {
                name: known
                for name, known in self._progress.namespaces.items()
                if name != namespace
            }
            self._progress = replace(self._progress, namespaces=kept)
            self._dirty = True
            self.nudge()

    def dated(self, record: Record) -> Record:
        if record.uid in self._rebuilt:
            return replace(record, origin=Origin.RELISTED)
        found = standing(record, self._progress, backfill=self._backfill(), began=self._began)
        if found is Origin.INITIAL:
            return record  # the reflector and the release share one fact
        told_until = None
        if found is Origin.RELISTED:
            told_until = read_until(self._progress, record.release.namespace)
        return replace(record, origin=found, told_until=told_until)

    def origin_of_beginning(self, record: Record) -> Origin | None:
        """Say what the operation is that made the record of a later one; None: it is known."""
        found = standing_of_beginning(record, self._progress, backfill=self._backfill())
        return None if found is Origin.INITIAL else found

    async def run(self) -> None:
        """Write when there was news, and not more often than once in `pause`."""
        backoff = Backoff(DEFAULT_BACKOFF)
        while True:
            await self._news.wait()
            # HAZARD: cleared before anything is read. News that come meanwhile come again.
            self._news.clear()
            try:
                if self._dirty:  # since when a namespace is observed, before all else
                    await self._save(self._progress)
                await self.advance()
                backoff.reset()
                delay = self._pause
                self.problem = None
            except ApiError as error:
                problem = self._store.explained(error)
                if problem != self.problem:
                    logger.warning("How far the cluster was read cannot be written: %s", problem)
                self.problem = problem
                self.nudge()
                delay = backoff.fail(retry_after=error.retry_after)
            await asyncio.sleep(delay.total_seconds())

    async def advance(self) -> None:
        """Store how far all is in the ledger.

        Raises:
            ApiError: it could not be stored.
        """
        told, entered, at = self._told(), frozenset(self._entered), self._now()
        if told is None:
            self.nudge()
            return
        await self._answered()
        await self._flushed()
        backfill = self._backfill()
        namespaces = {
            name: replace(known, filled_from=_earliest(known, backfill), left=None)
            if name in entered & self._entered
            else known
            for name, known in self._progress.namespaces.items()
        }
        await self._save(
            replace(self._progress, read_to=dict(told), read_at=at, namespaces=namespaces)
        )

    def _having(self, name: str, namespace: ObservedNamespace) -> None:
        namespaces = {**self._progress.namespaces, name: namespace}
        self._progress = replace(self._progress, namespaces=namespaces)
        self._dirty = True
        self.nudge()

    async def _save(self, progress: Progress) -> None:
        before = self._progress
        try:
            stored = await self._store.save_progress(progress)
        except ConflictError:
            # Edited by hand: what is known here is newer.
            current, _ = await self._store.load_progress()
            progress = replace(progress, resource_version=current.resource_version)
            stored = await self._store.save_progress(progress)
        # A namespace may have come or gone meanwhile.
        unchanged = self._progress is before
        self._progress = (
            stored
            if unchanged
            else replace(self._progress, resource_version=stored.resource_version)
        )
        self._dirty = not unchanged
        if not unchanged:
            self.nudge()


def _earliest(known: ObservedNamespace, backfill: timedelta | None) -> datetime:
    """Say how far back a namespace has been told of."""
    if backfill is None:
        return EVER
    return min(known.since - backfill, known.filled_from or known.since)
