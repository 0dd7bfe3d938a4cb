"""What a process has cost, as the kernel counts it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.controlplane.process import Process

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
POLL_SECONDS: Final = 0.01
LIMIT_SECONDS: Final = 300.0
KIB_PER_MB: Final = 1_000_000 / 1024
# proc(5): fields 14 and 15, counted from the state, which is the third.
UTIME, STIME = 11, 12


class EndedError(RuntimeError):
    """A measured process that ended, or was too slow, before it knew all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    seconds: float
    cpu_seconds: float
    peak_mb: float


def cpu_seconds(pid: int) -> float:
    """Of all its threads, in user and system mode."""
    # The name in parentheses may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / TICKS_PER_SECOND


def peak_mb(pid: int) -> float:
    """The most memory that it ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / KIB_PER_MB


def measure(start: Callable[[], Process], *, known: Callable[[Process], bool]) -> Usage:
    """Start a process, and measure it until it knows all. Who asked ends it.

    Raises:
        EndedError: it never did.

    """
    begun = time.monotonic()
    process = start()
    while not known(process):
        if not Path(f"/proc/{process.pid}").exists() or time.monotonic() - begun > LIMIT_SECONDS:
            raise EndedError(f"{process.name} knew nothing; it said:\n{process.tail()}")
        time.sleep(POLL_SECONDS)
    return Usage(
        seconds=time.monotonic() - begun,
        cpu_seconds=cpu_seconds(process.pid),
        peak_mb=peak_mb(process.pid),
    )
