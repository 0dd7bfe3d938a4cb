"""Where a scenario plays: a ledger of its own, and namespaces that only its operator sees."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.collector import Relay
from tests.chaos.lives import Operator
from tests.chaos.sink import Sink
from tests.e2e.installing import NAMESPACE, install_operator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane

SCENARIO: Final = "helmwake.test/scenario"
RBAC: Final = "/apis/rbac.authorization.k8s.io/v1/namespaces"
LEDGER_ROLE: Final = "helmwake-ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    cluster: ControlPlane
    name: str
    ledger: str  # the operator's own namespace
    directory: Path
    sink: Sink
    relay: Relay
    operator: Operator

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the namespaces that its operator observes."""
        return {SCENARIO: self.name}

    @property
    def traces(self) -> str:
        """The path of the ledger's entries."""
        return f"/apis/helmwake.dev/v1alpha1/namespaces/{self.ledger}/releasetraces"

    def entries(self) -> list[Any]:
        return self.cluster.api.items(self.traces)


def install(cluster: ControlPlane) -> Path:
    """Apply what is shipped; return a login with the operator's rights."""
    login = install_operator(cluster)
    cluster.kubectl("wait", "--for=condition=Established", "crd/releasetraces.helmwake.dev")
    return login


@contextmanager
def set_up(cluster: ControlPlane, login: Path, *, name: str, directory: Path) -> Iterator[Stage]:
    """Set everything up but the operator's first life; end all processes at the end."""
    ledger = f"ledger-of-{name}"
    _make_home(cluster, ledger)
    with Sink() as sink, Relay(directory, to_port=sink.port) as relay:
        environment = {
            "HELMWAKE_KUBECONFIG": str(login),
            "HELMWAKE_NAMESPACE": ledger,
            "HELMWAKE_NAMESPACE_SELECTOR": f"{SCENARIO}={name}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": relay.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        }
        with Operator(directory, environment=environment) as operator:
            yield Stage(
                cluster=cluster,
                name=name,
                ledger=ledger,
                directory=directory,
                sink=sink,
                relay=relay,
                operator=operator,
            )


def _make_home(cluster: ControlPlane, namespace: str) -> None:
    """Give the operator's account in a namespace what it has in the shipped one, no more."""
    cluster.create_namespace(namespace)
    for kind in ("roles", "rolebindings"):
        shipped = cluster.api.get(f"{RBAC}/{NAMESPACE}/{kind}/{LEDGER_ROLE}")
        metadata = {"name": LEDGER_ROLE, "namespace": namespace}
        parts = {key: shipped[key] for key in ("rules", "roleRef", "subjects") if key in shipped}
        cluster.api.create(f"{RBAC}/{namespace}/{kind}", {"metadata": metadata, **parts})
