"""A terminal whose last lines change in place, while what was printed above them stays."""

import os
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from rich.cells import cell_len
from rich.text import Text

from helmwake.views.painting import paint
from helmwake.views.terminal import Terminal, write

DEFAULT_HEIGHT: Final = 24
UP: Final = "\x1b[{}A"
CLEAR_BELOW: Final = "\x1b[J"


def can_move(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether lines can change in place: on a terminal that is not a dumb one."""
    return stream.isatty() and environ.get("TERM") != "dumb"


class Screen:
    """Writes what stays above, and draws what changes below. Each change is one write."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._environ = environ
        self._drawn: Sequence[int] = ()  # the cells of each line that is to be drawn over

    @property
    def terminal(self) -> Terminal:
        """As wide as it is now: people resize it."""
        return Terminal.of(self._stream, self._environ)

    @property
    def height(self) -> int:
        try:
            lines = os.get_terminal_size(self._stream.fileno()).lines
        except OSError:
            lines = 0
        return lines or DEFAULT_HEIGHT

    def show(self, lines: Sequence[Text], *, above: str = "") -> None:
        """Draw the changing lines anew; `above` goes before them and stays for good."""
        terminal = self.terminal
        text = above + paint(lines, width=terminal.width, color=terminal.color)
        if not text and not self._drawn:
            return
        write(self._stream, self._erase(terminal.width) + text)
        self._stream.flush()
        self._drawn = [cell_len(line.plain) for line in lines]

    def _erase(self, width: int) -> str:
        # A terminal that was made narrower has wrapped what was drawn.
        rows = sum(max(-(-cells // width), 1) for cells in self._drawn)
        return f"\r{UP.format(rows)}{CLEAR_BELOW}" if rows else ""
