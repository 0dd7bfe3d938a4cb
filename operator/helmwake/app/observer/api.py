"""The requests about ReleaseObservers, those that kopf does not do for us."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Self

import aiohttp

from helmwake.cluster.client import user_agent
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import ApiError, BadAnswerError, UnavailableError, error_of_answer
from helmwake.settings import crd

PATH: Final = f"/apis/{crd.GROUP}/{crd.VERSION}/{crd.PLURAL}"
MERGE_PATCH: Final = "application/merge-patch+json"
TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=10)
HTTP_ERRORS: Final = 400
HTTP_UNAUTHORIZED: Final = 401


async def open_session(credentials: Credentials) -> aiohttp.ClientSession:
    """Open a session that logs in anew with each request, as tokens are renewed on disk.

    Raises:
        CredentialsError: there are none, or they cannot be read now.
    """
    await credentials.authorization()  # the endpoint is known after it
    endpoint = credentials.endpoint

    async def log_in(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if authorization := await credentials.authorization():
            request.headers["Authorization"] = authorization
        response = await handler(request)
        if response.status == HTTP_UNAUTHORIZED:
            credentials.doubt()
        return response

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=endpoint.tls),
        headers={"User-Agent": user_agent()},
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(log_in,),
        proxy=endpoint.proxy,
    )


async def close_at_once(session: aiohttp.ClientSession) -> None:
    """Close it with all its connections, and give their sockets the turn they need for it."""
    if session.connector is not None:
        await session.connector.close(abort_ssl=True)
    await session.close()
    await asyncio.sleep(0)


class ObserverApi:
    """Reads the list, writes a status. Use as a context manager, within the running loop."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await close_at_once(self._session)

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
            async with self._session.request(
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
