"""What we rely on in ReadableSpan, which says that it is not to be built directly."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1 import trace_pb2
from tests.delivery.traces import make_trace, rich_trace

from helmwake.telemetry.readable import (
    SCHEMA_URL,
    SCOPE_VERSION,
    UnfinishedTraceError,
    readable_spans,
    unix_nanoseconds,
)
from helmwake.telemetry.spans import AttributeValue, Level, Trace


def encoded(trace: Trace) -> trace_pb2.ResourceSpans:
    resource_spans: trace_pb2.ResourceSpans
    [resource_spans] = encode_spans(readable_spans(trace)).resource_spans
    return resource_spans


def plain(attributes: object) -> dict[str, object]:
    """Key-values of the wire as Python's."""
    found: dict[str, object] = {}
    for item in attributes:  # type: ignore[attr-defined] # protobuf's containers have no types
        which = item.value.WhichOneof("value")
        value = getattr(item.value, which)
        found[item.key] = (
            [each.string_value for each in value.values] if which == "array_value" else value
        )
    return found


def with_attribute(value: AttributeValue) -> Trace:
    trace = make_trace()
    return replace(trace, spans=(replace(trace.root, attributes={"key": value}),))


def test_resource_is_exactly_the_traces_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "foreign=1")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "foreign")
    trace = rich_trace()

    resource_spans = encoded(trace)

    assert plain(resource_spans.resource.attributes) == trace.resource
    assert resource_spans.schema_url == SCHEMA_URL


def test_scope_names_us_our_version_and_the_schema() -> None:
    [scope_spans] = encoded(make_trace()).scope_spans

    assert (scope_spans.scope.name, scope_spans.scope.version) == ("helmwake", SCOPE_VERSION)
    assert scope_spans.schema_url == "https://opentelemetry.io/schemas/1.44.0"


def test_the_version_that_closed_the_operation_is_the_scopes_too() -> None:
    trace = replace(rich_trace(), resource={"service.version": "0.0.7"})

    [scope_spans] = encoded(trace).scope_spans

    assert scope_spans.scope.version == "0.0.7"


def test_everything_of_a_span_arrives() -> None:
    [scope_spans] = encoded(rich_trace()).scope_spans
    root, child = scope_spans.spans

    assert root.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert root.span_id.hex() == "00f067aa0ba902b7"
    assert root.parent_span_id.hex() == "b7ad6b7169203331"
    assert root.kind == trace_pb2.Span.SPAN_KIND_SERVER
    assert root.status.code == trace_pb2.Status.STATUS_CODE_ERROR
    assert root.status.message == "image shop/cart:3 cannot be pulled (pod cart-6d4f-x2x7q)"
    assert plain(root.attributes) == {
        "helm.release.name": "cart",
        "helm.release.revision": 3,
        "container.image.tags": ["3", "latest"],
        "helmwake.share": 0.5,
        "helmwake.partial": True,
    }
    [link] = root.links
    assert (link.trace_id.hex(), link.span_id.hex()) == (f"{1:032x}", f"{2:016x}")
    assert plain(link.attributes) == {"helmwake.link.type": "previous"}
    [event] = root.events
    assert (event.name, event.time_unix_nano) == (
        "helmwake.k8s_warning",
        root.start_time_unix_nano + 1000,
    )
    assert plain(event.attributes) == {"k8s.event.reason": "Failed"}

    assert child.name == "apply"
    assert child.kind == trace_pb2.Span.SPAN_KIND_INTERNAL
    assert child.parent_span_id == root.span_id
    assert child.status.code == trace_pb2.Status.STATUS_CODE_UNSET


def test_only_a_callers_parent_is_remote() -> None:
    [scope_spans] = encoded(rich_trace()).scope_spans
    root, child = scope_spans.spans

    assert root.flags & trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
    assert not child.flags & trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


def test_spans_are_sampled() -> None:
    contexts = [span.get_span_context() for span in readable_spans(rich_trace())]

    assert all(context is not None and context.trace_flags.sampled for context in contexts)


def test_times_are_exact_to_the_microsecond() -> None:
    [scope_spans] = encoded(rich_trace()).scope_spans

    assert scope_spans.spans[0].start_time_unix_nano == 1_795_435_200_123_457_000
    assert scope_spans.spans[0].end_time_unix_nano == 1_795_435_261_123_458_000


@pytest.mark.parametrize(
    ("time", "nanoseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1, 1, 1, tzinfo=UTC), 0),
        (datetime(9999, 12, 31, tzinfo=UTC), 2**63 - 1),
    ],
)
def test_a_time_out_of_range_becomes_the_nearest_in_it(time: datetime, nanoseconds: int) -> None:
    assert unix_nanoseconds(time) == nanoseconds


def test_a_second_conversion_is_the_same_byte_for_byte() -> None:
    first, second = (
        encode_spans(readable_spans(rich_trace())).SerializeToString() for _ in range(2)
    )

    assert first == second


def test_a_trace_that_still_runs_is_refused() -> None:
    with pytest.raises(UnfinishedTraceError, match="'upgrade shop/cart-1' still runs"):
        readable_spans(make_trace(finished=False))


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("a\ud800b", "a?b"),
        (("\ud800",), ["?"]),
        ("Grüße", "Grüße"),
        (2**63 - 1, 2**63 - 1),
        (2**70, str(2**70)),
    ],
)
def test_a_value_that_otlp_cannot_hold_is_made_to_fit(
    value: AttributeValue, arrives: object
) -> None:
    """The encoder would drop it, and log a traceback with its content."""
    [scope_spans] = encoded(with_attribute(value)).scope_spans

    assert plain(scope_spans.spans[0].attributes) == {"key": arrives}


def test_an_error_without_words_is_an_error() -> None:
    trace = make_trace()
    [scope_spans] = encoded(
        replace(trace, spans=(replace(trace.root, level=Level.ERROR),))
    ).scope_spans

    assert scope_spans.spans[0].status.code == trace_pb2.Status.STATUS_CODE_ERROR
