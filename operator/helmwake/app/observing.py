"""What observes: reflectors, mailboxes, and how far the cluster was read."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from helmwake.app.books import Books
from helmwake.app.in_force import InForce
from helmwake.app.live import LiveClock, LivePayloads, LiveWorkloads
from helmwake.app.replay import CLUSTER_NAMESPACE
from helmwake.app.watching import Watching
from helmwake.app.watermark import Watermark
from helmwake.cluster.api import Api
from helmwake.cluster.credentials import utc_now
from helmwake.facts.namespaces import Namespace
from helmwake.facts.parsing import Observed
from helmwake.ledger.store import Bad
from helmwake.lifecycle.operation import Operation
from helmwake.settings.settings import Settings
from helmwake.telemetry.metrics import OwnError
from helmwake.telemetry.traces import Cluster
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


class Observation:
    """Wired when the ledger has been read: what ran before is there before anything is listed."""

    def __init__(self, *, api: Api, books: Books, force: InForce, settings: Settings) -> None:
        self.tracker: Tracker | None = None
        self._api = api
        self._books = books
        self._force = force
        self._settings = settings
        self._watching: Watching | None = None
        self._watermark: Watermark | None = None

    def not_ready(self) -> Sequence[str]:
        """Say for each part that is behind what keeps it."""
        reasons = self._books.not_ready()
        return reasons if self._watching is None else [*reasons, *self._watching.not_ready()]

    async def settle(self) -> None:
        """Wait until all that was asked for has been answered, and note how far that was.

        Raises:
            ApiError: it cannot be noted; the next process finds the rest once more.
        """
        if self.tracker is not None and self._watermark is not None:
            await self.tracker.settled()
            await self._watermark.advance()

    async def observe(self, tasks: asyncio.TaskGroup) -> None:
        """Read the ledger, go on where it stands, and begin to watch."""
        remembered = await self._books.remembered()
        watching = Watching(
            self._api,
            namespaces=self._settings.watch_namespaces,
            keys=lambda: self._force.keys,
            take=lambda fact: self._take(fact, scope),
            failed=self._books.outlet.failed,
            before=[*remembered.records, *remembered.namespaces],
        )
        tracker = Tracker(
            tasks=tasks,
            payloads=LivePayloads(self._api, failed=self._books.outlet.failed),
            workloads=LiveWorkloads(
                self._api,
                keys=lambda: self._force.keys,
                observes=lambda name: scope.observes(name),  # noqa: PLW0108  # made below
                namespaces_known=watching.namespaces_known,
                failed=self._books.outlet.failed,
            ),
            operations=self._books.outlet,
            past=self._books.memory,
            clock=LiveClock(),
            limits=self._force.limits,
            failed=lambda: self._books.outlet.failed(OwnError.NOT_APPLIED),
        )
        watermark = Watermark(
            remembered.progress,
            self._books.store,
            backfill=self._backfill,
            told=watching.told,
            answered=tracker.answered,
            flushed=self._books.writer.flushed,
            now=utc_now,
        )
        watermark.rebuild(remembered.lost)
        scope = Scope(
            tracker,
            selector=None if self._settings.watch_namespaces else self._force.selector,
            known=watching,
            history=watermark,
        )
        self._force.follow(tracker, scope)
        self._books.follow(watermark)
        self._watching, self._watermark, self.tracker = watching, watermark, tracker
        for name in self._settings.watch_namespaces:
            watermark.entered(name, uid="")
        # HAZARD: before any reflector's start, which tells what became of it.
        elsewhere = [each for each in remembered.operations if not self._asks_for(each)]
        for operation in elsewhere:  # that namespace was named no more at this start
            self._books.outlet.given_up(operation)
        tracker.restore(
            [each for each in remembered.operations if self._asks_for(each)],
            origin_of_beginning=watermark.origin_of_beginning,
        )
        for reflector in watching.reflectors:
            tasks.create_task(reflector.run(), name=f"reflector {reflector.resource}")
            # The namespaces come first: a record of one that is not known to be observed is
            # passed over, and of a release with a gap all of it must be seen at once.
            await watching.namespaces_known.wait()
        tasks.create_task(watermark.run(), name="watermark")
        if remembered.bad:
            tasks.create_task(self._leave_alone(remembered.bad), name="what cannot be read")

    async def _leave_alone(self, bad: Sequence[Bad]) -> None:
        """See what became of entries that could not be read, once all else has been."""
        if self._watching is None or self.tracker is None:
            return
        for reflector in self._watching.reflectors:
            await reflector.synced_event.wait()
        await self.tracker.answered()
        await self._books.writer.flushed()
        for each in bad:
            await self._books.memory.leave_alone(each)

    def _asks_for(self, operation: Operation) -> bool:
        named = self._settings.watch_namespaces
        return not named or operation.release.namespace in named

    def _take(self, fact: Observed, scope: Scope) -> None:
        if isinstance(fact, Namespace) and fact.name == CLUSTER_NAMESPACE:
            self._force.cluster = Cluster(uid=fact.uid, name=self._force.cluster.name)
        scope.take(fact)

    def _backfill(self) -> timedelta | None:
        return self._force.backfill
