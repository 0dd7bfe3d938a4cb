"""Measure, and print what came out: `python -m tests.bench [--small] [--json FILE]`."""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tests.bench.replaying import bench_replaying
from tests.bench.report import as_json, report
from tests.bench.watching import bench_watching


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--small", action="store_true", help="only to see that it works")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the numbers there too")
    asked = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    watched = bench_watching(
        revisions=50 if asked.small else 5_000,
        rounds=1 if asked.small else asked.rounds,
        rest=timedelta(seconds=1 if asked.small else 20),
        say=say,
    )
    replayed = bench_replaying(copies=5 if asked.small else 500, say=say)
    print(report(watched, replayed), end="")
    if asked.json:
        numbers = json.dumps(as_json(watched, replayed), indent=2)
        asked.json.write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
