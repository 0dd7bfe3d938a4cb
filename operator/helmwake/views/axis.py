"""A trace's time, laid out over the cells of a line."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from helmwake.views import words
from helmwake.views.glyphs import Glyphs

HALVES: Final = 2  # a cell shows which of its halves a bar covers
OPEN_CELLS: Final = 3
MIN_TICK_CELLS: Final = 8
MAX_TICKS: Final = 8
STEPS_MS: Final = (
    1, 2, 5, 10, 20, 50, 100, 200, 500,
    *(1000 * seconds for seconds in (1, 2, 5, 10, 20, 30)),
    *(60_000 * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(3_600_000 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 168, 720, 8760)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    start: datetime
    end: datetime
    cells: int

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def bar(self, start: datetime, end: datetime | None, *, glyphs: Glyphs) -> str:
        """Draw from start to end; one that still runs fades out at the axis' end.

        What is too short to be seen is half a cell, never nothing.
        """
        first = min(self._halves(start), self.cells * HALVES - 1)
        last = max(self._halves(end or self.end), first + 1)
        cells = [
            _cell(2 * index in range(first, last), 2 * index + 1 in range(first, last), glyphs)
            for index in range((last + 1) // HALVES)
        ]
        if end is None:
            begin = max(len(cells) - OPEN_CELLS, first // HALVES)
            cells[begin:] = [glyphs.bar_open] * (len(cells) - begin)
        return "".join(cells)

    def ruler(self) -> str:
        """Write round times over the cells where they are; empty if nothing took any time."""
        total_ms = self.length / timedelta(milliseconds=1)
        wanted = total_ms * max(MIN_TICK_CELLS / self.cells, 1 / MAX_TICKS)
        step = next((step for step in STEPS_MS if step >= wanted), None)
        if total_ms <= 0 or step is None:
            return ""
        line = ""
        for at_ms in range(0, int(total_ms) + 1, step):
            label = _label(at_ms)
            cell = int(at_ms / total_ms * self.cells)
            if cell + len(label) > self.cells:
                break
            line = line.ljust(cell) + label
        return line

    def _halves(self, time: datetime) -> int:
        if not self.length:
            return 0
        share = (time - self.start) / self.length
        return round(min(max(share, 0.0), 1.0) * self.cells * HALVES)


def _cell(left: bool, right: bool, glyphs: Glyphs) -> str:  # noqa: FBT001
    match left, right:
        case True, True:
            return glyphs.bar
        case True, False:
            return glyphs.bar_left
        case False, True:
            return glyphs.bar_right
    return " "


def _label(at_ms: int) -> str:
    """Without the zeros: 0, 500ms, 10s, 2m, 1m 30s."""
    if at_ms == 0:
        return "0"
    text = words.duration(timedelta(milliseconds=at_ms))
    return text.replace(".0s", "s").replace(" 00s", "").replace(" 00m", "").replace(" 00h", "")
