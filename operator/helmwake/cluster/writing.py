"""Writes to the few objects that are ours, and to nothing else."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

import aiohttp

from helmwake.cluster.api import JSON, MIB, Api
from helmwake.cluster.client import ApiClient, close, read_json
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.resources import Resource

MERGE_PATCH: Final = "application/merge-patch+json"
Method: TypeAlias = Literal["POST", "PATCH", "DELETE"]
# Less than for a list: what is written is small. An admission webhook may take up to 30 s.
SEND_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=45)
# The answer is the object as it was stored.
MAX_STORED_BYTES: Final = 4 * MIB
SUCCESSES: Final = frozenset({200, 201, 202})
# An object's name as the only step of a path, with nothing that leads elsewhere.
OBJECT_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)


class LedgerApi(Api, Protocol):
    """A reader that may also write what is ours."""

    async def send(
        self, method: Method, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Any:
        """Write, and give the object as it is stored then, as parsed JSON.

        Raises:
            ConflictError: the name is taken, or the object has changed meanwhile.
            InvalidError: the object's schema refuses it.
            ApiError: anything else. It may have been written all the same: no answer came.

        """


class NotOursError(RuntimeError):
    """A mistake in this program: it was about to write what it only observes."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"{method} {path} is not for us to write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """What may be written: the objects of one kind in one namespace, or one of them alone."""

    resource: Resource
    name: str | None = None

    def __post_init__(self) -> None:
        if self.resource.namespace is None:
            raise ValueError(f"{self.resource} is to be writable in one namespace, not in all")

    def covers(self, method: Method, path: str, body: Mapping[str, Any]) -> bool:
        """Tell whether a request stays within."""
        collection = self.resource.path
        if path == collection:
            # DELETE of a collection would be an end of everything.
            return method == "POST" and self._means(body.get("metadata", {}).get("name"))
        if not path.startswith(f"{collection}/") or method == "POST":
            return False
        name, _, subresource = path.removeprefix(f"{collection}/").partition("/")
        return self._means(name) and (
            not subresource or (subresource == "status" and method == "PATCH")
        )

    def _means(self, name: object) -> bool:
        if self.name is not None:
            return name == self.name
        return isinstance(name, str) and OBJECT_NAME.fullmatch(name) is not None


class WritingClient(ApiClient):
    """A `LedgerApi` over HTTP.

    RBAC keeps us from writing what is observed; so does this class, where a role is too wide.
    """

    def __init__(self, credentials: Credentials, *, writable: Collection[Writable]) -> None:
        super().__init__(credentials)
        self._writable = tuple(writable)

    async def send(
        self, method: Method, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Any:
        """Write, and give the object as it is stored then, as parsed JSON.

        Raises:
            NotOursError: it is none of what may be written. Nothing was sent.
            ApiError: one of its subclasses, by the table in `errors`.

        """
        if not any(each.covers(method, path, body) for each in self._writable):
            raise NotOursError(method, path)
        what = f"{method} {path}"
        headers = {"Accept": JSON, "Content-Type": content_type}
        data = json.dumps(body, separators=(",", ":")).encode()
        response = await self._exchange(what, method, path, headers, SEND_TIMEOUT, body=data)
        try:
            if response.status not in SUCCESSES:
                raise await self._refused(what, response)
            return await read_json(what, response, max_bytes=MAX_STORED_BYTES)
        finally:
            close(response)
