"""OTLP over HTTP, against a real server."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web
from tests.delivery.certificates import Certificates
from tests.delivery.peers import (
    HttpAnswer,
    HttpPeer,
    answer,
    babbler,
    error,
    hang,
    http_peer,
    span_names,
    took,
)
from tests.delivery.traces import make_trace

from helmwake.delivery.encoding import encode
from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.http import HttpSender
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
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
async def peer() -> AsyncIterator[HttpPeer]:
    async with http_peer() as peer:
        yield peer


def target_of(url: str) -> OtlpTarget:
    return OtlpTarget(
        protocol=Protocol.HTTP_PROTOBUF,
        endpoint=f"{url}/v1/traces",
        headers={"authorization": f"Bearer {TOKEN}", "x-tenant": "shop"},
    )


async def send(target: OtlpTarget, request: bytes = REQUEST) -> Answer:
    sender = HttpSender(target, now=lambda: NOW)
    try:
        return await sender.send(request)
    finally:
        await sender.close()


async def test_a_request_arrives_whole_with_our_headers(peer: HttpPeer) -> None:
    assert await send(target_of(peer.url)) == Delivered()

    [received] = peer.received
    assert received.path == "/v1/traces"
    assert received.body == REQUEST
    assert span_names(received) == ["upgrade shop/cart-1"]
    headers = received.headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-tenant"] == "shop"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["user-agent"] == f"helmwake/{SCOPE_VERSION}"
    assert "content-encoding" not in headers


async def test_a_request_can_be_packed(peer: HttpPeer) -> None:
    target = replace(target_of(peer.url), compression=Compression.GZIP)

    assert await send(target) == Delivered()

    [received] = peer.received
    assert received.headers["content-encoding"] == "gzip"
    assert received.body == REQUEST


async def test_connections_are_kept(peer: HttpPeer) -> None:
    sender = HttpSender(target_of(peer.url))
    for _ in range(3):
        await sender.send(REQUEST)
    assert sender._session is not None
    assert sender._session.connector is not None
    assert len(sender._session.connector._conns) == 1
    await sender.close()

    assert await sender.send(REQUEST) == Delivered()  # and a closed one opens again
    await sender.close()


@pytest.mark.parametrize(
    ("given", "means"),
    [
        (answer(200), Delivered()),
        (answer(202, body="ok", kind="text/plain"), Delivered()),
        (answer(204), Delivered()),
        (answer(200, body="{}", kind="application/json"), Delivered()),
        (answer(200, body="[", kind="application/json"), Delivered()),
        (answer(200, body="\xff\xff\xff"), Delivered()),
        (
            answer(
                200,
                body='{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}',
                kind="application/json",
            ),
            Delivered(rejected=2, message="too old"),
        ),
        (
            answer(200, body="<html>Log in</html>", kind="text/html"),
            Refused(why="answered with a web page: is it an OTLP endpoint?"),
        ),
        (
            answer(301, headers={"Location": f"https://b.example/x?key={TOKEN}"}),
            Refused(
                why="answered 301 Moved Permanently: set the endpoint to https://b.example/x "
                "if you trust it"
            ),
        ),
        (answer(304), Refused(why="answered 304 Not Modified")),
        (
            error(400, "bad\ndata"),
            Poisoned(why="answered 400 Bad Request: bad data"),
        ),
        (
            answer(400, body='{"message": "bad data"}', kind="application/json"),
            Poisoned(why="answered 400 Bad Request: bad data"),
        ),
        (
            answer(400, body="speak TLS here", kind="text/plain"),
            Doubtful(why="answered 400 Bad Request: speak TLS here"),
        ),
        (error(401, "who are you"), Refused(why="answered 401 Unauthorized: who are you")),
        (error(403, ""), Refused(why="answered 403 Forbidden")),
        (answer(404, body="<p>no", kind="text/html"), Refused(why="answered 404 Not Found")),
        (error(413, "huge"), TooLarge(why="answered 413 Request Entity Too Large: huge")),
        (
            error(429, "busy", headers={"Retry-After": "7"}),
            Retry(why="answered 429 Too Many Requests: busy", after_s=7),
        ),
        (
            error(503, "", headers={"Retry-After": "Mon, 23 Nov 2026 12:00:30 GMT"}),
            Retry(why="answered 503 Service Unavailable", after_s=30),
        ),
        (error(500, "oops"), Doubtful(why="answered 500 Internal Server Error: oops")),
        (answer(502, body=b"\xff"), Retry(why="answered 502 Bad Gateway")),
    ],
)
async def test_answers(peer: HttpPeer, given: HttpAnswer, means: Answer) -> None:
    peer.answers.append(given)

    got = await send(target_of(peer.url))

    if not isinstance(means, Delivered):
        means = replace(means, why=f"{peer.url}/v1/traces: {means.why}")
    assert got == means


async def test_partial_success_is_noticed(peer: HttpPeer) -> None:
    async def give() -> web.StreamResponse:
        return took(3, "too old")

    peer.answers.append(give)

    assert await send(target_of(peer.url)) == Delivered(rejected=3, message="too old")


async def test_a_redirect_is_not_followed(peer: HttpPeer) -> None:
    """Aiohttp would repeat it, and carry our headers to where it points."""
    async with http_peer() as other:
        peer.answers.append(answer(307, headers={"Location": f"{other.url}/v1/traces"}))

        assert isinstance(await send(target_of(peer.url)), Refused)

        assert not other.received


async def test_an_answer_that_does_not_come_is_a_timeout(peer: HttpPeer) -> None:
    peer.answers.append(hang)

    got = await send(replace(target_of(peer.url), timeout_s=0.2))

    assert got == Retry(why=f"{peer.url}/v1/traces: no answer within 0.2 s")


async def test_an_endless_answer_is_read_only_so_far(peer: HttpPeer) -> None:
    peer.answers.append(answer(400, body="x" * 3_000_000, kind="text/plain"))

    got = await send(target_of(peer.url))

    assert isinstance(got, Doubtful)
    assert len(got.why) < 400


async def test_a_refused_connection_is_retried_and_a_later_one_delivers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sender = HttpSender(target_of(f"http://localhost:{port}"))

    away = await sender.send(REQUEST)
    async with http_peer(port=port):
        back = await sender.send(REQUEST)
    await sender.close()

    assert isinstance(away, Retry)
    assert away.why.startswith(f"http://localhost:{port}/v1/traces: ")
    assert back == Delivered()


async def test_a_name_that_is_nowhere_is_told_as_such() -> None:
    got = await send(target_of("http://nowhere.invalid"))

    assert isinstance(got, Retry)
    assert "the name cannot be resolved" in got.why


async def test_a_proxy_of_the_environment_is_used(
    peer: HttpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", peer.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert await send(target_of("http://nowhere.invalid")) == Delivered()

    assert peer.received[0].headers["host"] == "nowhere.invalid"


HALF_AN_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
HTTP2_SETTINGS = b"\x00\x00\x18\x04\x00\x00\x00\x00\x00"


async def test_a_connection_cut_mid_answer_is_retried() -> None:
    async with babbler(HALF_AN_ANSWER) as (host, port):
        got = await send(target_of(f"http://{host}:{port}"))

    assert isinstance(got, Retry)


async def test_another_protocol_at_the_grpc_port_gets_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with babbler(HTTP2_SETTINGS) as (host, port):
        monkeypatch.setattr("helmwake.delivery.http._GRPC_PORT", port)
        got = await send(target_of(f"http://{host}:{port}"))

    assert isinstance(got, Retry)
    assert "usually speaks grpc: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in got.why


async def test_tls_with_an_authority_of_ones_own(certificates: Certificates) -> None:
    async with http_peer(certificates.server_context()) as peer:
        target = replace(target_of(peer.url), certificate=str(certificates.authority))

        assert await send(target) == Delivered()


@pytest.mark.parametrize("authority", ["other_authority", None])
async def test_a_server_that_is_not_trusted_is_a_matter_of_configuration(
    certificates: Certificates, authority: str | None
) -> None:
    async with http_peer(certificates.server_context()) as peer:
        certificate = str(getattr(certificates, authority)) if authority else None
        got = await send(replace(target_of(peer.url), certificate=certificate))

        assert not peer.received

    assert isinstance(got, Refused)
    assert "TLS: " in got.why


async def test_mutual_tls(certificates: Certificates) -> None:
    async with http_peer(certificates.server_context(mutual=True)) as peer:
        target = replace(target_of(peer.url), certificate=str(certificates.authority))
        ours = replace(
            target,
            client_certificate=str(certificates.client),
            client_key=str(certificates.client_key),
        )

        assert await send(ours) == Delivered()
        without = await send(target)

    # Either the server's alert is read, or the end of the connection comes first.
    assert isinstance(without, Refused | Retry)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"certificate": "/nowhere/ca.pem"}, "certificate /nowhere/ca.pem: No such file"),
        ({"certificate": "{key}"}, "is no usable PEM"),
        (
            {"client_certificate": "{cert}", "client_key": "/nowhere/key"},
            "and key /nowhere/key: No such file",
        ),
        ({"client_certificate": "{cert}", "client_key": "{cert}"}, "is no usable PEM"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    certificates: Certificates, changes: dict[str, str], words: str
) -> None:
    named = {
        key: value.format(cert=certificates.client, key=certificates.client_key)
        for key, value in changes.items()
    }
    target = replace(target_of("https://localhost:1"), **named)  # type: ignore[arg-type]

    with pytest.raises(BadTargetError, match=words) as caught:
        HttpSender(target)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", list(Compression))
async def test_a_send_can_be_cancelled_and_the_next_one_works(
    peer: HttpPeer, compression: Compression
) -> None:
    peer.answers.append(hang)
    sender = HttpSender(replace(target_of(peer.url), compression=compression))
    for patience_s in (0, 0.2):  # while packing or connecting, and while waiting
        task = asyncio.create_task(sender.send(REQUEST))
        await asyncio.sleep(patience_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    peer.answers.clear()
    assert await sender.send(REQUEST) == Delivered()
    await sender.close()


async def test_reading_an_answer_can_be_cancelled() -> None:
    async with babbler(HALF_AN_ANSWER, then_hang=asyncio.Event()) as (host, port):
        sender = HttpSender(target_of(f"http://{host}:{port}"))
        task = asyncio.create_task(sender.send(REQUEST))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await sender.close()


async def test_a_backend_that_echoes_our_token_does_not_make_us_tell_it(
    peer: HttpPeer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.answers.extend(
        [
            error(401, f"invalid token Bearer {TOKEN}"),
            answer(400, body=f"unknown key {TOKEN}", kind="text/plain"),
            answer(302, headers={"Location": f"http://login/{TOKEN}"}),
        ]
    )
    target = replace(
        target_of(peer.url), endpoint=f"{peer.url}/v1/traces?key=query-{TOKEN}", timeout_s=5
    )

    answers = [await send(target) for _ in range(3)]
    answers.append(await send(replace(target, endpoint=f"http://localhost:1/?key={TOKEN}")))

    assert TOKEN not in repr(answers)
    assert TOKEN not in repr(HttpSender(target).__dict__)
    ours = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert TOKEN not in "\n".join(ours)
