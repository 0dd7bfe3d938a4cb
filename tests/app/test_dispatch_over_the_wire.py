"""The ledger's entries over real transports, through faults and back."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from helmwake.delivery.sender import Sender
from helmwake.delivery.target import target_from_environment
from helmwake.delivery.transports import sender_to
from helmwake.ledger.entry import State
from tests.app.dispatching import Desk, FakeLedger, make_desk, make_entries, number_of
from tests.delivery.peers import (
    GrpcPeer,
    HttpPeer,
    Received,
    answer,
    error,
    grpc_error,
    grpc_hang,
    grpc_peer,
    grpc_taken,
    hang,
    http_peer,
    span_names,
    took,
)

PROTOCOLS = ["grpc", "http/protobuf"]
TIMEOUT_MS = 300


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers answer in real time, so pauses are of milliseconds."""
    for name in ("FIRST_S", "LAST_S", "REFUSED_FIRST_S", "REFUSED_LAST_S"):
        monkeypatch.setattr(f"helmwake.delivery.backoff.{name}", 0.02)


def sender_at(url: str, protocol: str, *, timeout_ms: int = 10_000) -> Sender:
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": str(timeout_ms)}
    target = target_from_environment(environ, endpoint=url, protocol=protocol)
    assert target is not None
    return sender_to(target)


@asynccontextmanager
async def peer_of(protocol: str, port: int = 0) -> AsyncIterator[HttpPeer | GrpcPeer]:
    if protocol == "grpc":
        async with grpc_peer(port=port) as peer:
            yield peer
    else:
        async with http_peer(port=port) as peer:
            yield peer


def url_of(peer: HttpPeer | GrpcPeer) -> str:
    return peer.url if isinstance(peer, HttpPeer) else f"http://{peer.address}"


def operations(received: list[Received]) -> list[int]:
    """The numbers of the root spans that came, as often as they came."""
    return [
        int(name.rpartition("-")[2])
        for each in received
        for name in span_names(each)
        if name.startswith("upgrade ")
    ]


async def until(desk: Desk, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # nothing tells of all that is waited for here
            await asyncio.sleep(0.01)


def settled(desk: Desk) -> bool:
    return not desk.ledger.of(State.UNDELIVERED)


def ledger_of(count: int) -> FakeLedger:
    ledger = FakeLedger()
    for entry in make_entries(count):
        ledger.store(entry)
    return ledger


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_nothing_is_marked_before_a_backend_has_it(protocol: str) -> None:
    async with peer_of(protocol) as peer:
        marked_at_request = list[int]()
        desk = make_desk(sender_at(url_of(peer), protocol, timeout_ms=TIMEOUT_MS), ledger_of(3))
        if isinstance(peer, HttpPeer):
            busy = error(429, "busy", headers={"Retry-After": "0.05"})
            peer.answers.extend([busy, answer(503), error(500, "oops"), hang, answer(302)])
        else:
            busy_grpc = grpc_error("RESOURCE_EXHAUSTED", retry_after_s=0.05)
            peer.answers.extend([busy_grpc, grpc_error("UNAVAILABLE"), grpc_error("INTERNAL")])
            peer.answers.extend([grpc_hang, grpc_error("UNAUTHENTICATED")])
        async with desk.running():
            while not settled(desk):
                marked_at_request.append(len(desk.ledger.marks) if peer.answers else 0)
                await asyncio.sleep(0.01)

    assert not any(marked_at_request)
    assert desk.ledger.of(State.DELIVERED) == [1, 2, 3]
    assert len(desk.ledger.marks) == 3
    where = {entry.delivered_to for entry in desk.ledger.entries}
    assert where == {desk.queue.answered_by}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_backend_that_hears_and_never_answers_loses_nothing(protocol: str) -> None:
    gone = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    sender = sender_at(f"http://127.0.0.1:{port}", protocol, timeout_ms=TIMEOUT_MS)
    desk = make_desk(sender, ledger_of(20), max_waiting_spans=40)
    async with desk.running():
        await until(desk, lambda: desk.queue.state.last_error is not None)
        assert desk.ledger.of(State.UNDELIVERED) == list(range(1, 21))
        gone.set()
        silent.close()
        await silent.wait_closed()
        async with peer_of(protocol, port) as peer:
            await until(desk, lambda: settled(desk))
            arrived = operations(peer.received)

    assert sorted(arrived) == list(range(1, 21))
    assert desk.queue.peak <= 40


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_backend_that_was_away_gets_what_fits_and_what_did_not(protocol: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    desk = make_desk(
        sender_at(f"http://localhost:{port}", protocol), ledger_of(100), max_waiting_spans=40
    )
    async with desk.running():
        await until(desk, lambda: desk.queue.state.last_error is not None)
        async with peer_of(protocol, port) as peer:
            await until(desk, lambda: settled(desk))
            arrived = operations(peer.received)

    assert sorted(arrived[:10]) == list(range(1, 11))
    assert arrived[10:] == list(range(11, 101))
    assert desk.queue.peak == 40


async def test_slow_answers_are_waited_for_and_nothing_is_sent_twice() -> None:
    async def slowly() -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return took()

    async with http_peer() as peer:
        peer.answers.extend([slowly] * 100)
        desk = make_desk(sender_at(peer.url, "http/protobuf"), ledger_of(60), max_waiting_spans=40)
        async with desk.running():
            await until(desk, lambda: settled(desk))

    assert operations(peer.received) == list(range(1, 61))


async def test_a_poisoned_operation_is_set_aside_with_the_backends_words() -> None:
    async with http_peer() as peer:

        async def judge() -> web.StreamResponse:
            peer.answers.append(judge)
            if 7 in operations(peer.received[-1:]):
                return await error(400, "span 3 is too long")()
            return took()

        peer.answers.append(judge)
        desk = make_desk(sender_at(peer.url, "http/protobuf"), ledger_of(20))
        async with desk.running():
            await until(desk, lambda: settled(desk))

    [aside] = [entry for entry in desk.ledger.entries if entry.state is State.SET_ASIDE]
    assert number_of(aside) == 7
    assert aside.problem is not None
    assert "answered 400 Bad Request: span 3 is too long" in aside.problem
    assert len(desk.ledger.of(State.DELIVERED)) == 19


async def test_a_partial_success_is_no_reason_to_send_again() -> None:
    async with grpc_peer() as peer:
        peer.answers.append(grpc_taken(2, "too old"))
        desk = make_desk(sender_at(url_of(peer), "grpc"), ledger_of(1))
        async with desk.running():
            await until(desk, lambda: settled(desk))

    [entry] = desk.ledger.entries
    assert entry.state is State.DELIVERED
    assert entry.problem == "the backend rejected 2 spans of the request it was sent in: too old"
    assert operations(peer.received) == [1]


async def test_a_new_process_sends_what_the_old_one_could_not_mark_byte_for_byte() -> None:
    ledger = ledger_of(20)
    async with http_peer() as peer:
        old = make_desk(sender_at(peer.url, "http/protobuf"), ledger, put=lambda _: None)
        async with old.running():
            await until(old, lambda: old.queue.state.delivered_traces == 20)
        before = b"".join(received.body for received in peer.received)
        peer.received.clear()
        new = make_desk(sender_at(peer.url, "http/protobuf"), ledger)
        async with new.running():
            await until(new, lambda: settled(new))
        after = b"".join(received.body for received in peer.received)

    assert before == after
    assert len(before) > 20 * 1000
