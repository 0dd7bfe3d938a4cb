"""Running operations as a progress display: a title each, and beneath it how far its parts are."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from helmwake.ledger.entry import Entry
from helmwake.views import words
from helmwake.views.changes import operation_name
from helmwake.views.fitting import clean, join, pad, shorten, wrap
from helmwake.views.glyphs import Glyphs
from helmwake.views.header import DIM, MARGIN
from helmwake.views.progress import Phase, phases
from helmwake.views.verdict import Verdict, look

GAP: Final = 2
MIN_WIDTH: Final = 40
MAX_WIDTH: Final = 100  # or the eye loses the line on its way to the right edge
NAME_SHARE: Final = 0.45
MIN_NAME_CELLS: Final = 14
MAX_BAR_CELLS: Final = 24
MIN_BAR_CELLS: Final = 6
CAUSE_LINES: Final = 2
STYLES: Final = {Verdict.FAILURE: "red", Verdict.RUNNING: "yellow"}


def panel(
    entries: Sequence[Entry], *, width: int, height: int, now: datetime, glyphs: Glyphs
) -> list[Text]:
    """Lay out what runs in at most `height` lines; what does not fit is counted."""
    width = min(max(width, MIN_WIDTH), MAX_WIDTH)
    blocks = [list(_block(entry, width=width, now=now, glyphs=glyphs)) for entry in entries]
    lines: list[Text] = []
    for index, block in enumerate(blocks):
        rest = len(blocks) - index
        # The last line is kept free to say what is left out.
        if len(lines) + len(block) > height - (rest > 1):
            lines = lines[: height - 1]
            return [*lines, Text(f"{words.count(rest, 'more operation')} running", style=DIM)]
        lines += block
    return lines


def _block(entry: Entry, *, width: int, now: datetime, glyphs: Glyphs) -> Iterator[Text]:
    operation = entry.operation
    mark = look(Verdict.RUNNING, glyphs)
    took = f"{_elapsed(operation.started, now)} so far"
    name = shorten(operation_name(entry), width - 2 * MARGIN - len(took), ellipsis=glyphs.ellipsis)
    left = Text.assemble((f"{mark.mark} ", f"bold {mark.style}"), (name, "bold"))
    yield Text.assemble(left, " " * max(width - left.cell_len - len(took), GAP), took)
    keptn = operation.keptn
    names = [name for name in (keptn.project, keptn.stage, keptn.service) if name]
    parts = [clean(part) for part in (" / ".join(names), keptn.context or "") if part]
    for line in join(parts, width - MARGIN, separator=glyphs.separator, ellipsis=glyphs.ellipsis):
        yield Text(" " * MARGIN + line, style=DIM)
    shown = phases(operation)
    if not shown:
        yield Text(" " * MARGIN + "nothing more is known yet", style=DIM)
    cells = max((cell_len(clean(phase.name)) for phase in shown), default=0)
    cells = min(cells, max(int(width * NAME_SHARE), MIN_NAME_CELLS))
    for phase in shown:
        yield _row(phase, cells=cells, width=width, now=now, glyphs=glyphs)
        if phase.cause:
            room = width - 3 * MARGIN
            for line in wrap(
                clean(phase.cause), room, ellipsis=glyphs.ellipsis, lines=CAUSE_LINES
            ):
                yield Text.assemble(" " * 3 * MARGIN, (line, "red"))


def _row(phase: Phase, *, cells: int, width: int, now: datetime, glyphs: Glyphs) -> Text:
    shown = look(phase.verdict, glyphs)
    if phase.verdict is Verdict.RUNNING:
        took = _elapsed(phase.started, now)
    else:
        took = words.duration(phase.ended - phase.started) if phase.ended else ""
    name = pad(shorten(clean(phase.name), cells, ellipsis=glyphs.ellipsis), cells)
    left = Text.assemble(
        " " * MARGIN, (f"{shown.mark} ", shown.style), (name, STYLES.get(phase.verdict, ""))
    )
    room = width - left.cell_len - GAP - GAP - len(took)
    said = shorten(clean(phase.said), room, ellipsis=glyphs.ellipsis)
    bar = min(MAX_BAR_CELLS, room - cell_len(said) - GAP)
    middle = Text()
    if phase.wanted and phase.verdict is Verdict.RUNNING and bar >= MIN_BAR_CELLS:
        middle = _bar(phase, bar, glyphs)
        middle.append(" " * GAP)
    middle.append(said)
    # What fits nowhere else is missed least.
    gap = " " * max(width - left.cell_len - GAP - middle.cell_len - len(took), 0)
    return Text.assemble(left, " " * GAP, middle, gap, (took, DIM))


def _bar(phase: Phase, cells: int, glyphs: Glyphs) -> Text:
    full = cells * phase.ready // phase.wanted
    return Text.assemble((glyphs.bar * full, "green"), (glyphs.bar_open * (cells - full), DIM))


def _elapsed(start: datetime, now: datetime) -> str:
    """In whole seconds: tenths would flicker."""
    seconds = max(int((now - start).total_seconds()), 0)
    return words.duration(timedelta(seconds=seconds)).replace(".0s", "s").replace("0ms", "0s")
