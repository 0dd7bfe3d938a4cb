"""Reads from the apiserver over aiohttp, as raw as list and watch need it."""

import importlib.metadata
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import aiohttp

from helmwake.cluster.api import JSON, MAX_ANSWER_BYTES, NO_PARAMS
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import (
    AnswerTooLargeError,
    ApiError,
    BadAnswerError,
    BadLineError,
    StreamBrokenError,
    UnauthorizedError,
    UnavailableError,
    error_of_answer,
)
from helmwake.cluster.lines import MAX_LINE_BYTES, LineSplitter
from helmwake.cluster.network import NETWORK_ERRORS, in_words

HTTP_OK: Final = 200
MAX_ERROR_BYTES: Final = 64 * 1024
GET_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=60)
# No limit on reading: a watch may be silent, and who watches knows for how long.
STREAM_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=None)


def user_agent() -> str:
    """Name us in the apiserver's audit log and in its flow control."""
    try:
        return f"helmwake/{importlib.metadata.version('helmwake')}"
    except importlib.metadata.PackageNotFoundError:  # run from the sources
        return "helmwake/0"


class ApiClient:
    """An `Api` over HTTP. Use as a context manager, within the running loop."""

    def __init__(self, credentials: Credentials, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._credentials = credentials
        self._max_line_bytes = max_line_bytes
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": user_agent()},
            # Nobody's cookies decide who we are.
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        accept: str = JSON,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        """Read one answer, as parsed JSON. `max_bytes` counts after HTTP's decompression.

        Raises:
            ApiError: one of its subclasses, by the table in `errors`.

        """
        what = f"GET {path}"
        async with self._request(what, path, params, accept, GET_TIMEOUT) as response:
            return await read_json(what, response, max_bytes=max_bytes)

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str] = NO_PARAMS, accept: str = JSON
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream of lines, raw and of any length up to the cap.

        Raises:
            BadLineError: a line is over the cap. The stream cannot be read further.
            ApiError: on opening, as `get` does; `StreamBrokenError` while reading.

        """
        what = f"WATCH {path}"
        async with self._request(what, path, params, accept, STREAM_TIMEOUT) as response:
            lines = read_lines(what, response, max_line_bytes=self._max_line_bytes)
            try:
                yield lines
            finally:
                await lines.aclose()

    @asynccontextmanager
    async def _request(
        self,
        what: str,
        path: str,
        params: Mapping[str, str],
        accept: str,
        limits: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield a response of 200; given up, not drained, on leaving."""
        response = await self._open(what, path, params, accept, limits)
        try:
            if response.status != HTTP_OK:
                raise await self._refused(what, response)
            yield response
        finally:
            close(response)

    async def _open(
        self,
        what: str,
        path: str,
        params: Mapping[str, str],
        accept: str,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        return await self._exchange(what, "GET", path, {"Accept": accept}, limits, params=params)

    async def _exchange(
        self,
        what: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        limits: aiohttp.ClientTimeout,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        body: bytes | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request as ourselves; give the answer with whatever status it has."""
        authorization = await self._credentials.authorization()
        login = {} if authorization is None else {"Authorization": authorization}
        endpoint = self._credentials.endpoint
        try:
            return await self._session.request(
                method,
                endpoint.server + path,
                params=params,
                headers={**headers, **login},
                data=body,
                timeout=limits,
                # The API never redirects; a login page of some proxy would.
                allow_redirects=False,
                ssl=endpoint.tls,
                server_hostname=endpoint.tls_server_name,
                proxy=endpoint.proxy,
            )
        except aiohttp.ClientSSLError as error:
            # The cluster's CA, or our certificate, may have been renewed on disk.
            self._credentials.doubt()
            raise UnavailableError(
                f"{what} at {endpoint.server}", reason=in_words(error)
            ) from None
        except NETWORK_ERRORS as error:
            # Not chained: aiohttp's errors hold the request, and with it our token.
            raise UnavailableError(
                f"{what} at {endpoint.server}", reason=in_words(error)
            ) from None

    async def _refused(self, what: str, response: aiohttp.ClientResponse) -> ApiError:
        try:
            body = json.loads(await read_body(what, response, max_bytes=MAX_ERROR_BYTES))
        except (ApiError, ValueError, RecursionError):
            body = None  # the status says enough
        error = error_of_answer(
            what,
            status=response.status,
            body=body,
            retry_after=response.headers.get("Retry-After"),
        )
        if isinstance(error, UnauthorizedError):
            self._credentials.doubt()
        return error


def close(response: aiohttp.ClientResponse) -> None:
    """Give up what was not read; a response read to its end has given its connection back.

    Aborted, since TLS's polite goodbye waits for a peer that may be the reason for leaving.
    """
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


async def read_json(what: str, response: aiohttp.ClientResponse, *, max_bytes: int) -> Any:
    """Read a body of at most `max_bytes`, as parsed JSON."""
    body = await read_body(what, response, max_bytes=max_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # Not chained: the parser's error holds the whole text.
        raise BadAnswerError(what, reason="the answer is not JSON") from None


async def read_body(what: str, response: aiohttp.ClientResponse, *, max_bytes: int) -> bytes:
    """Read a body of at most `max_bytes`."""
    pieces: list[bytes] = []
    held = 0
    try:
        async for chunk in response.content.iter_any():
            held += len(chunk)
            if held > max_bytes:
                raise AnswerTooLargeError(
                    what, reason=f"the answer has more than {max_bytes} bytes"
                )
            pieces.append(chunk)
    except NETWORK_ERRORS as error:
        raise UnavailableError(what, reason=in_words(error)) from None
    return b"".join(pieces)


async def read_lines(
    what: str, response: aiohttp.ClientResponse, *, max_line_bytes: int
) -> AsyncGenerator[bytes, None]:
    """Yield the lines of a body as they come; an unfinished last line means a cut."""
    splitter = LineSplitter(max_bytes=max_line_bytes)
    try:
        async for chunk in response.content.iter_any():
            for line in splitter.feed(chunk):
                yield line
    except OverflowError:
        raise BadLineError(what, reason=f"a line has more than {max_line_bytes} bytes") from None
    except NETWORK_ERRORS as error:
        raise StreamBrokenError(what, reason=in_words(error)) from None
    if splitter.rest:
        raise StreamBrokenError(what, reason="cut within a line")
