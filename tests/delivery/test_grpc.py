"""OTLP over gRPC, against a real server."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import grpc.aio  # type: ignore[import-untyped]
import pytest
from tests.delivery.certificates import Certificates
from tests.delivery.peers import (
    GrpcAnswer,
    GrpcPeer,
    grpc_error,
    grpc_hang,
    grpc_peer,
    grpc_taken,
    http_peer,
    span_names,
)
from tests.delivery.traces import make_trace

from helmwake.delivery.encoding import encode
from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.grpc import GrpcSender
from helmwake.delivery.outcome import (
    Answer,
    Delivered,
    Doubtful,
    Poisoned,
    Refused,
    Retry,
    TooLarge,
)
from helmwake.delivery.target import Compression, OtlpTarget, Protocol
from helmwake.telemetry.readable import SCOPE_VERSION

TOKEN = "tok-3141592653589793"
REQUEST = encode(make_trace(1))


@pytest.fixture
async def peer() -> AsyncIterator[GrpcPeer]:
    async with grpc_peer() as peer:
        yield peer


def target_of(address: str, *, insecure: bool = True) -> OtlpTarget:
    return OtlpTarget(
        protocol=Protocol.GRPC,
        endpoint=address,
        headers={"authorization": f"Bearer {TOKEN}", "x-tenant": "shop"},
        insecure=insecure,
    )


async def send(target: OtlpTarget, request: bytes = REQUEST) -> Answer:
    sender = GrpcSender(target)
    try:
        return await sender.send(request)
    finally:
        await sender.close()


async def test_a_request_arrives_whole_with_our_headers(peer: GrpcPeer) -> None:
    assert await send(target_of(peer.address)) == Delivered()

    [received] = peer.received
    assert received.request.SerializeToString(deterministic=True) == REQUEST
    assert span_names(received) == ["upgrade shop/cart-1"]
    assert received.headers["authorization"] == f"Bearer {TOKEN}"
    assert received.headers["x-tenant"] == "shop"
    assert received.headers["user-agent"].startswith(f"helmwake/{SCOPE_VERSION} ")


async def test_a_request_can_be_packed(peer: GrpcPeer) -> None:
    target = replace(target_of(peer.address), compression=Compression.GZIP)

    assert await send(target) == Delivered()

    assert span_names(peer.received[0]) == ["upgrade shop/cart-1"]


@pytest.mark.parametrize(
    ("given", "means"),
    [
        (grpc_taken(3, "too old"), Delivered(rejected=3, message="too old")),
        (grpc_taken(0, "slow down"), Delivered(message="slow down")),
        (grpc_error("UNAVAILABLE", "busy"), Retry(why="UNAVAILABLE: busy")),
        (
            grpc_error("UNAVAILABLE", "busy", retry_after_s=7.5),
            Retry(why="UNAVAILABLE: busy", after_s=7.5),
        ),
        (
            grpc_error("RESOURCE_EXHAUSTED", "quota", retry_after_s=3),
            Retry(why="RESOURCE_EXHAUSTED: quota", after_s=3),
        ),
        (
            grpc_error("RESOURCE_EXHAUSTED", "quota", retry_after_s=0),
            Retry(why="RESOURCE_EXHAUSTED: quota", after_s=0),
        ),
        (grpc_error("RESOURCE_EXHAUSTED", "quota"), Doubtful(why="RESOURCE_EXHAUSTED: quota")),
        (
            grpc_error("INVALID_ARGUMENT", "bad\ndata"),
            Poisoned(why="INVALID_ARGUMENT: bad data"),
        ),
        (grpc_error("UNAUTHENTICATED", "who"), Refused(why="UNAUTHENTICATED: who")),
        (grpc_error("PERMISSION_DENIED", "no"), Refused(why="PERMISSION_DENIED: no")),
        (grpc_error("INTERNAL", "oops"), Doubtful(why="INTERNAL: oops")),
    ],
)
async def test_answers(peer: GrpcPeer, given: GrpcAnswer, means: Answer) -> None:
    peer.answers.append(given)

    got = await send(target_of(peer.address))

    if not isinstance(means, Delivered):
        means = replace(means, why=f"{peer.address}: {means.why}")
    assert got == means


async def test_details_that_cannot_be_read_are_as_none(peer: GrpcPeer) -> None:
    async def give(context: grpc.aio.ServicerContext) -> None:
        broken = (("grpc-status-details-bin", b"\xff\xff\xff"),)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "busy", broken)

    peer.answers.append(give)  # type: ignore[arg-type] # it never returns

    assert await send(target_of(peer.address)) == Retry(why=f"{peer.address}: UNAVAILABLE: busy")


async def test_a_request_over_the_servers_limit_is_too_large(peer: GrpcPeer) -> None:
    """GRPC servers take 4 MiB, and word their refusal as our table expects it."""
    got = await send(target_of(peer.address), encode(make_trace(1, padding=5 * 1024 * 1024)))

    assert isinstance(got, TooLarge)


async def test_an_answer_that_does_not_come_is_a_timeout(peer: GrpcPeer) -> None:
    peer.answers.append(grpc_hang)

    got = await send(replace(target_of(peer.address), timeout_s=0.2))

    assert got == Retry(why=f"{peer.address}: no answer within 0.2 s")


async def test_a_refused_connection_is_retried_and_a_later_one_delivers_at_once() -> None:
    """GRPC's own back-off must not hold us up once the backend is back."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sender = GrpcSender(target_of(f"localhost:{port}"))

    away = [await sender.send(REQUEST) for _ in range(3)]
    async with grpc_peer(port=port):
        back = await sender.send(REQUEST)
    await sender.close()

    assert all(isinstance(each, Retry) for each in away)
    assert back == Delivered()


