"""One performance for all end-to-end tests: they only read what came of it."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.controlplane.fixtures import RUNNING
from tests.controlplane.waiting import WaitError, wait_for
from tests.e2e import scenarios
from tests.e2e.bad_input import BadInput, give_bad_input
from tests.e2e.installing import NAMESPACE, USER, install_operator
from tests.e2e.playing import Play, Stage, Told, everything, play_id, wait_for_the_last
from tests.e2e.programs import Operator, Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.collector import Collector
    from tests.controlplane.commands import HelmVersion
    from tests.controlplane.jaeger import Jaeger
    from tests.e2e.spans import Span

assert scenarios  # they note themselves
REST_SECONDS: Final = 10
METRICS_EVERY_MILLISECONDS: Final = "2000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """All that is left when the operator has stopped."""

    plays: Mapping[str, Play]
    bad_input: BadInput
    told: Told
    spans: Sequence[Span]
    late: str  # what was waited for and did not come
    metrics: str
    log: str
    exit_code: int
    recording: Path
    recorder_log: str
    recorder_exit_code: int
    collector_log: Path
    requests: Sequence[Any]  # of the operator, as the API server's audit log has them
    writes: Sequence[Any]  # of Helm
    rest: tuple[datetime, datetime]
    seconds: float

    def play(self, name: str, version: HelmVersion) -> Play:
        """What came of a scenario.

        Raises:
            BaseException: it could not be played.
        """
        play = self.plays[play_id(name, version)]
        if play.error is not None:
            raise play.error
        return play


@pytest.fixture(scope="package")
def login(control_plane: ControlPlane) -> Path:
    """The operator installed; a kubeconfig with its ServiceAccount's rights."""
    return install_operator(control_plane)


@pytest.fixture(scope="package")
def performance(
    control_plane: ControlPlane,
    jaeger: Jaeger,
    collector: Collector,
    login: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Performance:
    """Everything played, told, recorded, measured; the operator was asked to stop, and has."""
    began, since = time.monotonic(), datetime.now(UTC)
    home = tmp_path_factory.mktemp("e2e")
    shown = request.config.stash.setdefault(RUNNING, {})
    with ExitStack() as stack:
        recorder = stack.enter_context(
            Recorder(
                home / "recording.jsonl",
                kubeconfig=control_plane.kubeconfig,
                log=home / "recorder.log",
            )
        )
        operator = stack.enter_context(
            Operator(
                "--otlp-endpoint",
                collector.otlp_grpc,
                "--otlp-protocol",
                "grpc",
                kubeconfig=login,
                log=home / "operator.log",
                environment={"OTEL_METRIC_EXPORT_INTERVAL": METRICS_EVERY_MILLISECONDS},
            )
        )
        shown |= {"operator": operator, "recorder": recorder}
        told = Told(jaeger=jaeger)
        stage = Stage(cluster=control_plane, operator=operator, files=home)
        plays = stage.play(_wanted(request.session.items))
        bad_input = give_bad_input(control_plane, operator)
        late = ""
        try:
            wait_for_the_last(told, plays)
        except WaitError as error:
            late = str(error)
        wait_for("all to be marked as delivered", lambda: _is_all_marked(control_plane))
        rest = _rest()
        control_plane.create_namespace("e2e-the-end")  # a replay's clock moves with its lines
        wait_for("the last line", lambda: "e2e-the-end" in recorder.file.read_text("utf-8"))
        metrics = operator.ask("/metrics") or ""
        exit_code, recorder_exit_code = operator.finish(), recorder.finish()
    return Performance(
        plays={play.id: play for play in plays},
        bad_input=bad_input,
        told=told,
        spans=told.all(),
        late=late,
        metrics=metrics,
        log=operator.text,
        exit_code=exit_code,
        recording=recorder.file,
        recorder_log=recorder.text,
        recorder_exit_code=recorder_exit_code,
        collector_log=collector.log,
        requests=control_plane.audit_events(user=USER, since=since),
        writes=control_plane.audit_events(user="admin", agent="Helm"),
        rest=rest,
        seconds=time.monotonic() - began,
    )


@pytest.fixture(scope="package")
def recorded(performance: Performance) -> list[Any]:
    """The recording's lines."""
    with performance.recording.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each test with `name` and `version` about every scenario with both Helms."""
    if {"name", "version"} <= set(metafunc.fixturenames):
        wanted = everything()
        ids = [play_id(*each) for each in wanted]
        metafunc.parametrize(("name", "version"), wanted, ids=ids)


def _wanted(items: Sequence[pytest.Item]) -> list[tuple[str, HelmVersion]]:
    """Name the scenarios that the selected tests ask about: all, unless they name each."""
    asked: set[tuple[str, HelmVersion]] = set()
    for item in items:
        if "performance" not in getattr(item, "fixturenames", ()):
            continue
        callspec = getattr(item, "callspec", None)
        if callspec is None or "version" not in callspec.params:
            return everything()
        asked.add((callspec.params["name"], callspec.params["version"]))
    return [each for each in everything() if each in asked]


def _is_all_marked(cluster: ControlPlane) -> bool:
    """Whether the operator has nothing more to write but, in a while, how far it read."""
    ledger = f"/apis/helmwake.dev/v1alpha1/namespaces/{NAMESPACE}/releasetraces"
    entries = cluster.api.items(ledger)
    states = [str(entry.get("status", {}).get("state")) for entry in entries]
    labels = [entry["metadata"]["labels"]["helmwake.dev/state"] for entry in entries]
    return not {"None", "Running", "Undelivered"} & set(states) and labels == [
        state.lower() for state in states
    ]


def _rest() -> tuple[datetime, datetime]:
    """Do nothing for a while: what is asked of the API server meanwhile is the operator's own."""
    began = datetime.now(UTC)
    time.sleep(REST_SECONDS)  # there is nothing to wait for: that nothing happens is the point
    return began, datetime.now(UTC)
