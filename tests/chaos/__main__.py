"""Break things again and again: `python -m tests.chaos [--rounds N] [--seed S]`."""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.chaos.scenario import ABSENCES, BOTH, KILLS, OPERATIONS, play
from tests.chaos.stage import install
from tests.controlplane.cluster import ControlPlane

SCENARIOS = {each.name: each for each in (KILLS, ABSENCES, BOTH)}


def main() -> None:
    """Parse, play, print; exit code 1 where something is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="of each scenario (default: 1)")
    parser.add_argument("--seed", type=int, help="of the first round (default: at random)")
    parser.add_argument(
        "--operations", type=int, default=OPERATIONS, help="(default: %(default)s)"
    )
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario")
    asked = parser.parse_args()
    first = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    chosen = [SCENARIOS[asked.only]] if asked.only else list(SCENARIOS.values())
    # It stays: a failure is read from the logs.
    home = Path(tempfile.mkdtemp(prefix="helmwake-chaos-"))
    verdicts = []
    with ControlPlane(home) as cluster:
        login = install(cluster)
        for seed in range(first, first + asked.rounds):
            for scenario in chosen:
                directory = home / f"{scenario.name}-{seed}"
                directory.mkdir()
                verdict = play(
                    replace(scenario, operations=asked.operations),
                    cluster,
                    login,
                    seed=seed,
                    directory=directory,
                    say=lambda line: print(line, file=sys.stderr, flush=True),
                )
                print(verdict, flush=True)
                verdicts.append(verdict)
    held = sum(verdict.holds for verdict in verdicts)
    print(f"{held} of {len(verdicts)} held; logs in {home}")
    sys.exit(held != len(verdicts))


if __name__ == "__main__":
    main()
