"""Operations as a table, a line each: for eyes that go down a column."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from helmwake.ledger.entry import Entry
from helmwake.views import words
from helmwake.views.entries import RUNNING, UNKNOWN, Ending, ending, last_known
from helmwake.views.fitting import clean, pad, shorten
from helmwake.views.glyphs import Glyphs
from helmwake.views.header import DIM

GAP: Final = 2
NOTHING: Final = "-"
COLUMNS: Final = (
    "NAMESPACE",
    "RELEASE",
    "REV",
    "OPERATION",
    "RESULT",
    "CAUSE",
    "DURATION",
    "STARTED",
    "KEPTN CONTEXT",
    "TRACE ID",
)
RESULT: Final = COLUMNS.index("RESULT")
CHANGING: Final = {COLUMNS.index("DURATION"), COLUMNS.index("STARTED")}
# Room for what is yet to come, where rows are printed one by one.
ROOM: Final = tuple("x" * cells for cells in (14, 14, 3, 9, 12, 26, 8, 8, 36, 32))
# What gives way where there is no room, in this order: a column is shortened to no less than so
# many cells, and without any it goes. An id is whole or not there: nobody can copy half of it.
GIVING_WAY: Final = (
    ("CAUSE", 28),
    ("TRACE ID", 0),
    ("KEPTN CONTEXT", 0),
    ("CAUSE", 17),
    ("RELEASE", 16),
    ("NAMESPACE", 16),
    ("CAUSE", 12),
    ("STARTED", 0),
    ("CAUSE", 8),
    ("RELEASE", 8),
    ("NAMESPACE", 9),
)
STYLES: Final = {
    "success": "green",
    "failure": "red",
    "timeout": "red",
    "error": "red",
    RUNNING: "yellow",
    UNKNOWN: "dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The widths of a table's columns; those that are not there have no room."""

    columns: Sequence[int]  # by their number
    widths: Sequence[int]
    ellipsis: str | None  # None: what is longer than its column is whole all the same

    @classmethod
    def of(cls, rows: Iterable[Sequence[str]], *, width: int | None, glyphs: Glyphs) -> "Table":
        """Fit rows into `width` cells; None is a pipe, where everything is whole."""
        cells = [
            max(cell_len(text) for text in column) for column in zip(COLUMNS, *rows, strict=True)
        ]
        left = {name: cells[number] for number, name in enumerate(COLUMNS)}
        if width is not None:
            for name, least in GIVING_WAY:
                missing = max(_needed(left) - width, 0)
                if least:
                    left[name] -= min(missing, max(left[name] - least, 0))
                elif missing:
                    del left[name]
            # What a column left behind when it went.
            spare = max(width - _needed(left), 0)
            left["CAUSE"] = min(left["CAUSE"] + spare, cells[COLUMNS.index("CAUSE")])
        return cls(
            columns=[COLUMNS.index(name) for name in left],
            widths=list(left.values()),
            ellipsis=None if width is None else glyphs.ellipsis,
        )

    def heading(self) -> Text:
        return Text((" " * GAP).join(self._cells(COLUMNS)).rstrip(), style=DIM)

    def line(self, row: Sequence[str]) -> Text:
        cells = list(self._cells(row))
        text = Text((" " * GAP).join(cells).rstrip())
        before = sum(cell_len(cell) + GAP for cell in cells[: self.columns.index(RESULT)])
        text.stylize(STYLES.get(row[RESULT], DIM), before, before + len(row[RESULT]))
        return text

    def _numbered(self) -> Iterator[tuple[int, int]]:
        return zip(self.columns, self.widths, strict=True)

    def _cells(self, row: Sequence[str]) -> Iterator[str]:
        for number, width in self._numbered():
            text = row[number]
            if self.ellipsis is not None:
                text = shorten(text, width, ellipsis=self.ellipsis)
            yield pad(text, width)


def _needed(columns: dict[str, int]) -> int:
    return sum(columns.values()) + GAP * (len(columns) - 1)


def table_lines(
    entries: Iterable[Entry], *, width: int | None, now: datetime, glyphs: Glyphs
) -> list[Text]:
    """Lay out a table with its heading."""
    rows = [table_row(entry, now=now) for entry in entries]
    table = Table.of(rows, width=width, glyphs=glyphs)
    return [table.heading(), *(table.line(row) for row in rows)]


def table_row(entry: Entry, *, now: datetime) -> tuple[str, ...]:
    operation, end = entry.operation, ending(entry)
    payload = operation.payload
    until = now if end.result == RUNNING else operation.ended or last_known(operation)
    return tuple(
        clean(text) or NOTHING
        for text in (
            payload.namespace if payload else operation.release.namespace,
            operation.release.name,
            str(operation.revision),
            operation.kind.value,
            end.result,
            _cause(end),
            words.duration(until - operation.started),
            f"{age(now - operation.started)} ago",
            operation.keptn.context or "",
            entry.trace_id,
        )
    )


def age(length: timedelta) -> str:
    """In one unit, as kubectl does: 45s, 12m, 3h, 5d."""
    seconds = max(int(length.total_seconds()), 0)
    for unit, size in (("d", words.DAY), ("h", words.HOUR), ("m", words.MINUTE)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _cause(end: Ending) -> str:
    """The kind of error is one of few words; where it says nothing, what does."""
    if end.error is None or end.error == "_OTHER":
        return end.cause or ""
    return "" if end.error == end.result else end.error
