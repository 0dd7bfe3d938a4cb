"""Where traces end: it can be away for a while, and then takes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import grpc  # type: ignore[import-untyped]

from tests.chaos.sink import Arrived, Sink
from tests.controlplane.waiting import wait_for
from tests.e2e.spans import EPOCH, Span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceResponse,
    )

SECONDS: Final = 60.0
STATUS_ERROR: Final = 2


class Backend(Sink):
    """A sink behind an operator of this package."""

    def __init__(self) -> None:
        self.away = False
        super().__init__()

    def Export(self, request: Any, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
        """Keep a request, or say that another time would be better."""
        if self.away:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return super().Export(request, context)

    def roots(self, namespace: str | None = None) -> list[str]:
        """Name the operations that arrived, each as often as it did: `upgrade cart 2`."""
        return sorted(
            f"{each.attributes['helm.release.operation']} {each.attributes['helm.release.name']}"
            f" {each.attributes['helm.release.revision']}"
            for each in self.arrived
            if each.is_root and namespace in {None, _namespace(each)}
        )

    def spans(self, namespace: str) -> list[Span]:
        """What arrived of a namespace, in the shape of other places where spans are shown."""
        return _spans(each for each in self.arrived if _namespace(each) == namespace)

    def wait_for(self, namespace: str, *operations: str, seconds: float = SECONDS) -> None:
        """Wait until these have arrived."""
        missing = set(operations)

        def all_there() -> bool:
            missing.difference_update(self.roots(namespace))
            return not missing

        wait_for(f"{operations} of {namespace}", all_there, seconds=seconds)


def _namespace(arrived: Arrived) -> str:
    return str(arrived.resource["cicd.pipeline.name"]).partition("/")[0]


def _spans(arrived: Iterable[Arrived]) -> list[Span]:
    found = []
    for each in arrived:
        span = each.span
        trace, parent = each.trace, span.parent_span_id.hex()
        found.append(
            Span(
                context=each.id,
                parent=(trace, parent) if parent else None,
                links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                name=span.name,
                start=_time(span.start_time_unix_nano),
                end=_time(span.end_time_unix_nano),
                attributes=each.attributes,
                resource=each.resource,
                kind="server" if each.is_root else "",
                failed=span.status.code == STATUS_ERROR,
                description=span.status.message,
            )
        )
    return sorted(found, key=lambda span: (span.start, not span.is_root))


def _time(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)
