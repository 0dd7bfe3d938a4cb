"""The one adapter from our spans to OpenTelemetry's.

`ReadableSpan` is built directly, which its docstring advises against: the tracer gives no way
to set ids, links and times afterwards. tests/telemetry/test_readable.py pins what we rely on
against the real encoder.

Nothing random and nothing of the environment goes in: a trace converted twice is the same byte
for byte, or a backend would show a re-sent one twice.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from helmwake.telemetry.semconv import SERVICE_VERSION
from helmwake.telemetry.spans import (
    Attributes,
    AttributeValue,
    Kind,
    Level,
    Link,
    Span,
    SpanContext,
    SpanEvent,
    Trace,
)
from helmwake.version import VERSION

SCOPE_NAME: Final = "helmwake"
SCOPE_VERSION: Final = VERSION  # ours; a trace may be of another
SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_INT64_MAX: Final = 2**63 - 1
_SAMPLED: Final = otel.TraceFlags(otel.TraceFlags.SAMPLED)
_KINDS: Final = {Kind.SERVER: otel.SpanKind.SERVER, Kind.INTERNAL: otel.SpanKind.INTERNAL}


class UnfinishedTraceError(ValueError):
    """A trace with a span that still runs. It is shown, and never sent."""

    def __init__(self, trace: Trace) -> None:
        running = next(span.name for span in trace.spans if span.end is None)
        super().__init__(f"{trace.root.name}: the span {running!r} still runs")


def readable_spans(trace: Trace) -> tuple[ReadableSpan, ...]:
    """Convert a finished trace, in its own order.

    Raises:
        UnfinishedTraceError: a span of it has no end.
    """
    if not trace.finished:
        raise UnfinishedTraceError(trace)
    # Not Resource.create: that adds a random service.instance.id and the environment's keys.
    resource = Resource(_attributes(trace.resource), SCHEMA_URL)
    scope = InstrumentationScope(SCOPE_NAME, _version(trace), SCHEMA_URL)
    return tuple(_readable(span, resource, scope) for span in trace.spans)


def unix_nanoseconds(time: datetime) -> int:
    """Nanoseconds since 1970, exact to the microsecond.

    `timestamp()` is a float and loses the last digits. What OTLP or a backend's int64 cannot
    hold (a record may claim any time) is moved to the nearest time that fits.
    """
    return min(max((time - _EPOCH) // _MICROSECOND * 1000, 0), _INT64_MAX)


def _version(trace: Trace) -> str:
    """Return the version that closed the operation, as its Resource has it: the scope's too."""
    told = trace.resource.get(SERVICE_VERSION.name)
    return _text(told) if isinstance(told, str) else SCOPE_VERSION


def _readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    return ReadableSpan(
        name=_text(span.name),
        context=_context(span.context),
        parent=_context(span.parent, remote=span.parent_is_remote) if span.parent else None,
        resource=resource,
        attributes=_attributes(span.attributes),
        events=tuple(_event(event) for event in span.events),
        links=tuple(_link(link) for link in span.links),
        kind=_KINDS[span.kind],
        status=_status(span),
        start_time=unix_nanoseconds(span.start),
        end_time=unix_nanoseconds(span.end) if span.end else None,
        instrumentation_scope=scope,
    )


def _context(context: SpanContext, *, remote: bool = False) -> otel.SpanContext:
    return otel.SpanContext(
        trace_id=context.trace_id,
        span_id=context.span_id,
        is_remote=remote,
        trace_flags=_SAMPLED,
    )


def _status(span: Span) -> otel.Status:
    if span.level is Level.UNSET:
        return otel.Status()
    return otel.Status(otel.StatusCode.ERROR, _text(span.description or "") or None)


def _link(link: Link) -> otel.Link:
    return otel.Link(_context(link.context), _attributes(link.attributes))


def _event(event: SpanEvent) -> Event:
    return Event(_text(event.name), _attributes(event.attributes), unix_nanoseconds(event.time))


def _attributes(attributes: Attributes) -> dict[str, str | int | float | bool | tuple[str, ...]]:
    return {_text(key): _value(value) for key, value in attributes.items()}


def _value(value: AttributeValue) -> str | int | float | bool | tuple[str, ...]:
    """What the encoder takes: it drops, with a traceback in the log, what OTLP cannot hold."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return tuple(_text(item) for item in value)
    if isinstance(value, int) and not -_INT64_MAX <= value <= _INT64_MAX:
        return str(value)  # a release may be called v99999999999999999999
    return value


def _text(text: str) -> str:
    """Replace lone surrogates, which JSON can bring in and UTF-8 cannot take out."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
