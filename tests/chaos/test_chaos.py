"""Whoever is killed, and whoever is away: each operation of Helm is delivered, once."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.chaos.scenario import ABSENCES, BOTH, KILLS, Scenario, play

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane

# `make chaos` plays all of them as long as the kills.
SHORTER: Final = 24
AWAY_FOR: Final = (3.0, 8.0)
SCENARIOS: Final = (
    KILLS,
    replace(ABSENCES, operations=SHORTER, away=AWAY_FOR),
    replace(BOTH, operations=SHORTER, kills=8, away=AWAY_FOR),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_nothing_is_lost_or_told_twice(
    scenario: Scenario,
    control_plane: ControlPlane,
    login: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = random.SystemRandom().randrange(10**6)

    verdict = play(
        scenario,
        control_plane,
        login,
        seed=seed,
        directory=tmp_path,
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201 - shown where it fails
    )

    with capsys.disabled():  # what left no evidence is counted where everybody sees it
        print(f"\n{verdict}")  # noqa: T201
    assert verdict.holds, str(verdict)
