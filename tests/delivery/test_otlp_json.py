"""OTLP/JSON as opentelemetry-proto's docs/specification.md has it."""

import base64
import json

import pytest
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.delivery.traces import make_trace, rich_trace

from helmwake.delivery.encoding import encode
from helmwake.delivery.otlp_json import otlp_json
from helmwake.telemetry.readable import UnfinishedTraceError


def test_ids_are_hex_integers_are_strings_and_enums_are_numbers() -> None:
    root = otlp_json([rich_trace()])["resourceSpans"][0]["scopeSpans"][0]["spans"][0]

    assert root["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert root["spanId"] == "00f067aa0ba902b7"
    assert root["parentSpanId"] == "b7ad6b7169203331"
    assert root["kind"] == 2
    assert root["status"]["code"] == 2
    assert root["startTimeUnixNano"] == "1795435200123457000"
    assert root["links"][0]["traceId"] == f"{1:032x}"
    assert root["links"][0]["spanId"] == f"{2:016x}"
    assert {"key": "helm.release.revision", "value": {"intValue": "3"}} in root["attributes"]
    assert {
        "key": "container.image.tags",
        "value": {"arrayValue": {"values": [{"stringValue": "3"}, {"stringValue": "latest"}]}},
    } in root["attributes"]


def test_it_holds_what_the_binary_request_holds() -> None:
    traces = [rich_trace(), make_trace(2, spans=3)]
    request = json.loads(json.dumps(otlp_json(traces)))
    for resource_spans in request["resourceSpans"]:
        for scope_spans in resource_spans["scopeSpans"]:
            for item in (
                each for span in scope_spans["spans"] for each in (span, *span.get("links", ()))
            ):
                # Back to protobuf's own mapping, so that its parser can judge the rest.
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in item:
                        item[key] = base64.b64encode(bytes.fromhex(item[key])).decode()

    parsed = ParseDict(request, ExportTraceServiceRequest())

    assert parsed == ExportTraceServiceRequest.FromString(b"".join(map(encode, traces)))


def test_no_traces_are_an_empty_request() -> None:
    assert otlp_json([]) == {"resourceSpans": []}


def test_a_running_trace_is_refused() -> None:
    with pytest.raises(UnfinishedTraceError):
        otlp_json([make_trace(finished=False)])
