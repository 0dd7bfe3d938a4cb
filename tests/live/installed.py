"""The operator as it is shipped, running beside the cluster instead of in it."""

from __future__ import annotations

import re
import sys
import urllib.request
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.controlplane.cluster import ControlPlane

ROOT: Final = Path(__file__).parents[2]
NAMESPACE: Final = "helmwake-system"
ACCOUNT: Final = "helmwake"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
GRACE_SECONDS: Final = 30.0  # the Deployment's
MAIN: Final = "from helmwake.cli import main; main()"


def install(cluster: ControlPlane) -> None:
    """Apply what is shipped; its pod is KWOK's, and does nothing."""
    cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")


def has_noted_all(cluster: ControlPlane, *, namespace: str = NAMESPACE) -> bool:
    """Tell whether the operator has written how far it read, after all that it marked.

    That is the last thing it writes, up to half a minute late; then it is at rest.
    """
    found = cluster.api.find(f"/api/v1/namespaces/{namespace}/configmaps/helmwake-progress")
    at = (found or {}).get("data", {}).get("read-at")
    if at is None:
        return False
    traces = cluster.api.items(f"/apis/helmwake.dev/v1alpha1/namespaces/{namespace}/releasetraces")
    marks = (trace.get("status", {}).get("delivered", {}).get("at") for trace in traces)
    return all(
        datetime.fromisoformat(mark) <= datetime.fromisoformat(at) for mark in marks if mark
    )


class Operator:
    """A running `helmwake run`, logged in as the shipped ServiceAccount."""

    def __init__(
        self,
        cluster: ControlPlane,
        directory: Path,
        *options: str,
        interpreter_options: Sequence[str] = (),
    ) -> None:
        port = free_port()
        login = cluster.kubeconfig_for(cluster.token_for(NAMESPACE, ACCOUNT))
        self.url: Final = f"http://127.0.0.1:{port}"
        command = [sys.executable, *interpreter_options, "-c", MAIN, "run"]
        command += ["--kubeconfig", str(login), "--http-address", f"127.0.0.1:{port}", *options]
        self.process: Final = Process(command, log=directory / "helmwake.log")

    def is_ready(self) -> bool:
        """Ask as a kubelet does."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def listed(self, resource: str) -> int:
        """How many objects its first list of a resource had, by its own words."""
        said = self.process.log.read_text(encoding="utf-8")
        found = re.search(rf"{re.escape(resource)}: listed (\d+)", said)
        return int(found[1]) if found else 0

    def stop(self) -> None:
        """End it in order: what waits is delivered."""
        self.process.stop(grace_seconds=GRACE_SECONDS)
