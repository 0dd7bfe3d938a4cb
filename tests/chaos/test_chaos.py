"""Whoever is killed, and whoever is away: each operation of Helm is delivered, once."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

from tests.chaos.scenario import ABSENCES, BOTH, KILLS, Scenario, play

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane


@pytest.mark.parametrize("scenario", [KILLS, ABSENCES, BOTH], ids=lambda each: each.name)
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
