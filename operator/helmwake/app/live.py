"""What stands behind the tracker's Protocols when there is a cluster."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from helmwake.cluster.api import Api
from helmwake.cluster.errors import ApiError
from helmwake.cluster.payloads import PayloadFetcher, PayloadFetchError
from helmwake.cluster.workloads import WorkloadLister
from helmwake.facts.change import Change
from helmwake.facts.errors import BadObjectError
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.payload import Payload, parse_payload
from helmwake.facts.workloads import Workload, parse_workload
from helmwake.telemetry.metrics import OwnError

logger = logging.getLogger(__name__)


class LiveClock:
    """Wall time. Wakes happen on the running loop."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def wake(self, at: datetime, call: Callable[[], None]) -> None:
        delay = (at - self.now()).total_seconds()
        asyncio.get_running_loop().call_later(max(delay, 0.0), call)


class LivePayloads:
    """Payloads from the cluster. What cannot be read is one log line, and missing."""

    def __init__(self, api: Api, *, failed: Callable[[OwnError], None]) -> None:
        self._failed = failed
        self._fetcher: PayloadFetcher[Payload] = PayloadFetcher(
            api, lambda obj: parse_payload(obj, seen=datetime.now(UTC))
        )

    async def fetch(self, ref: RecordRef) -> Payload | None:
        try:
            return await self._fetcher.fetch(ref)
        except (BadObjectError, PayloadFetchError) as error:
            bad = isinstance(error, BadObjectError)
            self._failed(OwnError.BAD_PAYLOAD if bad else OwnError.NOT_FETCHED)
            logger.warning("%s; the operation is traced without it", error)
            return None


class LiveWorkloads:
    """A consistent list, in namespaces that are observed."""

    def __init__(
        self,
        api: Api,
        *,
        keys: Callable[[], KeptnKeys],
        observes: Callable[[str], bool],
        namespaces_known: asyncio.Event,
        failed: Callable[[OwnError], None],
    ) -> None:
        self._failed = failed
        self._namespaces_known = namespaces_known
        self._lister = WorkloadLister(api)
        self._keys = keys
        self._observes = observes

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...] | None:
        # An operation of an earlier process asks before anything is known.
        await self._namespaces_known.wait()
        if not self._observes(namespace):
            return None

        def reduce(change: Change) -> Workload | None:
            workload = parse_workload(change, keys=self._keys())
            return workload if workload is not None and workload.release == release else None

        try:
            return tuple(await self._lister.list(namespace, reduce))
        except ApiError as error:
            self._failed(OwnError.NOT_LISTED)
            logger.warning("%s: its workloads could not be listed: %s", release, error)
            return None
