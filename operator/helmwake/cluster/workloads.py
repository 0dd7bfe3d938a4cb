"""A release's workloads as they are at one moment."""

import logging
import random
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from helmwake.cluster.api import Api
from helmwake.cluster.credentials import utc_now
from helmwake.cluster.errors import GoneError
from helmwake.cluster.known import Known, Relisting
from helmwake.cluster.listing import list_pages
from helmwake.cluster.resources import DEPLOYMENTS, Resource
from helmwake.cluster.retry import DEFAULT_RETRY, RetryPolicy, retrying
from helmwake.facts.change import Change, Origin

T = TypeVar("T")
logger: Final = logging.getLogger(__name__)
WORKLOADS: Final = (DEPLOYMENTS,)


class WorkloadLister:
    """Lists what Helm manages in a namespace, at least as new as the moment of asking."""

    def __init__(
        self,
        api: Api,
        *,
        resources: tuple[Resource, ...] = WORKLOADS,
        policy: RetryPolicy = DEFAULT_RETRY,
        now: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._api = api
        self._resources = resources
        self._policy = policy
        self._now = now
        self._jitter = jitter

    async def list(self, namespace: str, reduce: Callable[[Change], T | None]) -> list[T]:
        """Give the facts of all workloads that `reduce` does not ignore.

        Raises:
            ApiError: there is no list; transient errors were retried.

        """
        facts: list[T] = []
        for resource in self._resources:
            facts += await retrying(
                partial(self._read, resource.within(namespace), reduce),
                policy=self._policy,
                jitter=self._jitter,
                also=(GoneError,),  # a page token that ran out: the list starts again
            )
        return facts

    async def _read(self, resource: Resource, reduce: Callable[[Change], T | None]) -> Iterable[T]:
        known: Known[T] = Known(reduce)
        relisting = Relisting(known, origin=Origin.RELISTED)
        async with aclosing(list_pages(self._api, resource)) as pages:
            async for page in pages:
                seen = self._now()
                for item in page.items:
                    relisting.add(item, seen=seen)
        relisting.finish(seen=self._now())
        for bad in relisting.bad:
            # The kind's reflector has counted it and said so.
            logger.debug("%s: %s; ignored", resource, bad)
        return known.facts()
