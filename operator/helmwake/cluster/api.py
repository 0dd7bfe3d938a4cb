"""What this room needs of the apiserver: to read, and nothing else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Any, Final, Protocol

JSON: Final = "application/json"
MIB: Final = 1 << 20
# A page of 500 objects' metadata has under 1 MiB, one of 100 Deployments about as much.
MAX_ANSWER_BYTES: Final = 64 * MIB
NO_PARAMS: Final[Mapping[str, str]] = MappingProxyType({})


class Api(Protocol):
    """A reader of the Kubernetes API. All its errors are `ApiError`s."""

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        accept: str = JSON,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        """Read one answer, as parsed JSON."""

    def stream(
        self, path: str, *, params: Mapping[str, str] = NO_PARAMS, accept: str = JSON
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a stream; entering waits for the server's consent, then lines come as they are.

        An end without an error is the server's own, regular one.
        """
