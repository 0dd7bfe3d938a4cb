"""What the simulator's own tests say things with."""

from collections.abc import Callable
from typing import Any

from tests.simulator.cluster import Event
from tests.simulator.release import Chart, decode
from tests.simulator.simulated import SimulatedHelm
from tests.simulator.strategies import NOON

GOOD = Chart()
NEXT = Chart(image="2.0")
NEVER = Chart(image="bad", ready_after=None)


def simulated(**more: Any) -> SimulatedHelm:
    return SimulatedHelm(start=NOON, **more)


def writes(events: list[Event], *, start: int = 0) -> list[str]:
    """Spell record writes as the table does: C, U or D, the revision, the status."""
    letters = {"ADDED": "C", "MODIFIED": "U", "DELETED": "D"}
    found = []
    for event in events[start:]:
        labels = event["object"]["metadata"].get("labels", {})
        if labels.get("owner") == "helm":
            letter = letters[event["type"]]
            status = "" if letter == "D" else f" {labels['status']}"
            found.append(f"{letter} v{labels['version']}{status}")
    return found


def after(helm: SimulatedHelm, act: Callable[[SimulatedHelm], object]) -> list[str]:
    start = len(helm.events)
    act(helm)
    return writes(helm.events, start=start)


def installed(**more: Any) -> SimulatedHelm:
    helm = simulated(**more)
    helm.install(chart=GOOD)
    helm.settle()
    return helm


def payload(helm: SimulatedHelm, *, position: int = -1) -> dict[str, Any]:
    records = [e for e in helm.events if e["object"]["kind"] in {"Secret", "ConfigMap"}]
    return decode(records[position]["object"])
