"""Traces as waterfalls of text: per operation a header, then its spans on one axis of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from helmwake.telemetry.spans import Span, SpanEvent, Trace
from helmwake.views import words
from helmwake.views.axis import Axis
from helmwake.views.branches import Branch, branches
from helmwake.views.fitting import clean, pad, shorten, wrap
from helmwake.views.glyphs import Glyphs, glyphs
from helmwake.views.header import DIM, MARGIN, header
from helmwake.views.painting import paint
from helmwake.views.verdict import Verdict, look, verdict

MIN_WIDTH: Final = 48  # holds a Keptn context and a trace id: people copy them
GAP: Final = 2
MIN_NAME_CELLS: Final = 14
NAME_SHARE: Final = 0.45  # at most, of the line: the rest is for the bars
MIN_LABEL_CELLS: Final = 8
MAX_EVENTS: Final = 5
CAUSE_LINES: Final = 3
RUNNING: Final = "running"


def render_traces(
    traces: Sequence[Trace],
    *,
    width: int,
    color: bool,
    unicode: bool,
    now: datetime | None = None,
    counted: bool = True,
) -> str:
    """Draw waterfalls and, unless they are but the next of many, a line that counts them.

    What still runs is drawn until `now`, or without it until the last that is known.
    """
    width = max(width, MIN_WIDTH)
    lines = _lines(traces, width, glyphs(unicode=unicode), now, counted=counted)
    return paint(lines, width=width, color=color)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The same for all traces of a page: the eye goes down one edge."""

    name: int
    bar: int
    took: int


def _lines(
    traces: Sequence[Trace], width: int, signs: Glyphs, now: datetime | None, *, counted: bool
) -> Iterator[Text]:
    trees = [list(branches(trace, glyphs=signs)) for trace in traces]
    columns = _columns([branch for tree in trees for branch in tree], width)
    roots = {trace.root.context: trace.root for trace in traces}
    for trace, tree in zip(traces, trees, strict=True):
        end = _end(trace, now)
        yield from header(trace, width=width, end=end, glyphs=signs, roots=roots)
        yield Text()
        axis = Axis(start=trace.root.start, end=end, cells=columns.bar)
        if ruler := axis.ruler():
            yield Text.assemble(" " * (MARGIN + columns.name + GAP), (ruler, DIM))
        for branch in tree:
            yield _row(branch, axis, columns, signs)
            yield from _beneath(branch, width, signs)
        yield Text()
    if counted:
        yield _summary(traces)


def _columns(all_branches: Sequence[Branch], width: int) -> _Columns:
    took = max((len(_took(branch.span)) for branch in all_branches), default=0)
    longest = max((cell_len(_name(branch)) for branch in all_branches), default=0)
    name = min(max(longest, MIN_LABEL_CELLS), max(int(width * NAME_SHARE), MIN_NAME_CELLS))
    return _Columns(name=name, took=took, bar=max(width - MARGIN - name - took - 2 * GAP, 1))


def _name(branch: Branch) -> str:
    mark = "" if verdict(branch.span) in {Verdict.SUCCESS, Verdict.ROLLED_BACK} else "* "
    return branch.lead + mark + clean(branch.span.name)


def _end(trace: Trace, now: datetime | None) -> datetime:
    if trace.root.end is not None:
        return max(trace.root.end, trace.root.start)
    known = [time for span in trace.spans for time in (span.start, span.end) if time is not None]
    known += [event.time for span in trace.spans for event in span.events]
    return max([*known, now] if now else known)


def _took(span: Span) -> str:
    return RUNNING if span.end is None else words.duration(span.end - span.start)


def _row(branch: Branch, axis: Axis, columns: _Columns, signs: Glyphs) -> Text:
    span = branch.span
    found = verdict(span)
    shown = look(found, signs)
    plain = found in {Verdict.SUCCESS, Verdict.ROLLED_BACK}
    mark = "" if plain else f"{shown.mark} "
    name = clean(span.name)
    lead = _last(branch.lead, columns.name - min(cell_len(name) + len(mark), MIN_LABEL_CELLS))
    room = columns.name - len(lead) - len(mark)
    name = shorten(name, room, ellipsis=signs.ellipsis)
    bar = axis.bar(span.start, span.end, glyphs=signs)
    style = "cyan" if plain else shown.style
    return Text.assemble(
        " " * MARGIN,
        (lead, DIM),
        (mark, shown.style),
        (pad(name, room), "red" if found is Verdict.FAILURE else ""),
        " " * GAP,
        (bar.ljust(columns.bar), style),
        " " * GAP,
        (_took(span).rjust(columns.took), shown.style if span.end is None else ""),
    )


def _beneath(branch: Branch, width: int, signs: Glyphs) -> Iterator[Text]:
    """Say why it failed, where the header has not, and what happened meanwhile."""
    lead = Text.assemble(" " * MARGIN, (_last(branch.below, width // 2), DIM))
    room = width - lead.cell_len
    if branch.cause and branch.lead:
        for line in wrap(clean(branch.cause), room, ellipsis=signs.ellipsis, lines=CAUSE_LINES):
            yield Text.assemble(lead, (line, "red"))
    events = sorted(branch.span.events, key=lambda event: event.time)
    for event in events[:MAX_EVENTS]:
        said = f"{words.offset(event.time - branch.span.start)} {_event(event)}"
        yield Text.assemble(lead, (shorten(said, room, ellipsis=signs.ellipsis), DIM))
    if len(events) > MAX_EVENTS:
        more = words.count(len(events) - MAX_EVENTS, "more event")
        yield Text.assemble(lead, (more, DIM))


def _last(lead: str, cells: int) -> str:
    """Where a tree is deeper than there is room, its outer lines give way."""
    return lead[max(len(lead) - max(cells, 0), 0) :]


def _event(event: SpanEvent) -> str:
    values = [str(value) for value in event.attributes.values() if isinstance(value, str)]
    name = event.name.removeprefix("helmwake.").removeprefix("k8s_")
    return clean(" ".join([name, *values]))


def _summary(traces: Sequence[Trace]) -> Text:
    found = [verdict(trace.root) for trace in traces]
    failed, running = found.count(Verdict.FAILURE), found.count(Verdict.RUNNING)
    parts = [
        (words.count(len(traces), "operation"), "bold"),
        (f", {failed} failed", "red" if failed else ""),
    ]
    if running:
        parts.append((f", {running} running", "yellow"))
    return Text.assemble(*parts)
