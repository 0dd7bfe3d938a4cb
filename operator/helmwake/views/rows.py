"""A table that grows: rows printed one by one, beneath one heading."""

from collections.abc import Sequence
from typing import TextIO

from rich.text import Text

from helmwake.ledger.entry import Entry
from helmwake.lifecycle.operation import OperationId
from helmwake.views.following import Clock, Endings, LogView, Warn, is_running
from helmwake.views.glyphs import glyphs
from helmwake.views.painting import paint
from helmwake.views.table import CHANGING, ROOM, Table, table_row
from helmwake.views.terminal import Terminal, write


class Rows:
    """Its columns are as wide as what comes first, and as is likely to come."""

    def __init__(self, terminal: Terminal, *, width: int | None, now: Clock) -> None:
        self._terminal = terminal
        self._width = width
        self._now = now
        self._table: Table | None = None

    def draw(self, entries: Sequence[Entry]) -> str:
        """Draw the next rows, at first with the heading."""
        rows = [table_row(entry, now=self._now()) for entry in entries]
        lines: list[Text] = []
        if self._table is None:
            signs = glyphs(unicode=self._terminal.unicode)
            self._table = Table.of([ROOM, *rows], width=self._width, glyphs=signs)
            lines.append(self._table.heading())
        lines += [self._table.line(row) for row in rows]
        return paint(lines, width=self._terminal.width, color=self._terminal.color)


class RowView(LogView):
    """A row for each change that a row can tell: it runs, why it will fail, it ended."""

    def __init__(
        self, stream: TextIO, rows: Rows, *, endings: Endings, now: Clock, warn: Warn
    ) -> None:
        super().__init__(warn)
        self._stream = stream
        self._rows = rows
        self._endings = endings
        self._now = now
        self._known: dict[OperationId, list[str]] = {}

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        super().show(entries, trouble=trouble)
        new = {entry.operation.id for entry in self._endings.news(entries)}
        known, self._known = self._known, {}
        told = []
        for entry in entries:
            key = entry.operation.id
            if is_running(entry):
                self._known[key] = self._said(entry)
            if key in new or (is_running(entry) and known.get(key) != self._known[key]):
                told.append(entry)
        if told:
            write(self._stream, self._rows.draw(told))
        self._stream.flush()

    def _said(self, entry: Entry) -> list[str]:
        row = enumerate(table_row(entry, now=self._now()))
        return [text for column, text in row if column not in CHANGING]
