"""A proxy before a real apiserver that breaks connections as networks and servers do."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from helmwake.cluster.client import close
from tests.cluster.server import serving

FORWARDED: Final = ("Accept", "Authorization")
GARBAGE: Final = b'{"type":"MODIFIED","object":{"metadata":{"na\xff\n'
FUTURE: Final = "999999999"
WAITING_SECONDS: Final = 15.0


@dataclass(slots=True)
class FaultyProxy:
    """Passes on what it is asked, save for the faults that are set. Plain HTTP towards us."""

    upstream: str
    session: aiohttp.ClientSession
    address: str = ""
    refusal: int | None = None  # the status that everything is answered with
    retry_after: str | None = None
    expired_tokens: int = 0  # pages after the first that are to be refused
    garbled_lines: int = 0  # of the next ones
    future_watches: int = 0  # of the next ones, to start at a version not reached yet
    requests: list[str] = field(default_factory=list)
    _streams: list["Stream"] = field(default_factory=list)

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    def count(self, *, watches: bool) -> int:
        return sum(("watch=1" in each) == watches for each in self.requests)

    def cut_streams(self) -> None:
        """Reset the connections of all watches, within a line if they are just saying one."""
        for stream in self._streams:
            stream.transport.abort()

    def stall_streams(self) -> None:
        """Leave the watches open, and let nothing of them through any more."""
        for stream in self._streams:
            stream.flowing.clear()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        if self.refusal is not None:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.Response(status=self.refusal, headers=headers)
        if self.expired_tokens and "continue" in request.query:
            self.expired_tokens -= 1
            return expired()
        headers = {key: request.headers[key] for key in FORWARDED if key in request.headers}
        query = dict(request.query)
        if self.future_watches and "watch" in query:
            self.future_watches -= 1
            query["resourceVersion"] = FUTURE
        url = self.upstream + request.path
        async with self.session.get(url, params=query, headers=headers) as answer:
            if "watch" not in request.query or answer.status != web.HTTPOk.status_code:
                body = await answer.read()
                return web.Response(
                    body=body, status=answer.status, content_type=answer.content_type
                )
            return await self._pass_stream(request, answer)

    async def _pass_stream(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": answer.content_type})
        await response.prepare(request)
        assert request.transport is not None
        stream = Stream(transport=request.transport)
        self._streams.append(stream)
        try:
            async for line in answer.content:
                await stream.flowing.wait()
                if self.garbled_lines:
                    self.garbled_lines -= 1
                    await response.write(GARBAGE)
                else:
                    # In two pieces: a cut may come between them.
                    await response.write(line[: len(line) // 2])
                    await asyncio.sleep(0)
                    await response.write(line[len(line) // 2 :])
        except ConnectionError:
            pass  # who asked has gone
        finally:
            close(answer)
            self._streams = [each for each in self._streams if each is not stream]
        return response


@dataclass(slots=True)
class Stream:
    transport: asyncio.Transport
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.flowing.set()


def expired() -> web.Response:
    """Answer as the apiserver does when a page token is too old."""
    # Source: k8s.io/apiserver, pkg/storage/continue.go and etcd3/errors.go.
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {"continue": "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"},
        "status": "Failure",
        "reason": "Expired",
        "code": 410,
    }
    return web.Response(status=410, text=json.dumps(status), content_type="application/json")


@asynccontextmanager
async def proxying(upstream: str, tls: ssl.SSLContext) -> AsyncIterator[FaultyProxy]:
    """Run a proxy before `upstream` within the test's loop."""
    connector = aiohttp.TCPConnector(ssl=tls)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        proxy = FaultyProxy(upstream=upstream, session=session)
        async with serving(proxy.handle) as proxy.address:
            yield proxy


def moments() -> Iterator[float]:
    """Give the pauses of a wait for something real to happen."""
    waited = 0.0
    while waited < WAITING_SECONDS:
        yield 0.02
        waited += 0.02
