"""Finished traces as the bytes of an ExportTraceServiceRequest.

A request is a list of ResourceSpans, and every trace has a Resource of its own. So the bytes of
several traces, one after the other, are the bytes of one request with all of them (protobuf:
repeated fields concatenate), and each trace is encoded once, however often it is sent.
"""

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from helmwake.telemetry.readable import readable_spans
from helmwake.telemetry.spans import Trace


def encode(trace: Trace) -> bytes:
    """One trace as a whole request; the same bytes every time.

    Raises:
        UnfinishedTraceError: a span of it still runs.
    """
    encoded: bytes = encode_spans(readable_spans(trace)).SerializeToString(deterministic=True)
    return encoded
