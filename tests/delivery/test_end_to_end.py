"""The queue over real transports, through faults and back."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from tests.delivery.peers import (
    answer,
    error,
    grpc_error,
    grpc_peer,
    grpc_taken,
    http_peer,
    span_names,
)
from tests.delivery.traces import make_trace

from helmwake.delivery.outcome import Delivered, Outcome, Poisoned
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.sender import Sender
from helmwake.delivery.target import target_from_environment
from helmwake.delivery.transports import sender_to

TOKEN = "tok-3141592653589793"


def sender_of(url: str, protocol: str) -> Sender:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN}"}
    target = target_from_environment(environ, endpoint=url, protocol=protocol)
    assert target is not None
    return sender_to(target)


@asynccontextmanager
async def running(queue: DeliveryQueue) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Watched(DeliveryQueue):
    """A queue whose state can be waited for."""

    def __init__(self, sender: Sender) -> None:
        self._changed = asyncio.Event()
        super().__init__(sender, on_state=lambda _: self._changed.set())

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers answer in real time, so pauses are of milliseconds."""
    for name in ("FIRST_S", "LAST_S", "REFUSED_FIRST_S", "REFUSED_LAST_S"):
        monkeypatch.setattr(f"helmwake.delivery.backoff.{name}", 0.02)


async def test_http_through_every_fault_each_trace_arrives_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with http_peer() as peer:
        queue, heard = Watched(sender_of(peer.url, "http/protobuf")), list[Outcome]()
        peer.answers.extend(
            [
                answer(302, headers={"Location": "http://localhost:1"}),
                error(401, f"who is {TOKEN}"),
                error(429, "busy", headers={"Retry-After": "0.05"}),
                error(500, "oops"),
                answer(503),
                answer(200),
            ]
        )
        queue.put(make_trace(1, spans=3), heard.append)
        async with running(queue):
            await queue.until(lambda: bool(heard))

    assert heard == [Delivered()]
    assert len(peer.received) == 6
    assert len({received.body for received in peer.received}) == 1
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(queue.state)


async def test_grpc_through_every_fault_each_trace_arrives_once() -> None:
    async with grpc_peer() as peer:
        queue, heard = Watched(sender_of(f"http://{peer.address}", "grpc")), list[Outcome]()
        peer.answers.extend(
            [
                grpc_error("UNAVAILABLE"),
                grpc_error("UNAUTHENTICATED"),
                grpc_error("RESOURCE_EXHAUSTED", retry_after_s=0.05),
                grpc_error("RESOURCE_EXHAUSTED"),
                grpc_error("INTERNAL"),
                grpc_taken(1, "too old"),
            ]
        )
        queue.put(make_trace(1, spans=3), heard.append)
        async with running(queue):
            await queue.until(lambda: bool(heard))

    assert heard == [Delivered(rejected=1, message="too old")]
    assert len(peer.received) == 6


async def test_grpc_poison_is_found_among_good_traces() -> None:
    async with grpc_peer() as peer:
        queue, heard = Watched(sender_of(f"http://{peer.address}", "grpc")), dict[int, Outcome]()
        # Both; then each alone.
        peer.answers.extend([grpc_error("INVALID_ARGUMENT", "bad"), grpc_taken()])
        peer.answers.append(grpc_error("INVALID_ARGUMENT", "bad"))
        for number in (1, 2):
            queue.put(make_trace(number), partial(heard.__setitem__, number))
        async with running(queue):
            await queue.until(lambda: len(heard) == 2)

    assert heard[1] == Delivered()
    assert isinstance(heard[2], Poisoned)


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_a_backend_that_was_away_gets_everything_once_it_is_back(protocol: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    queue = Watched(sender_of(f"http://localhost:{port}", protocol))
    for number in range(1, 6):
        queue.put(make_trace(number, spans=300))
    async with running(queue):
        await queue.until(lambda: queue.state.last_error is not None)
        assert not queue.state.delivering
        if protocol == "grpc":
            async with grpc_peer(port=port) as grpc:
                await queue.until(lambda: not queue.state.waiting_traces)
                names = [name for received in grpc.received for name in span_names(received)]
        else:
            async with http_peer(port=port) as http:
                await queue.until(lambda: not queue.state.waiting_traces)
                names = [name for received in http.received for name in span_names(received)]

    assert sorted(name for name in names if name.startswith("upgrade")) == [
        f"upgrade shop/cart-{number}" for number in range(1, 6)
    ]
    assert len(names) == 1500


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_another_transport_takes_over_live(protocol: str) -> None:
    async with grpc_peer() as grpc, http_peer() as http:
        urls = {"grpc": f"http://{grpc.address}", "http/protobuf": http.url}
        other = "grpc" if protocol == "http/protobuf" else "http/protobuf"
        queue = Watched(sender_of("http://localhost:1", other))
        queue.put(make_trace(1))
        async with running(queue):
            await queue.until(lambda: queue.state.last_error is not None)
            queue.retarget(sender_of(urls[protocol], protocol))
            await queue.until(lambda: queue.state.delivered_traces == 1)

    assert len(grpc.received) + len(http.received) == 1
