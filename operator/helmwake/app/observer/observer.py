"""Keeps the settings of the ReleaseObserver in force, whatever happens to the apiserver."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helmwake.app.observer.api import ObserverApi
from helmwake.app.observer.reconciler import Apply, Reconciler
from helmwake.app.observer.status import DeliveryState
from helmwake.app.observer.watch import LISTED, Login, Watch
from helmwake.cluster.backoff import Backoff, BackoffPolicy
from helmwake.cluster.errors import ApiError, NotFoundError

POLICY: Final = BackoffPolicy(first=timedelta(seconds=1), cap=timedelta(seconds=60))
# How often we look at our own delivery's state. It costs no request unless it has changed.
LOOK_EVERY: Final = timedelta(seconds=5)
STEADY_AFTER: Final = 60.0  # seconds; a watch that held so long ended for a new reason
MAX_WORDS: Final = 300
NOT_INSTALLED: Final = (
    "the ReleaseObserver CRD is not installed, so flags and environment hold; "
    "to install it: kubectl apply -k crds/"
)
logger = logging.getLogger(__name__)


class Observer:
    """Watches, applies, tells. Its `run` ends by cancellation alone."""

    def __init__(
        self,
        *,
        login: Login,
        apply: Apply,
        delivery: Callable[[], DeliveryState],
        verbose: bool = False,
        backoff: BackoffPolicy = POLICY,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        """`apply` and `delivery` are called in the loop of `run`."""
        self._login = login
        self._apply = apply
        self._delivery = delivery
        self._verbose = verbose
        self._policy = backoff
        self._look_every = look_every
        self._changed = asyncio.Event()
        self._trouble: str | None = None

    async def run(self) -> None:
        async with ObserverApi(self._login()) as api, asyncio.TaskGroup() as group:
            reconciler = Reconciler(
                apply=self._apply,
                delivery=self._delivery,
                writer=api,
                now=lambda: datetime.now(UTC),
            )
            group.create_task(self._watch(api, reconciler), name="release-observer watch")
            group.create_task(self._tell(reconciler), name="release-observer status")

    async def _watch(self, api: ObserverApi, reconciler: Reconciler) -> None:
        clock = asyncio.get_running_loop().time
        backoff = Backoff(self._policy)
        while True:
            began = clock()
            try:
                await self._list(api, reconciler)
                self._mended()
                await self._follow(api, reconciler)
                reason = "kopf ended"
            except NotFoundError:
                # Its removal took all resources with it.
                await reconciler.listed(())
                reason = NOT_INSTALLED
            except Exception as error:  # noqa: BLE001 - kopf raises anything, and must not end us
                reason = f"ReleaseObservers are not watched: {_in_words(error)}"
            self._say(reason)
            if clock() - began > STEADY_AFTER:
                backoff.reset()
            await asyncio.sleep(backoff.fail().total_seconds())

    async def _list(self, api: ObserverApi, reconciler: Reconciler) -> None:
        await reconciler.listed(await api.list())
        self._changed.set()

    async def _follow(self, api: ObserverApi, reconciler: Reconciler) -> None:
        events: asyncio.Queue[tuple[str | None, Mapping[str, Any]]] = asyncio.Queue()

        async def reconcile() -> None:
            while True:
                kind, resource = await events.get()
                if kind == LISTED:
                    await self._list(api, reconciler)
                elif kind == "DELETED":
                    await reconciler.gone(resource)
                else:
                    await reconciler.seen(resource)
                self._changed.set()

        watch = Watch(
            login=self._login,
            on_event=lambda kind, resource: events.put_nowait((kind, resource)),
            verbose=self._verbose,
        )
        try:
            async with asyncio.TaskGroup() as group:
                reconciling = group.create_task(reconcile())
                await watch.run()
                reconciling.cancel()
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _tell(self, reconciler: Reconciler) -> None:
        """Write statuses when a resource or our delivery has changed, and at no other time."""
        backoff = Backoff(self._policy)
        while True:
            wait = self._look_every.total_seconds()
            self._changed.clear()
            try:
                await reconciler.write_statuses()
                backoff.reset()
            except ApiError as error:
                if not backoff.failures:
                    logger.warning("the status of a ReleaseObserver is not written: %s", error)
                wait = backoff.fail(retry_after=error.retry_after).total_seconds()
                await asyncio.sleep(wait)
                continue
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _say(self, trouble: str) -> None:
        """Log a trouble once, not at each attempt."""
        if trouble != self._trouble:
            self._trouble = trouble
            logger.warning("%s", trouble)

    def _mended(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            logger.info("ReleaseObservers are watched again")


def _in_words(error: Exception) -> str:
    if isinstance(error, ApiError):
        return str(error)
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:MAX_WORDS]
