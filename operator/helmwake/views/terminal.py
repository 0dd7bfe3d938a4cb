"""Where a waterfall is printed to, and what that can show."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self, TextIO

from helmwake.telemetry.spans import Trace
from helmwake.views.glyphs import UNICODE
from helmwake.views.tree import render_traces

PIPED_WIDTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    width: int
    color: bool
    unicode: bool

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str]) -> Self:
        """Find out what a stream can show. A pipe's width is stable: COLUMNS, else 100."""
        tty = stream.isatty()
        return cls(
            width=_columns(environ) or (_terminal_width(stream) if tty else 0) or PIPED_WIDTH,
            # no-color.org: set and not empty
            color=tty and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb",
            unicode=_encodes_all(stream.encoding or "ascii"),
        )


def print_traces(
    traces: Sequence[Trace],
    stream: TextIO,
    *,
    environ: Mapping[str, str],
    now: datetime | None = None,
) -> None:
    """Print waterfalls as a stream can show them."""
    terminal = Terminal.of(stream, environ)
    text = render_traces(
        traces,
        width=terminal.width,
        color=terminal.color,
        unicode=terminal.unicode,
        now=now,
    )
    write(stream, text)


def write(stream: TextIO, text: str) -> None:
    """Write text as far as a stream can encode it: a name may hold what it cannot."""
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))


def _columns(environ: Mapping[str, str]) -> int:
    told = environ.get("COLUMNS", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < len("10000") else 0


def _terminal_width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 0


def _encodes_all(encoding: str) -> bool:
    signs = "".join(getattr(UNICODE, name) for name in UNICODE.__slots__)
    try:
        signs.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
