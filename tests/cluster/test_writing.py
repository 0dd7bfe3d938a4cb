"""What may be written, and what becomes of a write over a real connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from helmwake.cluster.api import JSON
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import (
    ApiError,
    BadAnswerError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from helmwake.cluster.resources import HELM_CONFIG_MAPS, Resource
from helmwake.cluster.writing import (
    MERGE_PATCH,
    Method,
    NotOursError,
    Writable,
    WritingClient,
)
from tests.cluster.server import Handler, serving, write_kubeconfig

MARKER = "hunter2"
NOTES = Resource(group="a.dev", plural="notes", kind="Note", namespace="ours")
MAPS = Resource(plural="configmaps", kind="ConfigMap", namespace="ours")
WRITABLE = (Writable(resource=NOTES), Writable(resource=MAPS, name="progress"))
PATH = NOTES.path
BODY = {"metadata": {"name": "a"}, "note": MARKER}


@asynccontextmanager
async def client_of(handler: Handler, tmp_path: Path) -> AsyncIterator[WritingClient]:
    async with serving(handler) as server:
        file = write_kubeconfig(tmp_path / "config", server=server, user={"token": MARKER})
        async with WritingClient(Credentials(kubeconfig=file), writable=WRITABLE) as client:
            yield client


@pytest.mark.parametrize(
    ("method", "path", "content_type", "status"),
    [
        ("POST", PATH, JSON, 201),
        ("PATCH", f"{PATH}/a/status", MERGE_PATCH, 200),
        ("DELETE", f"{PATH}/a", JSON, 202),
    ],
)
async def test_a_write_says_who_writes_what(
    tmp_path: Path, method: Method, path: str, content_type: str, status: int
) -> None:
    async def echo(request: web.Request) -> web.Response:
        headers = {key: request.headers[key] for key in ("Authorization", "Content-Type")}
        said = {"method": request.method, "path": request.path, "body": await request.json()}
        return web.json_response({**said, **headers}, status=status)

    async with client_of(echo, tmp_path) as client:
        assert await client.send(method, path, BODY, content_type=content_type) == {
            "method": method,
            "path": path,
            "body": BODY,
            "Content-Type": content_type,
            "Authorization": f"Bearer {MARKER}",
        }


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/api/v1/namespaces/ours/secrets", "a"),
        ("POST", "/api/v1/namespaces/ours/configmaps", "another"),
        ("POST", "/apis/a.dev/v1/namespaces/theirs/notes", "a"),
        ("POST", "/apis/a.dev/v1/notes", "a"),
        ("POST", f"{PATH}/a/status", "a"),
        ("POST", PATH, None),
        ("PATCH", PATH, "a"),
        ("PATCH", "/api/v1/namespaces/ours/configmaps/another", "progress"),
        ("PATCH", f"{PATH}/a/scale", "a"),
        ("PATCH", f"{PATH}/a/status/more", "a"),
        ("PATCH", f"{PATH}/../secrets/a", "a"),
        ("PATCH", f"{PATH}/%2e%2e%2fsecrets", "a"),
        ("PATCH", f"{PATH}-more/a", "a"),
        ("PATCH", f"{PATH}/a?dryRun=All", "a"),
        ("DELETE", PATH, "a"),
        ("DELETE", f"{PATH}/", "a"),
        ("DELETE", f"{PATH}/a/status", "a"),
        ("DELETE", "/api/v1/namespaces/ours/secrets/a", "a"),
        ("DELETE", "/api/v1/namespaces/ours", "a"),
    ],
)
async def test_what_is_not_ours_is_never_written(
    tmp_path: Path, method: Method, path: str, name: str | None
) -> None:
    asked = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({})

    async with client_of(note, tmp_path) as client:
        with pytest.raises(NotOursError):
            await client.send(method, path, {"metadata": {"name": name}})
    assert asked == []


def test_nothing_is_writable_in_all_namespaces() -> None:
    with pytest.raises(ValueError, match="configmaps is to be writable in one namespace"):
        Writable(resource=HELM_CONFIG_MAPS)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, ApiError),
        (400, ApiError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, InvalidError),
        (429, ApiError),
        (500, ApiError),
    ],
)
async def test_a_refusal_says_what_and_how_but_quotes_nothing(
    tmp_path: Path, status: int, kind: type[ApiError]
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = {"kind": "Status", "reason": "Because", "message": MARKER}
        headers = {"Location": f"/{MARKER}", "Retry-After": "7", "X-Secret": MARKER}
        return web.json_response(body, status=status, headers=headers)

    async with client_of(refuse, tmp_path) as client:
        with pytest.raises(kind) as caught:
            await client.send("PATCH", f"{PATH}/a", BODY, content_type=MERGE_PATCH)
    assert type(caught.value) is kind
    assert str(caught.value) == f"PATCH {PATH}/a: {status} Because"
    assert caught.value.retry_after == timedelta(seconds=7)
    assert MARKER not in repr((caught.value, caught.value.__cause__))


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        (
            [{"field": "status.hooks[3].name", "message": MARKER}],
            "Invalid at status.hooks[3].name",
        ),
        ([{"field": "<nil>"}, {"field": "status.outcome"}], "Invalid at status.outcome"),
        ([{"field": f"status.{MARKER} with spaces"}], "Invalid"),
        ([{"field": 3}, "field"], "Invalid"),
        (None, "Invalid"),
    ],
)
async def test_what_the_schema_refuses_is_named_by_its_field(
    tmp_path: Path, causes: Any, words: str
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        details = {"causes": causes}
        body = {"reason": "Invalid", "message": MARKER, "details": details}
        return web.json_response(body, status=422)

    async with client_of(refuse, tmp_path) as client:
        with pytest.raises(InvalidError) as caught:
            await client.send("POST", PATH, BODY)
    assert str(caught.value) == f"POST {PATH}: 422 {words}"
    assert MARKER not in repr(caught.value)


async def test_an_answer_that_is_no_json_is_an_error_without_its_text(tmp_path: Path) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<html>{MARKER}")

    async with client_of(page, tmp_path) as client:
        with pytest.raises(BadAnswerError) as caught:
            await client.send("POST", PATH, BODY)
    assert MARKER not in repr((caught.value, caught.value.__cause__))


async def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        server = f"http://127.0.0.1:{taken.getsockname()[1]}"
        file = write_kubeconfig(tmp_path / "config", server=server, user={"token": MARKER})
        async with WritingClient(Credentials(kubeconfig=file), writable=WRITABLE) as client:
            with pytest.raises(UnavailableError) as caught:
                await client.send("POST", PATH, BODY)
    assert str(caught.value) == f"POST {PATH} at {server}: no connection"
    assert caught.value.transient
    assert caught.value.__cause__ is None


async def test_a_write_can_be_cancelled_and_its_connection_closes(tmp_path: Path) -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        reached.set()
        try:  # the server cancels a handler whose client is gone
            return await asyncio.Future()
        finally:
            left.set()

    async with client_of(hang, tmp_path) as client:
        task = asyncio.create_task(client.send("POST", PATH, BODY))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 10)
