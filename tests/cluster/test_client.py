"""What the client makes of real connections."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import (
    AnswerTooLargeError,
    ApiError,
    BadAnswerError,
    BadLineError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    StreamBrokenError,
    UnauthorizedError,
    UnavailableError,
    VersionTooLargeError,
)
from helmwake.cluster.lines import MIB
from tests.cluster.server import Handler, serving, write_kubeconfig

MARKER = "hunter2"
PATH = "/api/v1/secrets"


@asynccontextmanager
async def client_of(
    handler: Handler, tmp_path: Path, *, max_line_bytes: int = 32 * MIB
) -> AsyncIterator[ApiClient]:
    async with serving(handler) as server:
        file = write_kubeconfig(tmp_path / "config", server=server, user={"token": MARKER})
        credentials = Credentials(kubeconfig=file)
        async with ApiClient(credentials, max_line_bytes=max_line_bytes) as client:
            yield client


async def test_a_get_says_who_asks_for_what(tmp_path: Path) -> None:
    async def echo(request: web.Request) -> web.Response:
        headers = {key: request.headers[key] for key in ("Accept", "Authorization", "User-Agent")}
        return web.json_response(
            {"method": request.method, "path": request.path, **request.query, **headers}
        )

    async with client_of(echo, tmp_path) as client:
        answer = await client.get(PATH, params={"limit": "500"}, accept="application/json;v=v1")
    assert re.fullmatch(r"helmwake/\d[\w.+-]*", answer.pop("User-Agent"))
    assert answer == {
        "method": "GET",
        "path": PATH,
        "limit": "500",
        "Accept": "application/json;v=v1",
        "Authorization": f"Bearer {MARKER}",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ApiError),
        (400, ApiError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (410, GoneError),
        (429, ApiError),
        (500, ApiError),
        (503, ApiError),
        (504, ApiError),
    ],
)
async def test_an_error_says_what_and_how_but_quotes_nothing(
    tmp_path: Path, status: int, kind: type[ApiError]
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = {"kind": "Status", "reason": "Because", "message": MARKER}
        headers = {"Location": f"/{MARKER}", "Retry-After": "7", "X-Secret": MARKER}
        return web.json_response(body, status=status, headers=headers)

    async with client_of(refuse, tmp_path) as client:
        for request in (client.get(PATH, params={"continue": MARKER}), open_stream(client)):
            with pytest.raises(kind) as caught:
                await request
            error = caught.value
            assert type(error) is kind
            assert error.status == status
            assert error.retry_after == timedelta(seconds=7)
            assert str(error).endswith(f" {PATH}: {status} Because")
            assert MARKER not in repr((error, error.__cause__))


async def open_stream(client: ApiClient) -> None:
    async with client.stream(PATH):
        raise AssertionError


async def test_a_version_from_the_future_is_told_from_other_timeouts(tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        details = {"causes": causes, "retryAfterSeconds": 1}
        return web.json_response({"reason": "Timeout", "details": details}, status=504)

    async with client_of(refuse, tmp_path) as client:
        with pytest.raises(VersionTooLargeError) as caught:
            await client.get(PATH)
        assert caught.value.retry_after == timedelta(seconds=1)


async def test_an_error_of_some_proxy_is_told_by_its_status_alone(tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=502, text=f"<html>{MARKER}", headers={"Retry-After": MARKER})

    async with client_of(refuse, tmp_path) as client:
        with pytest.raises(ApiError, match=r"^GET /api/v1/secrets: 502$") as caught:
            await client.get(PATH)
        assert caught.value.retry_after is None


async def test_an_answer_that_is_not_json_is_an_error_without_its_text(tmp_path: Path) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<html>{MARKER}")

    async with client_of(page, tmp_path) as client:
        with pytest.raises(BadAnswerError) as caught:
            await client.get(PATH)
    assert MARKER not in repr((caught.value, caught.value.__cause__))


async def test_an_answer_that_is_too_large_is_not_held(tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b" " * 1000)
        return response

    async with client_of(endless, tmp_path) as client:
        with pytest.raises(AnswerTooLargeError, match="more than 5000 bytes"):
            await client.get(PATH, max_bytes=5000)


async def test_an_answer_that_is_cut_is_unavailable(tmp_path: Path) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"items":')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with client_of(cut, tmp_path) as client:
        with pytest.raises(UnavailableError, match="GET /api/v1/secrets: the "):
            await client.get(PATH)


async def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        server = f"http://127.0.0.1:{taken.getsockname()[1]}"
        file = write_kubeconfig(tmp_path / "config", server=server, user={"token": MARKER})
        async with ApiClient(Credentials(kubeconfig=file)) as client:
            with pytest.raises(UnavailableError) as caught:
                await client.get(PATH)
    assert str(caught.value) == f"GET {PATH} at {server}: no connection"
    assert caught.value.__cause__ is None


async def test_a_token_that_http_cannot_carry_is_an_error_without_it(tmp_path: Path) -> None:
    file = write_kubeconfig(
        tmp_path / "config", server="http://127.0.0.1:1", user={"token": f"{MARKER}\nX: y"}
    )
    async with ApiClient(Credentials(kubeconfig=file)) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.get(PATH)
    assert MARKER not in repr((caught.value, caught.value.__cause__))


async def lines_of(client: ApiClient) -> list[bytes]:
    async with client.stream(PATH) as lines:
        return [line async for line in lines]


async def test_lines_come_whole_however_they_are_cut_and_however_long(tmp_path: Path) -> None:
    long = b"x" * (3 * MIB)

    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b"o", b"ne\ntw", b"o\n\n", long, b"\n"):
            await response.write(piece)
            await asyncio.sleep(0)
        return response

    async with client_of(pieces, tmp_path) as client:
        assert await lines_of(client) == [b"one", b"two", b"", long]


async def test_a_line_over_the_cap_is_a_bad_line(tmp_path: Path) -> None:
    async def line(_: web.Request) -> web.Response:
        return web.Response(body=b"short\n" + b"x" * 101 + b"\nlost\n")

    async with client_of(line, tmp_path, max_line_bytes=100) as client:
        with pytest.raises(BadLineError, match="a line has more than 100 bytes"):
            await lines_of(client)


async def test_a_stream_that_ends_within_a_line_is_broken(tmp_path: Path) -> None:
    async def half(_: web.Request) -> web.Response:
        return web.Response(body=b"one\ntw")

    async with client_of(half, tmp_path) as client:
        with pytest.raises(StreamBrokenError, match="cut within a line"):
            await lines_of(client)


async def test_a_stream_whose_connection_is_cut_is_broken(tmp_path: Path) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with client_of(cut, tmp_path) as client:
        with pytest.raises(StreamBrokenError, match="WATCH /api/v1/secrets: the "):
            await lines_of(client)


async def get(client: ApiClient) -> Any:
    return await client.get(PATH)


@pytest.mark.parametrize("said", [b"", b"one\n"], ids=["unopened", "open"])
async def test_a_request_can_be_cancelled_and_its_connection_closes(
    tmp_path: Path, said: bytes
) -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if said:
            await response.prepare(request)
            await response.write(said)
        reached.set()
        try:  # the server cancels a handler whose client is gone
            return await asyncio.Future()
        finally:
            left.set()

    async with client_of(hang, tmp_path) as client:
        for request in (lines_of, get):
            reached.clear()
            left.clear()
            task = asyncio.create_task(request(client))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(left.wait(), 10)


async def test_leaving_a_stream_early_closes_its_connection(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"line\n")
                await asyncio.sleep(0)
        finally:
            left.set()

    async with client_of(endless, tmp_path) as client:
        async with client.stream(PATH) as lines:
            assert await anext(lines) == b"line"
        await asyncio.wait_for(left.wait(), 10)


async def test_a_401_lets_the_credentials_be_read_again(tmp_path: Path) -> None:
    seen = []

    async def choosy(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({}, status=200 if seen[-1] == "Bearer new" else 401)

    async with serving(choosy) as server:
        path = tmp_path / "config"
        file = write_kubeconfig(path, server=server, user={"token": "old"})
        async with ApiClient(Credentials(kubeconfig=file)) as client:
            with pytest.raises(UnauthorizedError):
                await client.get(PATH)
            write_kubeconfig(path, server=server, user={"token": "new"})
            assert await client.get(PATH) == {}
    assert seen == ["Bearer old", "Bearer new"]
