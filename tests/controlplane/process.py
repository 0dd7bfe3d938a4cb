"""Programs under test: started with a log of their own, ended by their own pid."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

READY_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.05
TAIL_LINES: Final = 30
# Below the range that the kernel hands out for outgoing connections: one of
# those must not take a port between its choice and its use, or over a restart.
PORTS: Final = range(20_000, 32_000)


class ProcessError(RuntimeError):
    """A program that ended or was not ready in time; carries the end of its log."""

    def __init__(self, process: Process, *, what: str) -> None:
        super().__init__(f"{process.name} {what}; the end of {process.log}:\n{process.tail()}")


class Process:
    """One running program."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name: Final = log.stem
        self.log: Final = log
        with log.open("ab") as output:
            self._popen: Final = subprocess.Popen(
                [*_die_with_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(environment or {}),
                # Ctrl-C is for the test run, which then ends us in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The program's own, for those who measure it."""
        return self._popen.pid

    def wait_until(self, probe: Callable[[], bool], *, seconds: float = READY_SECONDS) -> None:
        """Wait for the probe to say yes.

        Raises:
            ProcessError: the program ended, or the time did.

        """
        deadline = time.monotonic() + seconds
        while not probe():
            code = self._popen.poll()
            if code is not None:
                raise ProcessError(self, what=f"ended with {code}")
            if time.monotonic() > deadline:
                raise ProcessError(self, what=f"was not ready in {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, e.g. SIGSTOP to make it silent."""
        self._popen.send_signal(number)

    def stop(self, *, grace_seconds: float = GRACE_SECONDS) -> None:
        """End it: SIGTERM, and SIGKILL after the grace. Doing it twice is no error."""
        self._popen.terminate()
        try:
            self._popen.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def tail(self, *, lines: int = TAIL_LINES) -> str:
        """The end of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def free_port() -> int:
    """Choose a loopback port on which nobody listens."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            # As servers do: a port of a just ended one in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {PORTS.start} to {PORTS.stop}")


def listens(port: int) -> bool:
    """Whether anybody listens on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> tuple[str, ...]:
    # A killed test run must leave nothing behind. It execs, so the pid stays.
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
