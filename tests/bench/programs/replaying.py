"""Replays a file, and says how long that took and how many operations came of it."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from helmwake.app.replay import replay
from helmwake.recording import read_changes
from tests.bench.programs.said import known_for_good


def refuse(problem: str) -> None:
    raise SystemExit(problem)


if __name__ == "__main__":
    begun = time.process_time()
    replayed = asyncio.run(replay(read_changes([sys.argv[1]], warn=refuse), warn=refuse))
    cpu = time.process_time() - begun
    operations = len(replayed.ended) + len(replayed.running)
    known_for_good(json.dumps({"cpu_seconds": cpu, "operations": operations}))
