"""Spans of our own: what a trace is before any library or backend sees it.

A running operation has spans without an end; they are shown, and never sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

AttributeValue = str | int | float | bool | tuple[str, ...]
Attributes = Mapping[str, AttributeValue]


class Kind(StrEnum):
    SERVER = "SERVER"
    INTERNAL = "INTERNAL"


class Level(StrEnum):
    """A span's status code. Unset on success, skip and cancellation."""

    UNSET = "UNSET"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanContext:
    trace_id: int  # 128 bits, never zero
    span_id: int  # 64 bits, never zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    context: SpanContext
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    name: str
    time: datetime
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    name: str
    kind: Kind = Kind.INTERNAL
    context: SpanContext
    parent: SpanContext | None = None
    parent_is_remote: bool = False  # the parent is a caller's `traceparent`
    start: datetime
    end: datetime | None  # None: it still runs
    attributes: Attributes
    level: Level = Level.UNSET
    description: str | None = None  # only with Level.ERROR
    links: Sequence[Link] = ()
    events: Sequence[SpanEvent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Everything about one operation: root first, parents before their children.

    `resource` is whole: a re-sent trace must be byte for byte the same.
    """

    resource: Attributes
    spans: tuple[Span, ...]

    @property
    def root(self) -> Span:
        return self.spans[0]

    @property
    def finished(self) -> bool:
        return all(span.end is not None for span in self.spans)
