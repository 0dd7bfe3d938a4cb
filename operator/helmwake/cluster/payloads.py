"""The content of Helm's records, of which the reflector sees only the metadata."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from helmwake.cluster.api import Api
from helmwake.cluster.errors import ApiError, BadAnswerError, NotFoundError
from helmwake.cluster.resources import HELM_CONFIG_MAPS, HELM_SECRETS, Resource
from helmwake.cluster.retry import DEFAULT_RETRY, RetryPolicy, retrying
from helmwake.cluster.sharing import SharedCalls
from helmwake.facts.identity import Driver, RecordRef

P = TypeVar("P")

MIB: Final = 1 << 20
# etcd takes 1.5 MiB by default; this is for those who raised it.
MAX_RECORD_BYTES: Final = 8 * MIB
CONCURRENCY: Final = 8
RESOURCE_OF: Final[Mapping[Driver, Resource]] = {
    Driver.SECRET: HELM_SECRETS,
    Driver.CONFIG_MAP: HELM_CONFIG_MAPS,
}


class PayloadFetchError(Exception):
    """A record that is there, as far as we know, and could not be read."""

    def __init__(self, ref: RecordRef, cause: ApiError) -> None:
        self.ref = ref
        self.cause = cause
        super().__init__(f"{ref.namespace}/{ref.name}: the payload was not fetched: {cause}")


class PayloadFetcher(Generic[P]):
    """Fetches records, each (uid, resourceVersion) once for all who ask while it is under way.

    `decode` makes of the whole object what is kept; the object is dropped.
    """

    def __init__(
        self,
        api: Api,
        decode: Callable[[Mapping[str, Any]], P],
        *,
        concurrency: int = CONCURRENCY,
        max_bytes: int = MAX_RECORD_BYTES,
        policy: RetryPolicy = DEFAULT_RETRY,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._api = api
        self._decode = decode
        self._slots = asyncio.Semaphore(concurrency)
        self._max_bytes = max_bytes
        self._policy = policy
        self._jitter = jitter
        self._shared: SharedCalls[tuple[str, str], P | None] = SharedCalls()

    async def fetch(self, ref: RecordRef) -> P | None:
        """Give the decoded payload; None if the record is gone, or another one has its name.

        It may be of a later version than `ref`: the API has no older ones.

        Raises:
            PayloadFetchError: it could not be read; transient errors were retried.
            PayloadError: from `decode`; so is any other error of it.

        """
        return await self._shared.get((ref.uid, ref.resource_version), lambda: self._fetch(ref))

    async def _fetch(self, ref: RecordRef) -> P | None:
        try:
            record = await retrying(
                lambda: self._read(ref), policy=self._policy, jitter=self._jitter
            )
        except NotFoundError:
            return None
        except ApiError as error:
            raise PayloadFetchError(ref, error) from error
        if record["metadata"].get("uid") != ref.uid:
            return None
        return self._decode(record)

    async def _read(self, ref: RecordRef) -> dict[str, Any]:
        resource = RESOURCE_OF[ref.driver].within(ref.namespace)
        path = f"{resource.path}/{ref.name}"
        # A slot is held for one attempt: who waits to try again is in nobody's way.
        async with self._slots:
            record = await self._api.get(path, max_bytes=self._max_bytes)
        if not isinstance(record, dict) or not isinstance(record.get("metadata"), dict):
            raise BadAnswerError(f"GET {path}", reason="the answer is not an object")
        return record
