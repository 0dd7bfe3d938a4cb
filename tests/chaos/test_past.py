"""What was before anyone looked: told as far as people want it, once, and never counted."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from tests.chaos import past
from tests.chaos.counting import DURATIONS, ERRORS, counted
from tests.chaos.spans import faults, roots
from tests.chaos.stage import Stage, set_up
from tests.controlplane.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from tests.chaos.past import Old
    from tests.chaos.spans import Root
    from tests.controlplane.cluster import ControlPlane

REST_SECONDS: Final = 3.0
WINDOWS: Final = ("24h", "none", "all")


@pytest.fixture(scope="module")
def pasts(
    control_plane: ControlPlane, login: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """One operator for each window, all at the same time: most of it is waiting for nothing."""

    def live(backfill: str) -> None:
        name = f"past-{backfill}"
        directory = tmp_path_factory.mktemp(name)
        with set_up(control_plane, login, name=name, directory=directory) as stage:
            live_again_and_again(stage, backfill)

    with ThreadPoolExecutor(len(WINDOWS)) as threads:
        yield {backfill: threads.submit(live, backfill) for backfill in WINDOWS}


@pytest.mark.parametrize("backfill", WINDOWS)
def test_history_is_told_once_within_its_window_and_never_counted(
    pasts: dict[str, Future[None]], backfill: str
) -> None:
    pasts[backfill].result()


def live_again_and_again(stage: Stage, backfill: str) -> None:
    everything = past.history(stage.name, now=datetime.now(UTC))
    past.write(stage.cluster, everything, labels=stage.labels)
    wanted = [old for old in everything if backfill == "all" or old.is_recent]
    wanted = [] if backfill == "none" else wanted

    begin(stage, backfill)
    wait_for("the history", lambda: len(told(stage)) >= len(wanted), seconds=60)
    rest()

    assert told(stage) == Counter(old.key for old in wanted)
    assert faults(stage.sink.arrived) == []
    assert {(root.kind, root.revision > 1) for root in found(stage)} <= {
        ("install", False),
        ("upgrade", True),
    }
    wait_for("the ledger to say so", lambda: states(stage) == delivered(wanted))
    assert_nothing_is_counted(stage)
    assert stage.operator.stop() == 0

    before = len(stage.sink.arrived)
    begin(stage, backfill)
    rest()
    assert len(stage.sink.arrived) == before
    assert states(stage) == delivered(wanted)
    assert_nothing_is_counted(stage)
    assert stage.operator.stop() == 0

    # As if it had all expired. (kubectl would ask for each, and five a second.)
    stage.cluster.api.delete(stage.traces)
    assert states(stage) == Counter()
    begin(stage, backfill)
    rest()
    assert len(stage.sink.arrived) == before
    assert states(stage) == Counter()
    stage.operator.kill("to begin again without having been asked to stop")

    begin(stage, backfill)
    rest()
    assert len(stage.sink.arrived) == before
    assert states(stage) == Counter()
    assert_nothing_is_counted(stage)
    assert stage.operator.stop() == 0
    assert stage.operator.defects == []


def begin(stage: Stage, backfill: str) -> None:
    life = stage.operator.start("--backfill", backfill)
    assert stage.operator.wait_until_ready(), life.log.read_text(encoding="utf-8")


def rest() -> None:
    time.sleep(REST_SECONDS)  # that nothing more happens is the point


def told(stage: Stage) -> Counter[tuple[str, str, int]]:
    """Count the distinct roots of each revision."""
    return Counter((root.namespace, root.release, root.revision) for root in found(stage))


def found(stage: Stage) -> list[Root]:
    return roots(stage.sink.arrived)


def states(stage: Stage) -> Counter[str]:
    return Counter(entry.get("status", {}).get("state") for entry in stage.entries())


def delivered(wanted: list[Old]) -> Counter[str]:
    return Counter({"Delivered": len(wanted)} if wanted else {})


def assert_nothing_is_counted(stage: Stage) -> None:
    page = stage.operator.ask("/metrics")
    assert page
    assert counted(page, DURATIONS) == Counter()
    assert counted(page, ERRORS) == Counter()
