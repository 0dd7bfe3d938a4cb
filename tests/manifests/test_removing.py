"""Whatever is taken away, nothing of ours holds it back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.api import Api
from tests.controlplane.cluster import ControlPlane

MANIFESTS = Path(__file__).parents[2] / "manifests"
HOME = "helmwake-system"
ENTRIES = f"/apis/helmwake.dev/v1alpha1/namespaces/{HOME}/releasetraces"
COUNT = 60
# Enough for a slow machine; what waits for a finalizer waits for ever.
# The apiserver cleans up after a definition in its own time; what hangs, hangs for ever.
PATIENCE = "--timeout=180s"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One of its own: what is taken away here, other tests need."""
    with ControlPlane(tmp_path_factory.mktemp("removing")) as cluster:
        yield cluster


@pytest.fixture
def installed(cluster: ControlPlane) -> ControlPlane:
    """The operator as it is shipped, with a ledger of its own making."""
    cluster.kubectl("apply", "-k", str(MANIFESTS))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    operator = replace(cluster.api, token=cluster.token_for(HOME, "helmwake"))
    for revision in range(1, COUNT + 1):
        keep(operator, revision)
    progress = {"metadata": {"name": "helmwake-progress"}, "data": {"a": "b"}}
    operator.create(f"/api/v1/namespaces/{HOME}/configmaps", progress)
    return cluster


def keep(operator: Api, revision: int) -> None:
    operator.create(
        ENTRIES,
        {
            "apiVersion": "helmwake.dev/v1alpha1",
            "kind": "ReleaseTrace",
            "metadata": {"name": f"cart.v{revision}.0123456789abcdef"},
            "spec": {
                "release": {"namespace": "shop", "name": "cart"},
                "revision": revision,
                "operation": "upgrade",
                "record": {"driver": "Secret", "uid": f"u-{revision}"},
            },
        },
    )


def crds(cluster: ControlPlane) -> list[Any]:
    every = cluster.api.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
    return [each for each in every if each["spec"]["group"] == "helmwake.dev"]


def test_the_namespace_goes_with_its_ledger_when_the_operator_has_no_rights(
    installed: ControlPlane,
) -> None:
    entries = installed.api.items(ENTRIES)
    assert len(entries) == COUNT
    assert not [e for e in entries if e["metadata"].keys() & {"finalizers", "ownerReferences"}]
    installed.kubectl("delete", "-n", HOME, "deployment/helmwake", "role/helmwake-ledger")

    installed.kubectl("delete", "namespace", HOME, PATIENCE)

    assert installed.api.find(f"/api/v1/namespaces/{HOME}") is None


def test_the_definitions_go_with_all_entries_while_the_operator_is_there(
    installed: ControlPlane,
) -> None:
    assert len(crds(installed)) == 2

    installed.kubectl("delete", PATIENCE, "-k", str(MANIFESTS.parent / "crds"))

    assert crds(installed) == []
    installed.kubectl("delete", "namespace", HOME, PATIENCE)


def test_one_command_takes_everything_away_again(installed: ControlPlane) -> None:
    installed.kubectl("delete", PATIENCE, "-k", str(MANIFESTS))

    assert crds(installed) == []
    assert installed.api.find(f"/api/v1/namespaces/{HOME}") is None
    for kind in ("clusterroles", "clusterrolebindings"):
        path = f"/apis/rbac.authorization.k8s.io/v1/{kind}"
        left = [each["metadata"]["name"] for each in installed.api.items(path)]
        assert not [name for name in left if name.startswith("helmwake")]
