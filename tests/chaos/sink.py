"""Where traces end: an OTLP receiver of the test's own, which forgets nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVER_KIND: Final = 2
WORKERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One span as it came in."""

    at: datetime
    request: int
    content: bytes  # Resource, scope and span: the same bytes for the same content
    resource: Mapping[str, Any]
    span: Any

    @property
    def id(self) -> tuple[str, str]:
        return self.trace, self.span.span_id.hex()

    @property
    def trace(self) -> str:
        return str(self.span.trace_id.hex())

    @property
    def is_root(self) -> bool:
        return bool(self.span.kind == SERVER_KIND)

    @property
    def attributes(self) -> dict[str, Any]:
        return _attributes(self.span.attributes)


class Sink(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes everything. Leave its `with` block to end it."""

    def __init__(self) -> None:
        self._arrived: list[Arrived] = []
        self._requests = 0
        self._changed: Final = threading.Condition()
        self._pool: Final = ThreadPoolExecutor(WORKERS, thread_name_prefix="sink")
        self._server: Final = grpc.server(self._pool, options=(("grpc.so_reuseport", 0),))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port: Final[int] = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
        self._pool.shutdown()

    def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
        """Keep a request; gRPC's name."""
        with self._changed:
            self._requests += 1
            self._arrived.extend(read(request, number=self._requests))
            self._changed.notify_all()
        return ExportTraceServiceResponse()

    @property
    def arrived(self) -> list[Arrived]:
        with self._changed:
            return list(self._arrived)

    def wait_for_next(self, *, seconds: float) -> bool:
        """Wait until something arrives; False if nothing does in time."""
        with self._changed:
            before = self._requests
            return self._changed.wait_for(lambda: self._requests > before, timeout=seconds)


def read(request: Any, *, number: int) -> Iterator[Arrived]:
    """Take a request apart into its spans."""
    at = datetime.now(UTC)
    for of_resource in request.resource_spans:
        resource = of_resource.resource
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                parts = (resource, of_scope.scope, span)
                texts = [part.SerializeToString(deterministic=True) for part in parts]
                texts += [of_resource.schema_url.encode(), of_scope.schema_url.encode()]
                yield Arrived(
                    at=at,
                    request=number,
                    content=b"\0\0".join(texts),
                    resource=_attributes(resource.attributes),
                    span=span,
                )


def _attributes(listed: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in listed}
