"""Helm's work in an observed namespace, as short as it can be said."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane.test_smoke import CHART

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.commands import HelmVersion

AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Releases in one namespace."""

    cluster: ControlPlane
    namespace: str
    version: HelmVersion = 4
    values: dict[str, Any] = field(default_factory=dict)  # of every install and upgrade

    def install(self, release: str, *, context: str | None = None, **values: Any) -> None:
        self._deploy("install", release, context=context, values=values)

    def upgrade(
        self, release: str, *flags: str, context: str | None = None, **values: Any
    ) -> None:
        """A change of the pod template, so that there is a rollout."""
        self._deploy("upgrade", release, *flags, context=context, values=values)

    def install_all(self, releases: Iterable[str], **values: Any) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda release: self.install(release, **values), releases))

    def uninstall_all(self, releases: Iterable[str]) -> None:
        self.run("uninstall", *releases)

    def test(self, release: str) -> None:
        self.run("test", release)

    def run(self, *arguments: str) -> None:
        self.cluster.helm(*arguments, "-n", self.namespace, version=self.version, check=True)

    def _deploy(
        self, verb: str, release: str, *flags: str, context: str | None, values: dict[str, Any]
    ) -> None:
        arguments = [verb, release, CHART, *flags]
        for key, value in {**self.values, **values}.items():
            arguments += ["--set-json", f"{key}={json.dumps(value)}"]
        if context is not None:
            arguments += ["--labels", f"keptn.sh/context={context}"]
        self.run(*arguments)
