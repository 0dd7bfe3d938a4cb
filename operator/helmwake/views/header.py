"""What is said of an operation before its waterfall: how it went, why, and how to find it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from helmwake.telemetry import semconv
from helmwake.telemetry.semconv import Key
from helmwake.telemetry.spans import Link, Span, SpanContext, Trace
from helmwake.views import words
from helmwake.views.fitting import clean, join, shorten, wrap
from helmwake.views.glyphs import Glyphs
from helmwake.views.verdict import Verdict, look, result, verdict

MARGIN: Final = 2  # the mark stands in it
LABEL_CELLS: Final = 7
MIN_NAME_CELLS: Final = 12
DIM: Final = "dim"
OTHER_ERROR: Final = "_OTHER"

LINK_WORDS: Final[Mapping[str, str]] = {
    "previous": "follows",
    "remedied": "remedies",
    "rollback_target": "returns to",
    "upstream": "called by",
    "keptn_phase": "deployed in Keptn's",
}


def header(
    trace: Trace,
    *,
    width: int,
    end: datetime,
    glyphs: Glyphs,
    roots: Mapping[SpanContext, Span],
) -> Iterator[Text]:
    """Lay out the lines above a waterfall. `roots` are the operations that links may name."""
    root = trace.root
    yield _title(root, width=width, end=end, glyphs=glyphs)
    if root.description:
        room = width - MARGIN
        for line in wrap(clean(root.description), room, ellipsis=glyphs.ellipsis, lines=3):
            yield Text.assemble(" " * MARGIN, (line, "red"))
    for label, parts in _facts(root, roots):
        room = width - MARGIN - LABEL_CELLS
        lines = join(parts, room, separator=glyphs.separator, ellipsis=glyphs.ellipsis)
        for index, line in enumerate(lines):
            said = label if index == 0 else ""
            style = DIM if label == "link" else ""
            yield Text.assemble(" " * MARGIN, (said.ljust(LABEL_CELLS), DIM), (line, style))


def _title(root: Span, *, width: int, end: datetime, glyphs: Glyphs) -> Text:
    shown = look(verdict(root), glyphs)
    name, said, error = clean(root.name), clean(result(root)), _error(root)
    began = " " * MARGIN + words.moment(root.start)
    took = words.duration(end - root.start) + (" so far" if root.end is None else "")
    room = width - 3 * MARGIN - len(said) - len(took)
    wanted = min(cell_len(name), MIN_NAME_CELLS)
    # What is missed least where there is no room: first when it began, then the kind of error.
    began = began if room - len(error) - len(began) >= wanted else ""
    error = error if room - len(error) >= wanted else ""
    name = shorten(name, room - len(error) - len(began), ellipsis=glyphs.ellipsis)
    left = Text.assemble(
        (f"{shown.mark} ", f"bold {shown.style}"),
        (name, "bold"),
        " " * MARGIN,
        (said + error, shown.style),
        (began, DIM),
    )
    # The duration stands over those of the spans.
    return Text.assemble(left, " " * max(width - left.cell_len - len(took), MARGIN), took)


def _error(root: Span) -> str:
    """Say the type of a failure, where that says more than the result."""
    error = clean(str(root.attributes.get(semconv.ERROR_TYPE.name, "")))
    more = verdict(root) is Verdict.FAILURE and error not in {"", OTHER_ERROR, result(root)}
    return f" ({error})" if more else ""


def _facts(root: Span, roots: Mapping[SpanContext, Span]) -> Iterator[tuple[str, list[str]]]:
    chart = " ".join(_values(root, semconv.CHART_NAME, semconv.CHART_VERSION))
    app = "".join(f"app {value}" for value in _values(root, semconv.CHART_APP_VERSION))
    revision = "".join(f"revision {value}" for value in _values(root, semconv.RELEASE_REVISION))
    back = "".join(
        f"back to revision {value}" for value in _values(root, semconv.ROLLBACK_REVISION)
    )
    if parts := [part for part in (chart, app, revision, back) if part]:
        yield "chart", parts
    delivery = " / ".join(
        _values(root, semconv.KEPTN_PROJECT, semconv.KEPTN_STAGE, semconv.KEPTN_SERVICE)
    )
    context = "".join(_values(root, semconv.KEPTN_CONTEXT))
    if context and root.attributes.get(semconv.KEPTN_INHERITED.name):
        context += " (inherited)"
    if parts := [part for part in (delivery, context) if part]:
        yield "keptn", parts
    yield "trace", [f"{root.context.trace_id:032x}"]
    if root.links:
        yield "link", [_link(link, roots) for link in root.links]


def _values(root: Span, *keys: Key) -> list[str]:
    return [clean(str(root.attributes[key.name])) for key in keys if root.attributes.get(key.name)]


def _link(link: Link, roots: Mapping[SpanContext, Span]) -> str:
    kind = clean(str(link.attributes.get(semconv.LINK_TYPE.name, "linked to")))
    said = LINK_WORDS.get(kind, kind.replace("_", " "))
    target = roots.get(link.context)
    if target is None:
        return f"{said} trace {link.context.trace_id:032x}"
    revision = target.attributes.get(semconv.RELEASE_REVISION.name)
    return f"{said} {clean(target.name)}" + (f"#{revision}" if revision else "")
