"""One trace's bytes, and several traces' bytes in one request."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.delivery.traces import make_trace, rich_trace
from tests.telemetry.operations import good_upgrade

from helmwake.delivery.encoding import encode
from helmwake.telemetry.traces import Cluster, build_trace
from helmwake.version import VERSION


def test_traces_in_a_row_are_one_request() -> None:
    traces = [make_trace(1, spans=3), rich_trace(), make_trace(2)]

    request = ExportTraceServiceRequest.FromString(b"".join(encode(trace) for trace in traces))

    assert [
        span.name for each in request.resource_spans for span in each.scope_spans[0].spans
    ] == [span.name for trace in traces for span in trace.spans]


def test_encoding_again_gives_the_same_bytes() -> None:
    assert encode(rich_trace()) == encode(rich_trace())


def test_no_byte_says_which_version_sends_an_older_ones_trace() -> None:
    ours = encode(build_trace(good_upgrade(), Cluster()))
    older = encode(build_trace(good_upgrade(), Cluster(), version="v" * len(VERSION)))

    assert ours.replace(VERSION.encode(), b"v" * len(VERSION)) == older
    assert older.count(b"v" * len(VERSION)) == 2  # the Resource's and the scope's
