"""Finished traces as one ExportTraceServiceRequest in OTLP/JSON.

Source: opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding": as protobuf's own
JSON mapping, but for trace and span ids, which are hex and not base64, and enums, which are
integers.
"""

import base64
from collections.abc import Iterable
from typing import Any, Final

# google.protobuf has no types of its own.
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from helmwake.telemetry.readable import readable_spans
from helmwake.telemetry.spans import Trace

_IDS: Final = ("traceId", "spanId", "parentSpanId")


def otlp_json(traces: Iterable[Trace]) -> dict[str, Any]:
    """The request as plain JSON data, in the order of the traces.

    Raises:
        UnfinishedTraceError: a span still runs.
    """
    spans = [span for trace in traces for span in readable_spans(trace)]
    request: dict[str, Any] = MessageToDict(
        encode_spans(spans),
        use_integers_for_enums=True,
    )
    # A request without spans still says that it is one.
    request.setdefault("resourceSpans", [])
    for resource_spans in request["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for span in scope_spans["spans"]:
                _hex_ids(span)
                for link in span.get("links", ()):
                    _hex_ids(link)
    return request


def _hex_ids(item: dict[str, Any]) -> None:
    for key in _IDS:
        if key in item:
            item[key] = base64.b64decode(item[key]).hex()
