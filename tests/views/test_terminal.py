"""What a stream can show, and what it is given."""

import io
import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from helmwake.views import Terminal, print_traces
from tests.views import examples


class Tty(io.TextIOWrapper):
    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


def piped(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@contextmanager
def real_terminal() -> Iterator[TextIO]:
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, "w", encoding="utf-8") as stream:
            yield stream
    finally:
        os.close(ours)


def test_a_terminal_has_colors_unless_told_otherwise() -> None:
    assert Terminal.of(Tty(), {}).color
    assert Terminal.of(Tty(), {"NO_COLOR": ""}).color, "empty does not count: no-color.org"
    assert not Terminal.of(Tty(), {"NO_COLOR": "1"}).color
    assert not Terminal.of(Tty(), {"TERM": "dumb"}).color


def test_a_pipe_has_none_and_a_stable_width() -> None:
    assert Terminal.of(piped(), {}) == Terminal(width=100, color=False, unicode=True)
    assert Terminal.of(piped(), {"COLUMNS": "72"}).width == 72


def test_columns_that_are_no_number_are_passed_over() -> None:
    for absurd in ("", "wide", "-5", "0", "99999999"):
        assert Terminal.of(piped(), {"COLUMNS": absurd}).width == 100


def test_a_terminal_of_unknown_size_is_taken_for_a_pipes_width() -> None:
    assert Terminal.of(Tty(), {}).width == 100


def test_a_terminals_own_width_is_found() -> None:
    import fcntl  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    with real_terminal() as stream:
        fcntl.ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 40, 133, 0, 0))

        assert Terminal.of(stream, {}).width == 133


def test_a_stream_gets_no_sign_that_it_cannot_encode() -> None:
    for encoding in ("ascii", "latin-1", "cp1252"):
        stream = piped(encoding)

        print_traces([examples.wide(), examples.failed()], stream, environ={})

        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        text = stream.buffer.getvalue().decode(encoding)
        assert "x upgrade shop/cart  failure (image_pull_failed)" in text
        assert "`- " in text


def test_a_piped_page_has_no_escape_codes() -> None:
    stream = piped()

    print_traces([examples.failed()], stream, environ={"TERM": "xterm-256color"})

    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    assert b"\x1b" not in stream.buffer.getvalue()
