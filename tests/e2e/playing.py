"""All scenarios, once and at the same time, watched by an operator and a recorder."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.controlplane.commands import HelmVersion
from tests.controlplane.waiting import wait_for
from tests.e2e.helm import Helm
from tests.e2e.scenario import SCENARIOS, Scenario
from tests.e2e.spans import Span, from_jaeger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.jaeger import Jaeger
    from tests.e2e.counting import Command
    from tests.e2e.expected import Operation
    from tests.e2e.programs import Operator

WORKERS: Final = 8
# A rollout that nothing ends is given up this long after Helm gave up (Limits.after_failure).
AFTER_FAILURE: Final = timedelta(seconds=60)
LAST_SPANS_SECONDS: Final = 2 * AFTER_FAILURE.total_seconds()
PREFIX: Final = "e2e-"
SERVICE: Final = "helmwake"
VERSIONS: Final[tuple[HelmVersion, ...]] = (3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What came of one scenario with one Helm."""

    scenario: Scenario
    version: HelmVersion
    namespace: str
    context: str
    commands: Sequence[Command]
    expected: Sequence[Operation]
    error: BaseException | None

    @property
    def id(self) -> str:
        return play_id(self.scenario.name, self.version)

    @property
    def counted(self) -> list[str]:
        """The operations that Helm did and somebody was to trace, by Helm's own word."""
        return [
            kind for command in self.commands if command.observed for kind in command.operations
        ]

    @property
    def contexts(self) -> set[str]:
        """All Keptn contexts under which its operations are to be found."""
        return {self.context} | {each.context for each in self.expected if each.context}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where scenarios are played."""

    cluster: ControlPlane
    operator: Operator
    files: Path
    seed: uuid.UUID = field(default_factory=uuid.uuid4)

    def play(self, wanted: Iterable[tuple[str, HelmVersion]]) -> list[Play]:
        """Play all that is wanted, the slowest first."""
        ordered = sorted(wanted, key=lambda each: not SCENARIOS[each[0]].slow)
        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(lambda each: self._play(*each), ordered))

    def _play(self, name: str, version: HelmVersion) -> Play:
        scenario = SCENARIOS[name]
        namespace = f"{PREFIX}{name}-{version}"
        helm = Helm(
            self.cluster,
            version=version,
            namespace=namespace,
            context=str(uuid.uuid5(self.seed, namespace)),
            files=self.files,
            operator_log=lambda: self.operator.text,
        )
        error: BaseException | None = None
        try:
            self._prepare(scenario, namespace)
            scenario.story(helm)
        except BaseException as caught:  # noqa: BLE001 - its own tests raise it again
            error = caught
        return Play(
            scenario=scenario,
            version=version,
            namespace=namespace,
            context=helm.context,
            commands=tuple(helm.commands),
            expected=tuple(helm.expected),
            error=error,
        )

    def _prepare(self, scenario: Scenario, namespace: str) -> None:
        self.cluster.create_namespace(namespace, labels=scenario.labels)
        path = f"/api/v1/namespaces/{namespace}"
        if scenario.annotations:
            self.cluster.api.patch(path, {"metadata": {"annotations": dict(scenario.annotations)}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What Jaeger tells of all plays."""

    jaeger: Jaeger
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def all(self) -> list[Span]:
        """Every span of the namespaces that were played in."""
        spans = from_jaeger(self.jaeger.traces(SERVICE))
        return [
            span for span in spans if str(span.resource["cicd.pipeline.name"]).startswith(PREFIX)
        ]

    def of(self, play: Play) -> list[Span]:
        """A play's spans, by the tag `keptn.context` alone."""
        found = [
            span
            for context in play.contexts
            for span in from_jaeger(self.jaeger.traces(SERVICE, tags={"keptn.context": context}))
        ]
        # A namespace's context is that of both Helms' plays.
        pipeline = f"{play.namespace}/"
        own = [
            span for span in found if str(span.resource["cicd.pipeline.name"]).startswith(pipeline)
        ]
        return sorted(own, key=lambda span: (span.start, not span.is_root))


def wait_for_the_last(told: Told, plays: Iterable[Play]) -> None:
    """Wait until as many operations are told of as are expected; some end late."""
    wanted = sum(len(play.expected) for play in plays)

    def all_there() -> bool:
        return sum(span.is_root for span in told.all()) >= wanted

    wait_for(f"{wanted} operations", all_there, seconds=LAST_SPANS_SECONDS)


def play_id(name: str, version: HelmVersion) -> str:
    return f"{name}-helm{version}"


def everything() -> list[tuple[str, HelmVersion]]:
    return [(name, version) for name in SCENARIOS for version in VERSIONS]
