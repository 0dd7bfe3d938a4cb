"""Finished traces as the bytes of an ExportTraceServiceRequest.

A request is a list of ResourceSpans, and every trace has a Resource of its own. So the bytes of
several traces, one after the other, are the bytes of one request with all of them (protobuf:
repeated fields concatenate), and each trace is encoded once, however often it is sent.
"""

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from helmwake.telemetry.readable import UnfinishedTraceError, readable_spans
from helmwake.telemetry.spans import Trace


class EncodingError(ValueError):
    """A trace holds what OTLP cannot, such as an id of too many bits."""

    def __init__(self, trace: Trace, cause: Exception) -> None:
        # The cause's kind only: its words may hold a value.
        super().__init__(f"{trace.root.name}: cannot be encoded ({type(cause).__name__})")


def encode(trace: Trace) -> bytes:
    """One trace as a whole request; the same bytes every time.

    Raises:
        UnfinishedTraceError: a span of it still runs.
        EncodingError: OTLP cannot hold it.
    """
    try:
        encoded: bytes = encode_spans(readable_spans(trace)).SerializeToString(deterministic=True)
    except UnfinishedTraceError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise EncodingError(trace, error) from error
    return encoded
