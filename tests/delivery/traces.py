"""Traces to deliver."""

from datetime import UTC, datetime, timedelta
from typing import Final

from helmwake.telemetry.spans import Kind, Level, Link, Span, SpanContext, SpanEvent, Trace

NOON: Final = datetime(2026, 11, 23, 12, 0, 0, 123457, tzinfo=UTC)


def make_trace(
    number: int = 1,
    *,
    spans: int = 1,
    padding: int = 0,
    finished: bool = True,
) -> Trace:
    """A trace of `spans` spans; `padding` characters of attribute on each make it large."""
    trace_id = 0xABCDEF_00000000_00000000_0000 + number
    root = SpanContext(trace_id=trace_id, span_id=(number << 16) + 1)
    attributes = {"helm.release.name": f"cart-{number}"} | (
        {"padding": "x" * padding} if padding else {}
    )
    end = NOON + timedelta(seconds=5) if finished else None
    return Trace(
        resource={"service.name": "helmwake", "cicd.pipeline.run.id": f"run-{number}"},
        spans=(
            Span(
                name=f"upgrade shop/cart-{number}",
                kind=Kind.SERVER,
                context=root,
                start=NOON,
                end=end,
                attributes=attributes,
            ),
            *(
                Span(
                    name=f"rollout deployment/{index}",
                    context=SpanContext(trace_id=trace_id, span_id=(number << 16) + index),
                    parent=root,
                    start=NOON,
                    end=end,
                    attributes=attributes,
                )
                for index in range(2, spans + 1)
            ),
        ),
    )


def rich_trace() -> Trace:
    """One of everything a trace can hold."""
    root = SpanContext(trace_id=0x0AF7651916CD43DD8448EB211C80319C, span_id=0x00F067AA0BA902B7)
    caller = SpanContext(trace_id=root.trace_id, span_id=0xB7AD6B7169203331)
    other = SpanContext(trace_id=0x1, span_id=0x2)
    return Trace(
        resource={
            "service.name": "helmwake",
            "service.version": "0.1.0",
            "cicd.pipeline.name": "shop/cart",
        },
        spans=(
            Span(
                name="upgrade shop/cart",
                kind=Kind.SERVER,
                context=root,
                parent=caller,
                parent_is_remote=True,
                start=NOON,
                end=NOON + timedelta(seconds=61, microseconds=1),
                attributes={
                    "helm.release.name": "cart",
                    "helm.release.revision": 3,
                    "container.image.tags": ("3", "latest"),
                    "helmwake.share": 0.5,
                    "helmwake.partial": True,
                },
                level=Level.ERROR,
                description="image shop/cart:3 cannot be pulled (pod cart-6d4f-x2x7q)",
                links=(Link(context=other, attributes={"helmwake.link.type": "previous"}),),
                events=(
                    SpanEvent(
                        name="helmwake.k8s_warning",
                        time=NOON + timedelta(microseconds=1),
                        attributes={"k8s.event.reason": "Failed"},
                    ),
                ),
            ),
            Span(
                name="apply",
                context=SpanContext(trace_id=root.trace_id, span_id=0x3),
                parent=root,
                start=NOON,
                end=NOON + timedelta(seconds=2),
                attributes={},
            ),
        ),
    )
