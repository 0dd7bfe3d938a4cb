"""What is drawn: histories of releases that came to rest."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from hypothesis import strategies as st

from tests.simulator.strategies import PAUSES, Scenario, operations

LONG: Final = PAUSES[1:]


def drawn(
    data: st.DataObject, pauses: Sequence[float] = PAUSES, *, max_steps: int = 7
) -> Scenario:
    scenario = data.draw(operations(pauses=pauses, max_steps=max_steps))
    for release in scenario.releases:
        release.settle()
    return scenario


def far_apart(scenario: Scenario) -> bool:
    """Tell operations that the server's whole seconds can tell apart."""
    for release in scenario.releases:
        starts = sorted(operation.start for operation in release.truth)
        if any(b - a < timedelta(seconds=2) for a, b in pairwise(starts)):
            return False
    return True
