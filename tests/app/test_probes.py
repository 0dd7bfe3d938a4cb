import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from helmwake.app.probes import serve_probes
from helmwake.settings.settings import BindAddress

LOOPBACK = BindAddress(host="127.0.0.1", port=0)
PLENTY = 64 * 1024 * 1024


@dataclass
class Served:
    reasons: list[str] = field(default_factory=list)
    port: int = 0
    scrapes: int = 0
    size: int = 10
    wait: asyncio.Event = field(default_factory=asyncio.Event)

    async def metrics(self, _: web.Request) -> web.StreamResponse:
        self.scrapes += 1
        await self.wait.wait()
        return web.Response(body=b"x" * self.size)

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}") as response,
        ):
            return response.status, await response.text()


@asynccontextmanager
async def serve(*, size: int = 10) -> AsyncIterator[Served]:
    served = Served(size=size)
    served.wait.set()
    async with serve_probes(
        LOOPBACK, not_ready=lambda: served.reasons, metrics=served.metrics
    ) as address:
        served.port = address.port
        yield served


async def test_a_turning_loop_is_alive_whatever_else_is_wrong() -> None:
    async with serve() as served:
        served.reasons.append("the apiserver is away")

        assert await served.get("/livez") == (200, "ok\n")


async def test_ready_until_there_is_a_reason_why_not() -> None:
    async with serve() as served:
        assert await served.get("/readyz") == (200, "ok\n")

        served.reasons += ["secrets: not listed yet", "deployments: silent for 200 s"]
        expected = "secrets: not listed yet\ndeployments: silent for 200 s\n"
        assert await served.get("/readyz") == (503, expected)

        served.reasons.clear()
        assert await served.get("/readyz") == (200, "ok\n")


async def test_metrics_come_from_the_given_handler() -> None:
    async with serve() as served:
        assert await served.get("/metrics") == (200, "x" * 10)


async def test_nothing_else_is_served() -> None:
    async with serve() as served:
        assert (await served.get("/"))[0] == 404


async def test_a_scrape_that_hangs_up_half_way_is_harmless() -> None:
    async with serve(size=PLENTY) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readexactly(1000)
        writer.transport.abort()

        assert await served.get("/livez") == (200, "ok\n")
        assert served.scrapes == 1


async def test_a_scrape_that_hangs_up_before_its_answer_is_harmless() -> None:
    async with serve() as served:
        served.wait.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        while not served.scrapes:
            assert await served.get("/livez") == (200, "ok\n")
        writer.transport.abort()
        served.wait.set()

        assert await served.get("/metrics") == (200, "x" * 10)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"nonsense\r\n\r\n",
    ],
    ids=["long line", "long header", "TLS", "nonsense"],
)
async def test_a_request_out_of_bounds_is_refused(request_: bytes) -> None:
    async with serve() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(request_)

        assert (await reader.readline()).startswith(b"HTTP/1.0 400")
        writer.close()
        await writer.wait_closed()
        assert await served.get("/livez") == (200, "ok\n")


async def test_an_address_in_use_is_an_error_at_once() -> None:
    async with serve() as served:
        taken = BindAddress(host="127.0.0.1", port=served.port)
        with pytest.raises(OSError, match="in use"):
            async with serve_probes(taken, not_ready=list, metrics=served.metrics):
                pass


async def test_stopping_does_not_wait_for_a_slow_scrape() -> None:
    async with serve() as served:
        served.wait.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        while not served.scrapes:
            await served.get("/livez")
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 10
    writer.close()
