"""Spans as Jaeger's query API and as OTLP/JSON give them, in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ROOT_KIND: Final = "server"
RESULTS: Final = ("cicd.pipeline.result", "cicd.pipeline.task.run.result")
Attribute = str | int | float | bool
Context = tuple[str, str]  # of a span: trace and span id, in hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as a backend shows it."""

    context: Context
    parent: Context | None
    links: tuple[Context, ...]
    name: str
    start: datetime
    end: datetime
    attributes: Mapping[str, Attribute]
    resource: Mapping[str, Attribute]
    kind: str
    failed: bool
    description: str

    def __getitem__(self, key: str) -> Attribute | None:
        return self.attributes.get(key)

    @property
    def is_root(self) -> bool:
        return self.kind == ROOT_KIND

    @property
    def verdict(self) -> str:
        """The result, and the error type where there is one."""
        result = next((self.attributes[key] for key in RESULTS if key in self.attributes), "none")
        error = self["error.type"]
        return f"{result} {error}" if error else str(result)

    @property
    def operation(self) -> tuple[str, int]:
        """Kind and revision of the operation it belongs to."""
        kind, revision = self["helm.release.operation"], self["helm.release.revision"]
        assert isinstance(revision, int)
        return str(kind), revision

    @property
    def run(self) -> str:
        """Names its operation: several may share one trace."""
        return str(self.resource["cicd.pipeline.run.id"])

    @property
    def identity(self) -> tuple[Context, Context | None, str, str]:
        """What a replay must give as well."""
        return self.context, self.parent, self.name, self.verdict


def from_jaeger(traces: Iterable[Any]) -> list[Span]:
    """Read what Jaeger's /api/traces gives; each span once."""
    found = [_of_jaeger(trace, span) for trace in traces for span in trace["spans"]]
    return sorted(found, key=lambda span: (span.start, not span.is_root))


def from_otlp(request: Any) -> list[Span]:
    """Read an ExportTraceServiceRequest in JSON."""
    return [
        _of_otlp(span, _attributes(batch["resource"]["attributes"]))
        for batch in request["resourceSpans"]
        for scope in batch["scopeSpans"]
        for span in scope["spans"]
    ]


def _of_jaeger(trace: Any, span: Any) -> Span:
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    process = trace["processes"][span["processID"]]
    resource = {tag["key"]: tag["value"] for tag in process.get("tags", [])}
    references = [
        (each["refType"], (each["traceID"], each["spanID"])) for each in span["references"] or []
    ]
    start = EPOCH + timedelta(microseconds=span["startTime"])
    return Span(
        context=(span["traceID"], span["spanID"]),
        parent=next((to for kind, to in references if kind == "CHILD_OF"), None),
        links=tuple(to for kind, to in references if kind == "FOLLOWS_FROM"),
        name=span["operationName"],
        start=start,
        end=start + timedelta(microseconds=span["duration"]),
        attributes=tags,
        resource={"service.name": process["serviceName"], **resource},
        kind=tags.get("span.kind", ""),
        failed=tags.get("otel.status_code") == "ERROR",
        description=tags.get("otel.status_description", ""),
    )


def _of_otlp(span: Any, resource: Mapping[str, Attribute]) -> Span:
    trace, parent = span["traceId"], span.get("parentSpanId")
    status = span.get("status", {})
    return Span(
        context=(trace, span["spanId"]),
        parent=(trace, parent) if parent else None,
        links=tuple((link["traceId"], link["spanId"]) for link in span.get("links", [])),
        name=span["name"],
        start=_time(span["startTimeUnixNano"]),
        end=_time(span["endTimeUnixNano"]),
        attributes=_attributes(span.get("attributes", [])),
        resource=resource,
        kind={"2": ROOT_KIND, "SPAN_KIND_SERVER": ROOT_KIND}.get(str(span["kind"]), ""),
        failed=status.get("code") in {2, "STATUS_CODE_ERROR"},
        description=status.get("message", ""),
    )


def _attributes(listed: Iterable[Any]) -> dict[str, Attribute]:
    return {each["key"]: _value(each["value"]) for each in listed}


def _value(value: Mapping[str, Any]) -> Attribute:
    kind, found = next(iter(value.items()))
    return int(found) if kind == "intValue" else found


def _time(nanoseconds: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)
