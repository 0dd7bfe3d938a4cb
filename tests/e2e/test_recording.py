"""A recording of the very same operations, replayed, tells what was told live."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.playing import PREFIX
from tests.e2e.programs import HELMWAKE, defects
from tests.e2e.spans import Span, from_otlp

if TYPE_CHECKING:
    from tests.controlplane.commands import HelmVersion
    from tests.e2e.conftest import Performance

REPLAY_SECONDS: Final = 120


@pytest.fixture(scope="package")
def replayed(performance: Performance) -> list[Span]:
    """The spans of the recording, as the command gives them."""
    done = subprocess.run(
        [HELMWAKE, "replay", performance.recording, "-o", "otlp-json"],
        capture_output=True,
        text=True,
        timeout=REPLAY_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return from_otlp(json.loads(done.stdout))


def test_replay_gives_the_live_ids_and_outcomes(
    performance: Performance, replayed: list[Span], name: str, version: HelmVersion
) -> None:
    play = performance.play(name, version)
    pipeline = f"{play.namespace}/cart"
    live = {span.identity for span in performance.told.of(play)}

    again = [span for span in replayed if span.resource["cicd.pipeline.name"] == pipeline]

    assert live <= {span.identity for span in again}
    assert len({span.context for span in again}) == len(again)
    # A replay ignores which namespaces are observed, and tells of all.
    assert len(again) == len(live) or not play.scenario.replays_alike


def test_replay_of_what_was_not_observed_tells_at_least_what_was(
    performance: Performance, replayed: list[Span]
) -> None:
    live = {span.identity for span in performance.spans}

    assert live <= {
        span.identity
        for span in replayed
        if str(span.resource["cicd.pipeline.name"]).startswith(PREFIX)
    }


def test_recorder_ends_in_order(performance: Performance, recorded: list[Any]) -> None:
    assert performance.recorder_exit_code == 0
    assert defects(performance.recorder_log) == []
    assert f"Wrote {len(recorded)} changes" in performance.recorder_log
