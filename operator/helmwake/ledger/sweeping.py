"""Keeps the ledger within its limits: once an hour it removes what is too old or too many."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.cluster.errors import ApiError, ForbiddenError
from helmwake.cluster.listing import list_pages
from helmwake.cluster.writing import LedgerApi
from helmwake.facts.errors import BadObjectError
from helmwake.ledger.resource import RELEASE_TRACES, delete_options
from helmwake.ledger.retention import Kept, RetentionLimits, parse_kept, removable

logger = logging.getLogger(__name__)
HOUR: Final = timedelta(hours=1)
# A start has enough to list already; and one that is soon followed by another sweeps nothing.
FIRST: Final = timedelta(minutes=1)
# So many new entries are worth a look before the hour is over,
MANY: Final = 200
# but while history is filled in, they come every second.
PAUSE: Final = timedelta(minutes=1)
DELETIONS_AT_ONCE: Final = 4
# It is gone already, or another one has its name by now.
SETTLED: Final = frozenset({404, 409})


class Sweeper:
    """Lists the metadata of all entries, and deletes what `removable` names.

    `limits` is asked at each sweep, so that a change of settings applies from then on. Nothing
    that fails here stops it: it is tried again at the next sweep.
    """

    def __init__(
        self,
        api: LedgerApi,
        namespace: str,
        *,
        limits: Callable[[], RetentionLimits],
        now: Callable[[], datetime],
        every: timedelta = HOUR,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers in [0, 1)."""
        self._api = api
        self._entries = replace(RELEASE_TRACES, metadata_only=True).within(namespace)
        self._limits = limits
        self._now = now
        self._every = every
        self._jitter = jitter
        self._new = 0
        self._many = asyncio.Event()

    def nudge(self) -> None:
        """Tell it of a new entry."""
        self._new += 1
        if self._new >= MANY:
            self._many.set()

    async def run(self) -> None:
        """Sweep for ever."""
        await asyncio.sleep(self._a_little_less(FIRST))
        while True:
            await self._sweep_or_say_why()
            await asyncio.sleep(PAUSE.total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._a_little_less(self._every - PAUSE)):
                    await self._many.wait()

    async def sweep(self) -> int:
        """Remove what is removable now, and return how many entries that were.

        Raises:
            ApiError: the ledger cannot be listed, or one of its entries not be removed.
        """
        self._new = 0
        self._many.clear()
        entries = [each async for each in self._list()]
        leaving = removable(entries, limits=self._limits(), now=self._now())
        await self._remove(leaving)
        return len(leaving)

    async def _sweep_or_say_why(self) -> None:
        try:
            count = await self.sweep()
        except ApiError as error:
            logger.warning("%s; what is too old stays until the next sweep", error)
        else:
            if count:
                logger.info("%s: removed %d, too old or too many", self._entries, count)

    async def _list(self) -> AsyncIterator[Kept]:
        async for page in list_pages(self._api, self._entries):
            for item in page.items:
                try:
                    yield parse_kept(item)
                except BadObjectError as bad:
                    logger.warning("%s: %s; stays", self._entries, bad)

    async def _remove(self, leaving: Iterable[Kept]) -> None:
        waiting = deque(leaving)
        errors: list[ApiError] = []

        async def work() -> None:
            while waiting:
                entry = waiting.popleft()
                try:
                    await self._delete(entry)
                except ApiError as error:
                    errors.append(error)
                    # The others would fare alike; what is said of this one alone stops none.
                    if error.transient or isinstance(error, ForbiddenError):
                        waiting.clear()

        async with asyncio.TaskGroup() as group:
            for _ in range(DELETIONS_AT_ONCE):
                group.create_task(work())
        if errors:
            raise errors[0]

    async def _delete(self, entry: Kept) -> None:
        path = f"{self._entries.path}/{entry.name}"
        try:
            # Not another one that was created under this name after the list.
            await self._api.send("DELETE", path, delete_options(entry.uid))
        except ApiError as error:
            if error.status not in SETTLED:
                raise

    def _a_little_less(self, time: timedelta) -> float:
        """Give seconds; replicas and clusters that start together do not sweep together."""
        return time.total_seconds() * (1 - self._jitter() / 10)
