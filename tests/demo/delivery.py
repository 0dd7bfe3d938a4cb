"""One service's delivery as a person would run it: helm, on the chart beside this file."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane.fixtures import OBSERVED

if TYPE_CHECKING:
    from tests.controlplane.cluster import ControlPlane

CHART: Final = Path(__file__).parent / "chart"
NAMESPACE: Final = "sockshop-prod"
RELEASE: Final = "carts"
VERSIONS: Final = ("0.4.7", "0.4.8", "0.5.0")
INSTALLED, GOOD, FAILING = VERSIONS
# In the release's values, and so in its payloads, manifests and hooks; and nowhere else.
SECRET: Final = "correct-horse-battery-staple"
Say = Callable[[str], None]


def silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Helm's commands, each followed until its rollout has ended. `say` hears of each.

    `values` go before the chart's own, as Helm's `--set` takes them.
    """

    cluster: ControlPlane
    say: Say = silent
    values: str = ""

    def prepare(self) -> None:
        """Create the namespace, observed, and package the chart's versions."""
        self.cluster.create_namespace(NAMESPACE, labels=OBSERVED)
        for version in VERSIONS:
            which = ("--version", version, "--app-version", version, "-d", str(self._charts))
            self.cluster.helm("package", str(CHART), *which, check=True)

    def install(self, *, context: str) -> None:
        """Install what gets ready."""
        self._deploy("install", INSTALLED, context)
        self._rollout_ends()

    def upgrade(self, *, context: str) -> None:
        """Upgrade well: a migration, then a rollout that completes after helm has ended."""
        self._deploy("upgrade", GOOD, context)
        self._rollout_ends()

    def failing_upgrade(self, *, context: str) -> None:
        """Upgrade to an image that is missing: helm says deployed, and no pod starts."""
        self._deploy("upgrade", FAILING, context, "--set=imageMissing=true")
        self._rollout_ends(well=False)

    def rollback(self) -> None:
        """Return to the revision before the last."""
        self._helm("rollback", RELEASE)
        self._rollout_ends()

    @property
    def _charts(self) -> Path:
        return self.cluster.directory / "charts"

    def _deploy(self, command: str, version: str, context: str, *more: str) -> None:
        chart = self._charts / f"carts-{version}.tgz"
        password = f"--set=database.password={SECRET}"
        values = [f"--set={self.values}"] if self.values else []
        self._helm(command, RELEASE, str(chart), *labels(context), password, *values, *more)

    def _helm(self, *arguments: str) -> None:
        self.say(f"$ helm {shlex.join(shown(arguments))} -n {NAMESPACE}")
        self.cluster.helm(*arguments, "-n", NAMESPACE, check=True)

    def _rollout_ends(self, *, well: bool = True) -> None:
        done = self.cluster.kubectl(
            "rollout", "status", f"deployment/{RELEASE}", "-n", NAMESPACE, check=False
        )
        said = (done.stdout + done.stderr).strip().splitlines()[-1]
        if (done.returncode == 0) is not well:
            raise UnexpectedRolloutError(said)
        self.say(f"  {said}")


class UnexpectedRolloutError(AssertionError):
    """A rollout that was to fail did not, or the other way round."""


def labels(context: str) -> list[str]:
    """Pass on the Keptn context, as whoever delivers on Keptn's behalf does."""
    found = {"context": context, "project": "sockshop", "stage": "prod", "service": "carts"}
    return ["--labels", ",".join(f"keptn.sh/{name}={value}" for name, value in found.items())]


def shown(arguments: tuple[str, ...]) -> list[str]:
    """Leave out of a command what is long or secret."""
    kept = (each for each in arguments if SECRET not in each)
    return [Path(each).name if each.endswith(".tgz") else each for each in kept]
