"""From ReleaseObservers as they are seen to settings in force, and to their statuses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from helmwake.app.observer.status import (
    IN_FORCE,
    NOT_DEFAULT,
    DeliveryState,
    Readiness,
    invalid,
    make_status,
    not_applied,
)
from helmwake.cluster.errors import NotFoundError
from helmwake.settings import crd
from helmwake.settings.errors import BadSettingsError
from helmwake.settings.sources import ObserverOverrides, parse_observer

# Puts into force what the resource sets; None: there is no resource. It may raise
# BadSettingsError to refuse, and then what was in force before stays so.
Apply = Callable[[ObserverOverrides | None], Awaitable[None]]
NOT_TAKEN: Final = -1
logger = logging.getLogger(__name__)


class StatusWriter(Protocol):
    async def write_status(self, name: str, status: Mapping[str, Any]) -> None:
        """Merge into the status of one. Raises ApiError."""


@dataclass(slots=True, kw_only=True)
class _Known:
    uid: str
    generation: int
    readiness: Readiness
    # The last one written by us: what is seen may be older than that.
    status: Mapping[str, Any] = field(default_factory=dict)


class Reconciler:
    """One call at a time: a change is in force before the next one is looked at."""

    def __init__(
        self,
        *,
        apply: Apply,
        delivery: Callable[[], DeliveryState],
        writer: StatusWriter,
        now: Callable[[], datetime],
    ) -> None:
        self._apply = apply
        self._delivery = delivery
        self._writer = writer
        self._now = now
        self._known: dict[str, _Known] = {}
        self._in_force: ObserverOverrides | None = None
        self._one_at_a_time = asyncio.Lock()

    async def seen(self, resource: Mapping[str, Any]) -> None:
        """Take in one that was listed or has changed."""
        async with self._one_at_a_time:
            await self._seen(resource)

    async def gone(self, resource: Mapping[str, Any]) -> None:
        """Take in that one was deleted."""
        meta = resource["metadata"]
        async with self._one_at_a_time:
            known = self._known.get(meta["name"])
            # One of this name may have been created anew before we hear of the old one's end.
            if known is not None and known.uid == meta["uid"]:
                await self._forget(meta["name"])

    async def listed(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take in a whole list: what is not in it was deleted while nobody watched."""
        by_name = {each["metadata"]["name"]: each for each in resources}
        async with self._one_at_a_time:
            for name in self._known.keys() - by_name.keys():
                await self._forget(name)
            for resource in by_name.values():
                await self._seen(resource)

    async def write_statuses(self) -> None:
        """Write what is not written yet; nothing at all where nothing has changed.

        Raises:
            ApiError: of the first that could not be written. Call again later.
        """
        # Not under the lock: a slow apiserver must not hold up a change of settings.
        for name, known in list(self._known.items()):
            if known.generation == NOT_TAKEN:
                continue
            status = make_status(
                previous=known.status,
                generation=known.generation,
                readiness=known.readiness,
                delivery=None if known.readiness is NOT_DEFAULT else self._delivery(),
                now=self._now(),
            )
            if status == known.status:
                continue
            try:
                await self._writer.write_status(name, status)
            except NotFoundError:
                continue  # its deletion is on the way to us
            known.status = {key: value for key, value in status.items() if value is not None}

    async def _seen(self, resource: Mapping[str, Any]) -> None:
        meta = resource["metadata"]
        name, uid, generation = meta["name"], meta["uid"], meta.get("generation", 0)
        known = self._known.get(name)
        if known is None or known.uid != uid:
            known = _Known(uid=uid, generation=NOT_TAKEN, readiness=IN_FORCE)
            known.status = resource.get("status") or {}
            self._known[name] = known
        # Our own write of a status comes back as a change, too.
        if generation <= known.generation:
            return
        known.readiness = await self._take(resource) if name == crd.NAME else NOT_DEFAULT
        known.generation = generation

    async def _take(self, resource: Mapping[str, Any]) -> Readiness:
        try:
            await self._put_in_force(parse_observer(resource))
        except BadSettingsError as error:
            logger.warning("ReleaseObserver %s is not valid: %s", crd.NAME, error)
            return invalid(str(error))
        except Exception as error:
            # Whoever edits it next may mend it; the operator goes on with what it has.
            logger.exception("ReleaseObserver %s could not be put in force", crd.NAME)
            return not_applied(error)
        return IN_FORCE

    async def _forget(self, name: str) -> None:
        del self._known[name]
        if name == crd.NAME:
            try:
                await self._put_in_force(None)
            except Exception:
                logger.exception("flags and environment could not be put in force")

    async def _put_in_force(self, overrides: ObserverOverrides | None) -> None:
        if overrides == self._in_force:
            return
        await self._apply(overrides)
        self._in_force = overrides
        what = "is gone: flags and environment hold" if overrides is None else "is in force"
        logger.info("ReleaseObserver %s %s", crd.NAME, what)
