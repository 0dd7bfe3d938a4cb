"""The operator, again and again: each life a process, with its times and a log of its own."""

from __future__ import annotations

import signal
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from tests.controlplane.process import free_port
from tests.e2e.programs import Program, defects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

POLL_SECONDS: Final = 0.05
START_SECONDS: Final = 60.0
END_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 2.0


@dataclass(slots=True, kw_only=True)
class Life:
    """One process. It watches from `ready` on."""

    number: int
    log: Path
    began: datetime
    ready: datetime | None = None
    ended: datetime | None = None
    how: str = ""

    def __str__(self) -> str:
        times = (self.began, self.ready, self.ended)
        texts = [f"{time:%H:%M:%S.%f}"[:-3] if time else "-" for time in times]
        began, ready, ended = texts
        return f"{self.number:3}  {began}  {ready:12}  {ended:12}  {self.how}"


class Operator:
    """`helmwake run` with the settings of one scenario, in one life after another."""

    def __init__(self, directory: Path, *, environment: Mapping[str, str]) -> None:
        self._directory: Final = directory
        address = f"127.0.0.1:{free_port()}"
        self._http: Final = f"http://{address}"
        self._environment: Final = {
            **environment,
            "HELMWAKE_HTTP_ADDRESS": address,
            "OTEL_METRICS_EXPORTER": "none",
        }
        self.lives: Final[list[Life]] = []
        self._process: _Process | None = None
        self._watcher: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill("the end")

    def start(self, *flags: str) -> Life:
        """Begin a life, and return at once."""
        assert self._process is None
        number = len(self.lives)
        log = self._directory / f"operator-{number:02}.log"
        life = Life(number=number, log=log, began=datetime.now(UTC))
        self._process = _Process("run", *flags, log=log, environment=self._environment)
        self.lives.append(life)
        self._watcher = threading.Thread(
            target=self._note_readiness, args=(self._process, life), daemon=True
        )
        self._watcher.start()
        return life

    def wait_until_ready(self, *, seconds: float = START_SECONDS) -> bool:
        """Wait for this life to watch; False if that takes longer, or it has ended."""
        deadline = time.monotonic() + seconds
        while self.lives[-1].ready is None:
            if self._process is None or not self._process.runs or time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def kill(self, why: str) -> None:
        """End it as a machine that fails does: it gets no time for anything."""
        assert self._process is not None
        self._process.signal(signal.SIGKILL)
        code = self._process.finish_within(END_SECONDS)
        self._note_end(f"killed: {why}" if code == -signal.SIGKILL else f"ended itself: {code}")

    def stop(self) -> int:
        """Ask it to end, as a rollout of a new version does; its exit code."""
        assert self._process is not None
        code = self._process.finish()
        self._note_end(f"stopped: {code}")
        return code

    def ask(self, path: str) -> str | None:
        """The page at this path; None if it is not there, or says no."""
        try:
            with urllib.request.urlopen(  # noqa: S310 - we made the address ourselves
                self._http + path, timeout=ANSWER_SECONDS
            ) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except OSError:
            return None

    @property
    def defects(self) -> list[str]:
        """What the logs of all lives tell of defects of ours."""
        return [
            f"{life.log.name}: {line}"
            for life in self.lives
            for line in defects(life.log.read_text(encoding="utf-8", errors="replace"))
        ]

    def _note_end(self, how: str) -> None:
        life = self.lives[-1]
        life.ended, life.how = datetime.now(UTC), how
        self._process = None
        if self._watcher is not None:
            self._watcher.join()

    def _note_readiness(self, process: _Process, life: Life) -> None:
        while process.runs and life.ended is None:
            if self.ask("/readyz") is not None:
                life.ready = datetime.now(UTC)
                return
            time.sleep(POLL_SECONDS)


class _Process(Program):
    """A life's process."""

    @property
    def runs(self) -> bool:
        return self._popen.poll() is None

    def finish_within(self, seconds: float) -> int:
        return self._popen.wait(timeout=seconds)
