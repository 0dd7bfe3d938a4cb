"""How what was found is printed: at once, or as it changes."""

import json
import os
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, TextIO

from helmwake.app.asking.following import View
from helmwake.delivery.otlp_json import otlp_json
from helmwake.ledger.entry import Entry
from helmwake.views.documents import document
from helmwake.views.entries import entry_trace
from helmwake.views.following import Clock, Endings, JsonLinesView, LineView, LiveView, LogView
from helmwake.views.glyphs import glyphs
from helmwake.views.painting import paint
from helmwake.views.rows import Rows, RowView
from helmwake.views.screen import Screen, can_move
from helmwake.views.table import table_lines
from helmwake.views.terminal import Terminal, print_traces, write
from helmwake.views.tree import render_traces

NOT_WRITTEN: Final = "not final, and not written"


class Form(StrEnum):
    TREE = "tree"
    WIDE = "wide"
    JSON = "json"
    OTLP_JSON = "otlp-json"

    @property
    def for_scripts(self) -> bool:
        return self in {Form.JSON, Form.OTLP_JSON}


class Output:
    """Prints entries in one form; `warn` tells what is not part of it."""

    def __init__(
        self, form: Form, stream: TextIO, *, now: Clock, warn: Callable[[str], None]
    ) -> None:
        self._form = form
        self._stream = stream
        self._now = now
        self._warn = warn

    @property
    def moves(self) -> bool:
        """It goes to a terminal whose lines can change in place."""
        return not self._form.for_scripts and can_move(self._stream, os.environ)

    @property
    def for_scripts(self) -> bool:
        return self._form.for_scripts

    def print(self, entries: Sequence[Entry]) -> None:
        match self._form:
            case Form.TREE:
                traces = [entry_trace(entry) for entry in entries]
                print_traces(traces, self._stream, environ=os.environ, now=self._now())
            case Form.WIDE:
                terminal = Terminal.of(self._stream, os.environ)
                lines = table_lines(
                    entries,
                    width=self._table_width,
                    now=self._now(),
                    glyphs=glyphs(unicode=terminal.unicode),
                )
                write(self._stream, paint(lines, width=terminal.width, color=terminal.color))
            case Form.JSON:
                self._dump([document(entry) for entry in entries])
            case Form.OTLP_JSON:
                final = [entry for entry in entries if entry.operation.ended is not None]
                if len(final) < len(entries):
                    self._warn(f"{len(entries) - len(final)} {NOT_WRITTEN}")
                self._dump(otlp_json(entry_trace(entry) for entry in final))

    def finish(self, entries: Sequence[Entry], *, followed: bool) -> None:
        """Print what was waited for, unless a view has done so."""
        if not followed:
            self.print(entries)
        elif self._form is Form.TREE and not self.moves:
            self._stream.write("\n")
            self.print(entries)

    def view(self, *, before: int | None, quiet: str) -> View:
        """Choose how changes are shown; `before` and `quiet` as `Endings` and `LiveView` say."""
        endings = Endings(before=before)
        if self._form is Form.JSON:
            return JsonLinesView(self._stream, endings=endings, document=document, warn=self._warn)
        if self._form is Form.OTLP_JSON:
            # As the Collector's file exporter writes it, and its receiver reads it.
            return JsonLinesView(
                self._stream, endings=endings, document=self._request, warn=self._warn
            )
        screen = Screen(self._stream, os.environ)
        rows = Rows(screen.terminal, width=self._table_width, now=self._now)
        if self.moves:
            kept = rows.draw if self._form is Form.WIDE else self._waterfalls
            return LiveView(
                screen, kept=kept, quiet=quiet, endings=endings, now=self._now, warn=self._warn
            )
        if self._form is Form.WIDE:
            return RowView(self._stream, rows, endings=endings, now=self._now, warn=self._warn)
        return LineView(self._stream, endings=endings, now=self._now, warn=self._warn)

    def no_view(self) -> View:
        """Show nothing on the way."""
        return LogView(self._warn)

    @property
    def _table_width(self) -> int | None:
        """A pipe's table is whole: scripts read it, and nobody's eyes."""
        tty = self._stream.isatty()
        return Terminal.of(self._stream, os.environ).width if tty else None

    def _waterfalls(self, entries: Sequence[Entry]) -> str:
        terminal = Terminal.of(self._stream, os.environ)
        return render_traces(
            [entry_trace(entry) for entry in entries],
            width=terminal.width,
            color=terminal.color,
            unicode=terminal.unicode,
            counted=False,
        )

    def _request(self, entry: Entry) -> Any:
        if entry.operation.ended is None:
            self._warn(f"1 {NOT_WRITTEN}")
        final = [entry] if entry.operation.ended is not None else []
        return otlp_json(entry_trace(each) for each in final)

    def _dump(self, data: Any) -> None:
        self._stream.write(json.dumps(data, indent=2) + "\n")
