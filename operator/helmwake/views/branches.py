"""A trace's spans in the order of a tree, each with the lines that lead to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from helmwake.telemetry.spans import Span, Trace
from helmwake.views.glyphs import Glyphs

MARK_CELLS: Final = 2  # a failed span's mark stands before its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    span: Span
    lead: str  # before its name
    below: str  # before what is said beneath it
    cause: str | None  # unless a span below says the same


def branches(trace: Trace, *, glyphs: Glyphs) -> Iterator[Branch]:
    """Walk depth first, siblings by start. A span whose parent is missing is the root's."""
    root = trace.root
    known = {span.context.span_id for span in trace.spans}
    children: dict[int, list[Span]] = {}
    for span in trace.spans[1:]:
        parent = span.parent.span_id if span.parent else 0
        own = span.context.span_id
        parent = parent if parent in known and parent != own else root.context.span_id
        children.setdefault(parent, []).append(span)
    # A stack, since a trace may be as deep as it has spans.
    stack = [(root, "", "")]
    while stack:
        span, lead, below = stack.pop()
        under = children.pop(span.context.span_id, [])
        under.sort(key=lambda child: child.start)
        inner = below + (glyphs.trunk if under else MARK_CELLS * " ")
        said_below = {child.description for child in under}
        yield Branch(
            span=span,
            lead=lead,
            below=inner,
            cause=None if span.description in said_below else span.description,
        )
        for index, child in reversed(list(enumerate(under))):
            last = index == len(under) - 1
            stack.append(
                (
                    child,
                    below + (glyphs.last_branch if last else glyphs.branch),
                    below + ("   " if last else glyphs.trunk),
                )
            )
