"""Traces built by hand, as the telemetry room would build them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from helmwake.telemetry.spans import (
    AttributeValue,
    Kind,
    Level,
    Link,
    Span,
    SpanContext,
    SpanEvent,
    Trace,
)

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
CONTEXT = "6c1f7c1e-95ab-4d6d-8b5f-0d7a4c3e2b10"
IMAGE = "image shop/cart:3 cannot be pulled (pod cart-6d4f8b7c9-x2x7q)"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ids(trace: int, span: int) -> SpanContext:
    return SpanContext(
        trace_id=0x4BF92F3577B34DA6A3CE929D0E0E4700 + trace, span_id=(trace << 32) + span
    )


def span(
    trace: int,
    number: int,
    name: str,
    start: float,
    end: float | None,
    *,
    parent: int | None = 1,
    cause: str | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
    links: Sequence[Link] = (),
    events: Sequence[SpanEvent] = (),
) -> Span:
    return Span(
        name=name,
        kind=Kind.SERVER if parent is None else Kind.INTERNAL,
        context=ids(trace, number),
        parent=None if parent is None else ids(trace, parent),
        start=at(start),
        end=None if end is None else at(end),
        attributes=attributes or {},
        level=Level.ERROR if cause else Level.UNSET,
        description=cause,
        links=links,
        events=events,
    )


def operation(
    revision: int, kind: str = "upgrade", *, result: str | None = None, error: str | None = None
) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "helm.release.name": "cart",
        "helm.release.revision": revision,
        "helm.release.operation": kind,
        "helm.chart.name": "cart",
        "helm.chart.version": f"1.4.{revision}",
        "helm.chart.app_version": "2.0.1",
        "keptn.context": CONTEXT,
        "keptn.project": "sockshop",
        "keptn.stage": "production",
        "keptn.service": "carts",
    }
    if result:
        attributes["cicd.pipeline.result"] = result
    if error:
        attributes["error.type"] = error
    return attributes


def link(trace: int, kind: str) -> Link:
    return Link(context=ids(trace, 1), attributes={"helmwake.link.type": kind})


def of(*spans: Span) -> Trace:
    return Trace(resource={}, spans=spans)


def good() -> Trace:
    return of(
        span(
            1,
            1,
            "upgrade shop/cart",
            0,
            24.31,
            parent=None,
            attributes=operation(2, result="success"),
        ),
        span(1, 2, "apply", 0, 9.12),
        span(1, 3, "hook pre-upgrade migrate", 0.42, 5.61, parent=2),
        span(1, 4, "rollout deployment/cart", 8.9, 24.31),
        span(1, 5, "rollout deployment/cart-worker", 9.0, 15.2),
    )


def failed() -> Trace:
    warning = SpanEvent(
        name="helmwake.k8s_warning",
        time=at(74.2),
        attributes={"reason": "Failed", "message": 'Back-off pulling image "shop/cart:3"'},
    )
    return of(
        span(
            2, 1, "upgrade shop/cart", 60, 102.3, parent=None, cause=IMAGE,
            attributes=operation(3, result="failure", error="image_pull_failed"),
            links=[link(1, "previous")],
        ),
        span(2, 2, "apply", 60, 64.6, parent=1),
        span(2, 3, "hook pre-upgrade migrate", 60.4, 63.9, parent=2),
        span(2, 4, "rollout deployment/cart", 64.1, 102.3, cause=IMAGE, events=[warning]),
        span(2, 5, "rollout deployment/cart-worker", 64.2, 71.8),
    )  # fmt: skip


def rollback() -> Trace:
    return of(
        span(
            3, 1, "rollback shop/cart", 103, 109.4, parent=None,
            attributes={
                **operation(4, "rollback", result="success"),
                "helm.release.rollback.revision": 2,
                "keptn.context.inherited": True,
            },
            links=[link(2, "remedied"), link(1, "rollback_target")],
        ),
        span(3, 2, "apply", 103, 103.85),
        span(3, 3, "rollout deployment/cart", 103.6, 109.4),
    )  # fmt: skip


def running() -> Trace:
    return of(
        span(4, 1, "upgrade shop/cart", 200, None, parent=None, attributes=operation(5)),
        span(4, 2, "apply", 200, 202.5),
        span(4, 3, "rollout deployment/cart", 202.1, None),
    )


def cancelled() -> Trace:
    return of(
        span(
            5, 1, "install shop/db", 0, 3.2, parent=None,
            attributes={"cicd.pipeline.result": "cancellation", "error.type": "cancelled"},
        ),
        span(5, 2, "apply", 0, 3.2, attributes={"cicd.pipeline.task.run.result": "cancellation"}),
    )  # fmt: skip


def many() -> Trace:
    """Sixty spans, some below others."""
    hooks = [span(6, 2 + n, f"hook post-install step-{n:02}", n, n + 1) for n in range(29)]
    startups = [
        span(6, 40 + n, f"pod startup cart-{n}", 29 + n / 10, 32 + n, parent=31) for n in range(29)
    ]
    return of(
        span(6, 1, "install shop/cart", 0, 61, parent=None, attributes=operation(1, "install")),
        *hooks,
        span(6, 31, "rollout deployment/cart", 29, 61),
        *startups,
    )


def long_names() -> Trace:
    long = "a-very-long-release-name-that-somebody-thought-was-good"
    words = "the Job cannot be created because the quota of the namespace is exhausted; " * 8
    event = SpanEvent(name="helmwake.k8s_warning", time=at(1), attributes={"message": words})
    attributes = {
        **operation(3),
        "cicd.pipeline.result": "failure",
        "error.type": "progress_deadline_exceeded",
        "helm.chart.name": long * 3,
        "keptn.context": long * 2,
        "keptn.project": long,
    }
    return of(
        span(
            7, 1, f"upgrade {long}/{long}", 0, 7265, parent=None, cause=words,
            attributes=attributes, links=[link(99, "upstream"), link(98, "something_new")],
        ),
        span(
            7, 2, f"rollout deployment/{long}-{long}-7f9c", 2, 7265, cause=f"{words}!",
            events=[event] * 9,
        ),
    )  # fmt: skip


def instant() -> Trace:
    return of(
        span(8, 1, "uninstall shop/cart", 0, 0, parent=None, attributes=operation(1, "uninstall")),
        span(8, 2, "hook pre-delete drain", 0, 0),
    )


def nearly_instant() -> Trace:
    return of(
        span(9, 1, "upgrade shop/cart", 0, 100, parent=None),
        span(9, 2, "hook pre-upgrade first", 0, 0.001),
        span(9, 3, "hook pre-upgrade middle", 50, 50),
        span(9, 4, "hook post-upgrade last", 100, 100),
    )


def wide() -> Trace:
    """Kubernetes has no such names, but causes and contexts are anybody's."""
    return of(
        span(
            10, 1, "upgrade 商店/購物車", 0, 4, parent=None,
            cause="映像檔無法下載 \x1b[31mred\x1b[0m \u202eesrever\n[bold]second[/bold] :smile:",
            attributes={**operation(1), "keptn.service": "購物車"},
        ),
        span(10, 2, "rollout deployment/購物車-購物車-購物車-購物車-購物車-購物車", 1, 4),
        span(10, 3, "hook e\u0301te\u0301", 0, 2),
    )  # fmt: skip


def deep() -> Trace:
    spans = [span(11, n, f"level {n}", n, 60 - n, parent=n - 1) for n in range(2, 25)]
    return of(span(11, 1, "upgrade shop/cart", 0, 60, parent=None), *spans)
