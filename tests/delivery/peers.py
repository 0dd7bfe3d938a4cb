"""Backends that answer as they are told, on real sockets."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio  # type: ignore[import-untyped]
from aiohttp import web
from google.protobuf import any_pb2, duration_pb2  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF = "application/x-protobuf"

HttpAnswer = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Received:
    """One request as it came in."""

    headers: dict[str, str]  # names in lower case
    request: Any
    path: str = ""
    body: bytes = b""


@dataclass(slots=True)
class HttpPeer:
    """Gives `answers` in turn, and then takes everything."""

    url: str = ""
    answers: deque[HttpAnswer] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()  # already unpacked
        kind: Any = (
            metrics_service_pb2.ExportMetricsServiceRequest
            if request.path.endswith("metrics")
            else ExportTraceServiceRequest
        )
        self.received.append(
            Received(
                headers={name.lower(): value for name, value in request.headers.items()},
                request=kind.FromString(body),
                path=request.path_qs,
                body=body,
            )
        )
        return await self.answers.popleft()() if self.answers else took()


def answer(
    status: int,
    *,
    body: bytes | str = b"",
    kind: str = PROTOBUF,
    headers: dict[str, str] | None = None,
) -> HttpAnswer:
    async def give() -> web.StreamResponse:
        content = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=content, content_type=kind, headers=headers)

    return give


def error(status: int, message: str, *, headers: dict[str, str] | None = None) -> HttpAnswer:
    """As an OTLP receiver words it."""
    return answer(
        status, body=status_pb2.Status(message=message).SerializeToString(), headers=headers
    )


async def hang() -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits this long")


def took(rejected: int = 0, message: str = "") -> web.Response:
    return web.Response(body=taken(rejected, message).SerializeToString(), content_type=PROTOBUF)


def taken(rejected: int = 0, message: str = "") -> ExportTraceServiceResponse:
    if not rejected and not message:
        return ExportTraceServiceResponse()
    return ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    )


@asynccontextmanager
async def http_peer(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[HttpPeer]:
    peer = HttpPeer()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", peer.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
    await site.start()
    peer.url = f"http{'s' if tls else ''}://localhost:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def babbler(
    said: bytes, *, then_hang: asyncio.Event | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Says this to everyone, whatever they say, and hangs up once `then_hang` is set."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        if then_hang is not None:
            await then_hang.wait()
        writer.close()
        done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield host, port
    finally:
        if then_hang is not None:
            then_hang.set()
        await done.wait()
        server.close()
        await server.wait_closed()


GrpcAnswer = Callable[[Any], Awaitable[ExportTraceServiceResponse]]


class GrpcPeer(
    trace_service_pb2_grpc.TraceServiceServicer,
    metrics_service_pb2_grpc.MetricsServiceServicer,
):
    """Gives `answers` in turn, and then takes everything."""

    def __init__(self) -> None:
        self.address = ""
        self.metrics_hang = False
        self.answers: deque[GrpcAnswer] = deque()
        self.received: list[Received] = []

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        self.received.append(Received(dict(context.invocation_metadata()), request))
        if isinstance(request, metrics_service_pb2.ExportMetricsServiceRequest):
            if self.metrics_hang:
                await asyncio.sleep(3600)
            return metrics_service_pb2.ExportMetricsServiceResponse()
        return await self.answers.popleft()(context) if self.answers else taken()


def grpc_error(code: str, detail: str = "", *, retry_after_s: float | None = None) -> GrpcAnswer:
    """A status, with a RetryInfo among its details if `retry_after_s` is given."""

    async def give(context: Any) -> ExportTraceServiceResponse:
        status = grpc.StatusCode[code]
        trailing: tuple[tuple[str, bytes], ...] = ()
        if retry_after_s is not None:
            delay = duration_pb2.Duration()
            delay.FromNanoseconds(int(retry_after_s * 1e9))
            packed = any_pb2.Any()
            packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            details = status_pb2.Status(code=status.value[0], message=detail, details=[packed])
            trailing = (("grpc-status-details-bin", details.SerializeToString()),)
        await context.abort(status, detail, trailing)
        raise AssertionError("abort raises")

    return give


def grpc_taken(rejected: int = 0, message: str = "") -> GrpcAnswer:
    async def give(_: Any) -> ExportTraceServiceResponse:
        return taken(rejected, message)

    return give


async def grpc_hang(_: Any) -> ExportTraceServiceResponse:
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits this long")


@asynccontextmanager
async def grpc_peer(credentials: Any = None, port: int = 0) -> AsyncIterator[GrpcPeer]:
    peer = GrpcPeer()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(peer, server)  # type: ignore[no-untyped-call]
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(peer, server)  # type: ignore[no-untyped-call]
    address = f"localhost:{port}"
    bound = (
        server.add_insecure_port(address)
        if credentials is None
        else server.add_secure_port(address, credentials)
    )
    await server.start()
    peer.address = f"localhost:{bound}"
    try:
        yield peer
    finally:
        await server.stop(None)


def span_names(received: Received) -> list[str]:
    return [
        span.name
        for resource_spans in received.request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
