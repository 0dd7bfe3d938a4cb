"""How each program of the control plane is called, and when it is ready."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane import toolbox
from tests.controlplane.api import ApiError
from tests.controlplane.kubelet import ending, faults, nodes, stage, startup
from tests.controlplane.process import Process, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.controlplane.api import Api

LOOPBACK: Final = "127.0.0.1"
# Of documentation's own networks.
NODE_ADDRESS: Final = "192.0.2.1"
POD_NETWORK: Final = "198.51.100.1/24"
# Longer than KWOK's pause between two renewals; without leases a node is NotReady after 40 s.
NODE_LEASE_SECONDS: Final = 40
# Requests of the cluster's own parts would be most of the log.
SILENT_USERS: Final = (
    "system:apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
)
AUDIT_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "None", "users": list(SILENT_USERS)}, {"level": "Metadata"}],
}


class Etcd:
    """The store, and its gRPC gateway for what no Kubernetes API can ask of it."""

    def __init__(self, directory: Path) -> None:
        port, peer_port = free_port(), free_port()
        self.url: Final = f"http://{LOOPBACK}:{port}"
        peers = f"http://{LOOPBACK}:{peer_port}"
        self.process: Final = Process(
            [
                toolbox.locate(toolbox.ETCD, "etcd"),
                f"--data-dir={directory / 'etcd'}",
                f"--listen-client-urls={self.url}",
                f"--advertise-client-urls={self.url}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                # What is lost with the machine is not missed.
                "--unsafe-no-fsync",
                "--log-level=warn",
            ],
            log=directory / "etcd.log",
        )
        self.process.wait_until(lambda: listens(port))

    def compact(self) -> int:
        """Forget all revisions before the current one, which is returned.

        Whoever watches etcd from before gets 410 Gone.
        """
        # "AA==" is a key that nobody has; the answer's header is what is wanted.
        revision = int(self._call("kv/range", {"key": "AA=="})["header"]["revision"])
        self._call("kv/compaction", {"revision": str(revision), "physical": True})
        return revision

    def _call(self, path: str, body: Mapping[str, object]) -> Mapping[str, Mapping[str, str]]:
        address = f"{self.url}/v3/{path}"
        with urllib.request.urlopen(  # noqa: S310 - we made the address ourselves
            address, data=json.dumps(body).encode(), timeout=10
        ) as answer:
            content: Mapping[str, Mapping[str, str]] = json.load(answer)
        return content


def start_apiserver(
    directory: Path, *, port: int, etcd_url: str, audit_log: Path | None, extra: Sequence[str]
) -> Process:
    """Start kube-apiserver; it makes its own certificate in `directory`/apiserver."""
    audit = []
    if audit_log is not None:
        policy = directory / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
        audit = [f"--audit-policy-file={policy}", f"--audit-log-path={audit_log}"]
    key = directory / "service-accounts.key"
    return Process(
        [
            toolbox.locate(toolbox.KUBERNETES, "kube-apiserver"),
            f"--etcd-servers={etcd_url}",
            f"--secure-port={port}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            # Else it refuses a loopback address.
            "--endpoint-reconciler-type=none",
            f"--cert-dir={directory / 'apiserver'}",
            f"--service-account-issuer=https://{LOOPBACK}:{port}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={directory / 'tokens.csv'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            *audit,
            *extra,
        ],
        log=directory / "kube-apiserver.log",
    )


def is_ready(api: Api) -> bool:
    """Whether the apiserver answers that it is."""
    # Its certificate is made while it starts.
    if not api.ca_file.exists():
        return False
    try:
        return bool(api.get("/readyz") == "ok")
    except (ApiError, OSError):
        return False


def start_controller_manager(directory: Path, kubeconfig: Path) -> Process:
    """Start kube-controller-manager."""
    return Process(
        [
            toolbox.locate(toolbox.KUBERNETES, "kube-controller-manager"),
            f"--kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={directory / 'service-accounts.key'}",
            "--leader-elect=false",
            "--secure-port=0",
        ],
        log=directory / "kube-controller-manager.log",
    )


def start_scheduler(directory: Path, kubeconfig: Path) -> Process:
    """Start kube-scheduler."""
    return Process(
        [
            toolbox.locate(toolbox.KUBERNETES, "kube-scheduler"),
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
        ],
        log=directory / "kube-scheduler.log",
    )


def start_kwok(directory: Path, kubeconfig: Path) -> Process:
    """Start KWOK, which plays the kubelet of every node."""
    stages = directory / "stages.yaml"
    stage.write(stages, (*nodes.STAGES, *startup.STAGES, *ending.STAGES, *faults.STAGES))
    return Process(
        [
            toolbox.locate(toolbox.KWOK, "kwok"),
            f"--kubeconfig={kubeconfig}",
            f"--config={stages}",
            "--manage-all-nodes=true",
            f"--node-ip={NODE_ADDRESS}",
            f"--cidr={POD_NETWORK}",
            f"--node-lease-duration-seconds={NODE_LEASE_SECONDS}",
        ],
        log=directory / "kwok.log",
        # Else it reads the configuration of the user of this machine as well.
        environment={"HOME": str(directory), "KWOK_WORKDIR": str(directory / "kwok")},
    )


# They speak to the apiserver, each as a user of this name.
CLIENTS: Final[Mapping[str, Callable[[Path, Path], Process]]] = {
    "kube-controller-manager": start_controller_manager,
    "kube-scheduler": start_scheduler,
    "kwok": start_kwok,
}


def node(name: str) -> Mapping[str, object]:
    """A node for KWOK to play; a stage gives it its size and its conditions."""
    metadata = {
        "name": name,
        "annotations": {"kwok.x-k8s.io/node": "fake"},
        "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def is_schedulable(node: Mapping[str, Any]) -> bool:
    """Whether pods can be put on this node."""
    conditions = node["status"].get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not node["spec"].get("taints")
