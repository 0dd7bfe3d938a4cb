"""What is shown of operations that go on, to people and to logs."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from rich.text import Text

from helmwake.ledger.entry import Entry
from helmwake.lifecycle.operation import OperationId
from helmwake.views.changes import changes
from helmwake.views.entries import RUNNING, ending
from helmwake.views.glyphs import glyphs
from helmwake.views.panel import panel
from helmwake.views.screen import Screen
from helmwake.views.terminal import write

Clock = Callable[[], datetime]
Warn = Callable[[str], None]  # each a line of its own


def is_running(entry: Entry) -> bool:
    return ending(entry).result == RUNNING


class Endings:
    """Which operations ended since the last look.

    Of what had ended before the first look, the newest `before` count as news; None: all.
    """

    def __init__(self, *, before: int | None) -> None:
        self._before = before
        self._told: set[OperationId] | None = None

    def news(self, entries: Sequence[Entry]) -> list[Entry]:
        ended = [entry for entry in entries if not is_running(entry)]
        first, told = self._told is None, self._told or set()
        # What the ledger forgets is forgotten here too.
        self._told = {entry.operation.id for entry in ended}
        new = [entry for entry in ended if entry.operation.id not in told]
        if first and self._before is not None:
            return new[max(len(new) - self._before, 0) :]
        return new


class LiveView:
    """A terminal: what ended stays above, what runs changes below."""

    def __init__(
        self,
        screen: Screen,
        *,
        kept: Callable[[Sequence[Entry]], str],
        quiet: str,
        endings: Endings,
        now: Clock,
        warn: Warn,
    ) -> None:
        """`kept` draws what ended; `quiet` is said where nothing runs."""
        self._screen = screen
        self._kept = kept
        self._quiet = quiet
        self._endings = endings
        self._now = now
        self._warn = warn
        self._runs = False

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        terminal = self._screen.terminal
        new = self._endings.news(entries)
        running = [entry for entry in entries if is_running(entry)]
        self._runs = bool(running)
        lines = panel(
            running,
            width=terminal.width,
            height=self._screen.height - 2,  # one for trouble, one for the cursor
            now=self._now(),
            glyphs=glyphs(unicode=terminal.unicode),
        )
        if not running:
            lines = [Text(self._quiet[: terminal.width], style="dim")]
        if trouble:
            words = f"not up to date: {trouble}"
            lines.append(Text(words[: terminal.width], style="yellow"))
        self._screen.show(lines, above=self._kept(new) if new else "")

    def tell(self, problem: object) -> None:
        """Tell it where no line is drawn over it, and it moves none; what runs comes next."""
        self._screen.show(())
        self._warn(str(problem))

    def close(self) -> None:
        """Leave what runs as it was seen last."""
        if not self._runs:
            self._screen.show(())


class LogView:
    """No terminal: nothing is drawn over, and trouble is told once."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._trouble: str | None = None

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        """Show nothing but trouble: somebody only waits."""
        del entries
        if trouble and trouble != self._trouble:
            self._warn(f"not up to date: {trouble}; trying again")
        self._trouble = trouble

    def tell(self, problem: object) -> None:
        self._warn(str(problem))

    def close(self) -> None:
        """Leave nothing behind."""


class LineView(LogView):
    """One line for each change."""

    def __init__(self, stream: TextIO, *, endings: Endings, now: Clock, warn: Warn) -> None:
        super().__init__(warn)
        self._stream = stream
        self._endings = endings
        self._now = now
        self._known: Mapping[OperationId, Entry] = {}

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        super().show(entries, trouble=trouble)
        new = {entry.operation.id for entry in self._endings.news(entries)}
        for entry in entries:
            if entry.operation.id in new or is_running(entry):
                known = self._known.get(entry.operation.id)
                for line in changes(known, entry, now=self._now()):
                    write(self._stream, line + "\n")
        self._stream.flush()
        self._known = {entry.operation.id: entry for entry in entries if is_running(entry)}


class JsonLinesView(LogView):
    """A document for each operation when it ends, one a line."""

    def __init__(
        self, stream: TextIO, *, endings: Endings, document: Callable[[Entry], Any], warn: Warn
    ) -> None:
        super().__init__(warn)
        self._stream = stream
        self._endings = endings
        self._document = document

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        super().show(entries, trouble=trouble)
        for entry in self._endings.news(entries):
            self._stream.write(json.dumps(self._document(entry)) + "\n")
        self._stream.flush()
