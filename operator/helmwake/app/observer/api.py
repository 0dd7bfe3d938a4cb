"""The requests about ReleaseObservers, those that kopf does not do for us."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self
from weakref import WeakSet

import aiohttp

from helmwake.cluster.client import user_agent
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import ApiError, BadAnswerError, UnavailableError, error_of_answer
from helmwake.settings import crd

PATH: Final = f"/apis/{crd.GROUP}/{crd.VERSION}/{crd.PLURAL}"
MERGE_PATCH: Final = "application/merge-patch+json"
TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=10)
CLOSING_SECONDS: Final = 2.0
HTTP_ERRORS: Final = 400
HTTP_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Connections to the apiserver, and their end."""

    http: aiohttp.ClientSession
    connector: aiohttp.TCPConnector
    sockets: WeakSet[socket.socket]

    async def close(self) -> None:
        """Close everything, and wait until it is: a loop that ends sooner leaks sockets."""
        await self.http.close()
        await self.connector.close(abort_ssl=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                # No event tells when TLS has said goodbye.
                while any(each.fileno() >= 0 for each in self.sockets):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


async def open_session(
    credentials: Credentials, *, on_list: Callable[[], None] | None = None
) -> Session:
    """Open a session that logs in anew with each request, as tokens are renewed on disk.

    `on_list` is called whenever ReleaseObservers were listed over it.

    Raises:
        CredentialsError: there are none, or they cannot be read now.
    """
    await credentials.authorization()  # the endpoint is known after it
    endpoint = credentials.endpoint
    sockets: WeakSet[socket.socket] = WeakSet()

    def make_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        sockets.add(made)
        return made

    async def log_in(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if authorization := await credentials.authorization():
            request.headers["Authorization"] = authorization
        response = await handler(request)
        if response.status == HTTP_UNAUTHORIZED:
            credentials.doubt()
        if on_list is not None and _is_list(request) and response.ok:
            on_list()
        return response

    connector = aiohttp.TCPConnector(ssl=endpoint.tls, socket_factory=make_socket)
    http = aiohttp.ClientSession(
        connector=connector,
        connector_owner=False,  # kopf closes sessions, too; their connections are ours to end
        headers={"User-Agent": user_agent()},
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(log_in,),
        proxy=endpoint.proxy,
    )
    return Session(http=http, connector=connector, sockets=sockets)


def _is_list(request: aiohttp.ClientRequest) -> bool:
    url = request.url
    return request.method == "GET" and url.path.endswith(PATH) and "watch" not in url.query


class ObserverApi:
    """Reads the list, writes a status. Use as a context manager, within the running loop."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def list(self) -> list[dict[str, Any]]:
        """Read all there are.

        Raises:
            NotFoundError: the CRD is not installed.
            ApiError: anything else that went wrong.
        """
        answer = await self._request("GET", PATH)
        items = answer.get("items")
        if not isinstance(items, list):
            raise BadAnswerError(f"GET {PATH}", reason="the answer is no list")
        return items

    async def write_status(self, name: str, status: Mapping[str, Any]) -> None:
        """Merge into the status.

        Raises:
            NotFoundError: the resource is gone.
            ApiError: anything else that went wrong.
        """
        await self._request("PATCH", f"{PATH}/{name}/status", body={"status": status})

    async def _request(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        what = f"{method} {path}"
        try:
            if self._session is None:
                self._session = await open_session(self._credentials)
            async with self._session.http.request(
                method,
                self._credentials.endpoint.server + path,
                json=body,
                headers={"Content-Type": MERGE_PATCH} if body else None,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                if response.status >= HTTP_ERRORS:
                    retry_after = response.headers.get("Retry-After")
                    raise error_of_answer(what, status=response.status, retry_after=retry_after)
                answer = await response.json()
        except ApiError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Not chained: aiohttp's errors hold the request, and with it our token.
            raise UnavailableError(what, reason=type(error).__name__) from None
        if not isinstance(answer, dict):
            raise BadAnswerError(what, reason="the answer is no object")
        return answer
