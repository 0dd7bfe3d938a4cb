"""Keeps what is known of one kind in step with the cluster, for as long as it runs."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Generic, NoReturn, TypeVar

from helmwake.cluster.api import Api
from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff, BackoffPolicy
from helmwake.cluster.credentials import utc_now
from helmwake.cluster.errors import ApiError, BadLineError
from helmwake.cluster.known import Entry, Known, Relisting
from helmwake.cluster.listing import list_pages
from helmwake.cluster.recovery import recovery_after
from helmwake.cluster.resources import Resource
from helmwake.cluster.seen import Seen
from helmwake.cluster.state import ReflectorState
from helmwake.cluster.watch import WatchEvent, watch
from helmwake.facts.change import Change, Origin
from helmwake.facts.errors import BadObjectError

T = TypeVar("T")
logger: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient a reflector is.

    Left alone, servers end a watch after 30 to 60 minutes; up to twice `lifetime` is asked for,
    so that not all watches of a restarted operator end together.
    """

    idle: timedelta = timedelta(minutes=3)
    lifetime: timedelta = timedelta(minutes=10)
    backoff: BackoffPolicy = DEFAULT_BACKOFF


DEFAULT_TIMING: Final = Timing()


class Reflector(Generic[T]):
    """Lists and watches one resource; `emit`s what changes, as facts.

    - `reduce` (pure) makes a fact of an object, or None to ignore it, or raises BadObjectError:
      that is logged and counted, and the reflector goes on.
    - `emit` is called in the order in which changes happened. What a first list has is INITIAL;
      of a later list, only what changed since is told, RELISTED, deletions first, the rest by
      the key `order`; what a watch says is WATCHED.
    - `before` is what an earlier process knew, as (uid, resourceVersion, fact): the first list
      then tells what changed of it and what is gone, as INITIAL too.
    - `on_state` is called when `ready` may have changed; the counters change more often.

    Any other error of these callbacks is a mistake of ours, and ends `run`.
    """

    def __init__(
        self,
        api: Api,
        resource: Resource,
        *,
        reduce: Callable[[Change], T | None],
        emit: Callable[[Seen[T]], None],
        order: Callable[[T], Any] | None = None,
        on_state: Callable[[ReflectorState], None] | None = None,
        before: Iterable[tuple[str, str, T]] = (),
        now: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
        timing: Timing = DEFAULT_TIMING,
    ) -> None:
        self.resource = resource
        self.synced_event = asyncio.Event()
        self._api = api
        self._emit = emit
        self._on_state = on_state
        self._now = now
        self._jitter = jitter
        self._timing = timing
        self._known: Known[T] = Known(reduce, order=order)
        for uid, version, fact in before:
            self._known.entries[uid] = Entry(version, fact)
        self._state = ReflectorState()
        self._backoff = Backoff(timing.backoff, jitter=jitter)
        self._version: str | None = None  # to watch on from; None: list first
        self._told: str | None = None
        self._trust_open = True
        self._met: set[type] = set()  # the ends of lists and watches since a line was heard

    @property
    def state(self) -> ReflectorState:
        return replace(self._state, objects=len(self._known))

    @property
    def told(self) -> str | None:
        """The resource version up to which all was emitted; None before the first list."""
        return self._told

    def facts(self) -> Iterator[T]:
        """Give what is known now, in no order. Nothing may be awaited while it is read."""
        return self._known.facts()

    async def run(self) -> NoReturn:
        """Go on until cancelled."""
        self._set(stale_since=self._now(), failure="not listed yet")
        while True:
            error: ApiError | None = None
            try:
                if self._version is None:
                    self._version = await self._list()
                await self._watch(self._version)
            except ApiError as caught:
                error = caught
            await asyncio.sleep(self._recover(error).total_seconds())

    async def _list(self) -> str:
        """Read the whole list, then tell what is new; give the version to watch from."""
        origin = Origin.RELISTED if self._state.synced else Origin.INITIAL
        relisting = Relisting(self._known, origin=origin)
        version, seen = "", self._now()
        async with aclosing(list_pages(self._api, self.resource)) as pages:
            async for page in pages:
                version, seen = page.version, self._now()
                for item in page.items:
                    relisting.add(item, seen=seen)
        news = relisting.finish(seen=seen)
        for bad in relisting.bad:
            self._count_bad(bad)
        for each in news:
            self._emit(each)
        self._told = version
        self._state = replace(
            self._state,
            lists=self._state.lists + 1,
            relists=self._state.relists + self._state.synced,
            last_heard=seen,
        )
        logger.info(
            "%s: listed %d, of them %d changed", self.resource, len(self._known), len(news)
        )
        self._set(synced=True)
        self.synced_event.set()
        return version

    async def _watch(self, version: str) -> None:
        await watch(
            self._api,
            self.resource,
            version=version,
            lifetime=self._timing.lifetime * (1 + self._jitter()),
            idle=self._timing.idle,
            opened=self._opened,
            heard=self._heard,
        )

    def _opened(self) -> None:
        if self._trust_open:
            self._set(stale_since=None, failure=None)

    def _heard(self, event: WatchEvent) -> None:
        seen = self._now()
        self._version = event.version
        self._backoff.reset()
        self._met.clear()
        self._trust_open = True
        self._state = replace(self._state, last_heard=seen)
        self._set(stale_since=None, failure=None)
        if event.type is not None and event.object is not None:
            self._apply(Change(type=event.type, object=event.object, seen=seen))
        self._told = event.version

    def _apply(self, change: Change) -> None:
        try:
            news = self._known.apply(change)
        except BadObjectError as bad:
            self._count_bad(bad)
            return
        if news is not None:
            self._emit(news)

    def _recover(self, error: ApiError | None) -> timedelta:
        """Note the end of a list or watch; say how long to wait before going on."""
        recovery = recovery_after(error, again=type(error) in self._met)
        self._met.add(type(error))
        self._trust_open = recovery.trust_open
        is_watch_on = self._version is not None and not recovery.relist
        if recovery.relist:
            self._version = None
        self._state = replace(
            self._state,
            watch_restarts=self._state.watch_restarts + is_watch_on,
            bad_lines=self._state.bad_lines + isinstance(error, BadLineError),
        )
        why = str(error) if error else f"WATCH {self.resource.path}: ended with nothing said"
        way = "list" if self._version is None else "watch on"
        if not recovery.wait:
            level = logging.DEBUG if error is None else logging.WARNING
            logger.log(level, "%s: %s; will %s at once", self.resource, why, way)
            return timedelta()
        delay = self._backoff.fail(retry_after=error.retry_after if error else None)
        logger.warning("%s: %s; will %s in %.1f s", self.resource, why, way, delay.total_seconds())
        self._set(stale_since=self._state.stale_since or self._now(), failure=why)
        return delay

    def _count_bad(self, bad: BadObjectError) -> None:
        self._state = replace(self._state, bad_objects=self._state.bad_objects + 1)
        logger.warning("%s: %s; ignored", self.resource, bad)

    def _set(self, **changes: Any) -> None:
        """Change what others are told about at once."""
        before = self._state
        self._state = replace(before, **changes)
        if before.stale_since is not None and self._state.stale_since is None:
            silent = self._now() - before.stale_since
            logger.info("%s: in sync after %s", self.resource, silent)
        if self._on_state is not None and self._state != before:
            self._on_state(self.state)
