"""A command in a terminal of its own: what a person would see of it."""

import asyncio
import codecs
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.views.emulator import Emulator

HELMWAKE: Final = Path(sys.executable).with_name("helmwake")
CTRL_C: Final = b"\x03"
PATIENCE_SECONDS: Final = 30.0
MOMENT_SECONDS: Final = 0.02


class TerminalSession:
    def __init__(self, process: asyncio.subprocess.Process, ours: int, width: int) -> None:
        self.written = ""
        # A character may come in two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._closed = asyncio.Event()
        self._screen = Emulator(width)
        self._process = process
        self._ours = ours

    @property
    def lines(self) -> list[str]:
        return self._screen.lines

    def read(self) -> None:
        try:
            text = self._decoder.decode(os.read(self._ours, 65536))
        except OSError:  # the command has ended, and everything it wrote was read
            asyncio.get_running_loop().remove_reader(self._ours)
            self._closed.set()
            return
        self.written += text
        self._screen.write(text)

    async def until(self, seen: Callable[[list[str]], bool]) -> None:
        """Wait until the screen shows something."""
        waited = 0.0
        while not seen(self.lines):
            assert waited < PATIENCE_SECONDS, "\n".join(self.lines)
            await asyncio.sleep(MOMENT_SECONDS)
            waited += MOMENT_SECONDS

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._closed.wait()
            return await self._process.wait()


@asynccontextmanager
async def in_terminal(
    *args: str, kubeconfig: str, width: int = 80, height: int = 24, no_color: bool = False
) -> AsyncIterator[TerminalSession]:
    """Run `helmwake` in a terminal of so many cells; it is ended on leaving."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    clean = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    environ = {"KUBECONFIG": kubeconfig, "NO_COLOR": "1" if no_color else ""}
    process = await asyncio.create_subprocess_exec(
        HELMWAKE,
        *args,
        env={**clean, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environ},
        # It is its controlling terminal: Ctrl-C is a signal.
        preexec_fn=lambda: os.login_tty(theirs),
    )
    os.close(theirs)
    session = TerminalSession(process, ours, width)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, session.read)
    try:
        yield session
    finally:
        loop.remove_reader(ours)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