async def test_a_dead_connection_is_not_used_again(peer: GrpcPeer) -> None:
    """A connection that was lost in silence looks alive: the deadline is all one sees."""
    peer.answers.append(grpc_hang)
    sender = GrpcSender(replace(target_of(peer.address), timeout_s=0.5))
    await sender.send(REQUEST)
    assert sender._channel is None

    assert await sender.send(REQUEST) == Delivered()
    await sender.close()


async def test_an_endpoint_that_speaks_http_delivers_nothing() -> None:
    async with http_peer() as peer:
        got = await send(target_of(peer.url.removeprefix("http://")))

    assert isinstance(got, Retry | Refused | Doubtful)


async def test_another_service_at_the_endpoint_is_a_matter_of_configuration() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("localhost:0")
    await server.start()

    got = await send(target_of(f"localhost:{port}"))

    await server.stop(None)
    assert isinstance(got, Refused)
    assert "UNIMPLEMENTED" in got.why


def server_credentials(certificates: Certificates, *, mutual: bool = False) -> object:
    pair = (certificates.server_key.read_bytes(), certificates.server.read_bytes())
    credentials: object = grpc.ssl_server_credentials(
        [pair],
        root_certificates=certificates.authority.read_bytes() if mutual else None,
        require_client_auth=mutual,
    )
    return credentials


async def test_tls_with_an_authority_of_ones_own(certificates: Certificates) -> None:
    async with grpc_peer(server_credentials(certificates)) as peer:
        target = replace(
            target_of(peer.address, insecure=False), certificate=str(certificates.authority)
        )

        assert await send(target) == Delivered()
        assert peer.received[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_server_that_is_not_trusted_is_a_matter_of_configuration(
    certificates: Certificates,
) -> None:
    async with grpc_peer(server_credentials(certificates)) as peer:
        target = target_of(peer.address, insecure=False)
        got = await send(replace(target, certificate=str(certificates.other_authority)))

        assert not peer.received

    assert isinstance(got, Refused)


async def test_mutual_tls(certificates: Certificates) -> None:
    async with grpc_peer(server_credentials(certificates, mutual=True)) as peer:
        target = replace(
            target_of(peer.address, insecure=False), certificate=str(certificates.authority)
        )
        ours = replace(
            target,
            client_certificate=str(certificates.client),
            client_key=str(certificates.client_key),
        )

        assert await send(ours) == Delivered()
        without = await send(replace(target, timeout_s=1))

    assert isinstance(without, Retry | Refused)


def test_a_file_that_cannot_be_used_is_named(certificates: Certificates) -> None:
    target = target_of("localhost:1", insecure=False)

    with pytest.raises(BadTargetError, match=r"certificate .*server.key: is no usable PEM"):
        GrpcSender(replace(target, certificate=str(certificates.server_key)))


async def test_a_send_can_be_cancelled_and_the_next_one_works(peer: GrpcPeer) -> None:
    peer.answers.append(grpc_hang)
    sender = GrpcSender(target_of(peer.address))
    for patience_s in (0, 0.3):  # before it left, and while waiting for the answer
        task = asyncio.create_task(sender.send(REQUEST))
        await asyncio.sleep(patience_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    peer.answers.clear()
    assert await sender.send(REQUEST) == Delivered()
    await sender.close()


async def test_giving_up_a_dead_connection_can_be_cancelled(peer: GrpcPeer) -> None:
    peer.answers.extend([grpc_error("UNAVAILABLE")] * 20)
    sender = GrpcSender(target_of(peer.address))
    for ticks in range(20):
        task = asyncio.create_task(sender.send(REQUEST))
        for _ in range(ticks):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
    peer.answers.clear()

    assert await sender.send(REQUEST) == Delivered()
    await sender.close()


async def test_a_backend_that_echoes_our_token_does_not_make_us_tell_it(
    peer: GrpcPeer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.answers.append(grpc_error("UNAUTHENTICATED", f"invalid token Bearer {TOKEN}"))
    sender = GrpcSender(target_of(peer.address))

    got = await sender.send(REQUEST)
    await sender.close()

    assert got == Refused(why=f"{peer.address}: UNAUTHENTICATED: invalid token ***")
    assert TOKEN not in repr(sender)
    assert TOKEN not in caplog.text
