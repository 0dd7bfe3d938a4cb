"""The operator's home in the cluster, as the shipped manifests make it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane.waiting import wait_for

if TYPE_CHECKING:
    from tests.controlplane.cluster import ControlPlane

MANIFESTS: Final = Path(__file__).parents[2] / "manifests"
NAMESPACE: Final = "helmwake-system"
ACCOUNT: Final = "helmwake"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
DEPLOYMENT: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/helmwake"


def install_operator(cluster: ControlPlane) -> Path:
    """Apply what users apply; return a login with the rights of the ServiceAccount, no more.

    There are no containers here: the operator runs beside the cluster, and its Deployment
    has no pods.
    """
    cluster.kubectl("apply", "-k", str(MANIFESTS))
    cluster.kubectl("scale", "-n", NAMESPACE, "deployment/helmwake", "--replicas=0")
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/releaseobservers.helmwake.dev"

    def established() -> bool:
        conditions = cluster.api.get(crd)["status"]["conditions"]
        return any(
            each["type"] == "Established" and each["status"] == "True" for each in conditions
        )

    wait_for("the CustomResourceDefinition", established)
    token = cluster.token_for(NAMESPACE, ACCOUNT)
    return cluster.kubeconfig_for(token, namespace=NAMESPACE)
