"""Fixtures of everything here; a tool that is missing fails the tests that ask for it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

import pytest

from tests.controlplane.cluster import ControlPlane
from tests.controlplane.collector import Collector
from tests.controlplane.jaeger import Jaeger

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.controlplane.process import Process

OBSERVED: Final = {"helmwake.dev/observe": "enabled"}
NAME_LENGTH: Final = 40
# Whose logs belong to a failed test: those that were started for its fixtures.
RUNNING: Final = pytest.StashKey[dict[str, "Process"]]()


@pytest.fixture(scope="session")
def control_plane(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[ControlPlane]:
    """One cluster for the whole run, with an audit log."""
    with ControlPlane(tmp_path_factory.mktemp("cluster"), audit=True) as cluster:
        request.config.stash.setdefault(RUNNING, {}).update(cluster.processes)
        yield cluster


@pytest.fixture(scope="session")
def jaeger(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Jaeger]:
    """One Jaeger for the whole run: tell tests apart by their services or tags."""
    with Jaeger(tmp_path_factory.mktemp("jaeger")) as running:
        request.config.stash.setdefault(RUNNING, {})["jaeger"] = running.process
        yield running


@pytest.fixture(scope="session")
def collector(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, jaeger: Jaeger
) -> Iterator[Collector]:
    """One collector for the whole run, which sends to `jaeger`."""
    directory = tmp_path_factory.mktemp("collector")
    with Collector(directory, traces_to=jaeger.otlp_grpc) as running:
        request.config.stash.setdefault(RUNNING, {})["collector"] = running.process
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, observed; nobody waits until it is gone."""
    words = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    name = f"{words[:NAME_LENGTH].strip('-')}-{secrets.token_hex(3)}"
    control_plane.create_namespace(name, labels=OBSERVED)
    yield name
    control_plane.api.delete(f"/api/v1/namespaces/{name}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the logs beside a failed test."""
    report = yield
    if report.failed:
        fixtures = getattr(item, "fixturenames", ())
        if {"control_plane", "jaeger", "collector"}.intersection(fixtures):
            for name, process in item.config.stash.get(RUNNING, {}).items():
                report.sections.append((f"log of {name}: {process.log}", process.tail(lines=10)))
    return report
