"""The second bench: how fast a recording goes through the middle, and what it takes to hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import recording
from tests.bench.contenders import measure_program


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedFile:
    changes: int
    operations: int
    cpu_seconds: float
    """Of reading and replaying alone."""
    peak_mb: float
    """Of the whole process."""

    @property
    def changes_per_second(self) -> float:
        return self.changes / self.cpu_seconds


def bench_replaying(*, copies: int, say: Callable[[str], None]) -> ReplayedFile:
    """Replay so many copies of the bundled delivery, which run all at once."""
    with tempfile.TemporaryDirectory(prefix="helmwake-bench-") as name:
        file = Path(name) / "long.jsonl"
        changes = recording.write(file, copies=copies)
        say(f"replaying {changes} changes, {file.stat().st_size / 1_000_000:.0f} MB")
        usage, said = measure_program("replaying", str(file), directory=Path(name))
    told = json.loads(said)
    return ReplayedFile(
        changes=changes,
        operations=told["operations"],
        cpu_seconds=told["cpu_seconds"],
        peak_mb=usage.peak_mb,
    )
