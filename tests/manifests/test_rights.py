"""What the operator's own token may do, as the apiserver answers it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.api import Api, ApiError
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import wait_for

MANIFESTS = Path(__file__).parents[2] / "manifests"
HOME = "helmwake-system"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WRITE = ["create", "update", "patch", "delete", "deletecollection"]
READ = ["get", "list", "watch"]


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane) -> ControlPlane:
    # It stays: the cluster is shared, and others may have installed it, too.
    control_plane.kubectl("apply", "-k", str(MANIFESTS))
    return control_plane


@pytest.fixture(scope="module")
def operator(installed: ControlPlane) -> Api:
    """Its own view of the cluster: a token of its ServiceAccount."""
    return replace(installed.api, token=installed.token_for(HOME, "helmwake"))


def may(
    who: Api, verb: str, resource: str, *, namespace: str = HOME, group: str = "", name: str = ""
) -> bool:
    plural, _, subresource = resource.partition("/")
    asked = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    answer = who.create(REVIEWS, {"spec": {"resourceAttributes": asked}})
    return bool(answer["status"]["allowed"])


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "patch", "delete"])
def test_it_keeps_its_ledger_in_its_own_namespace_alone(operator: Api, verb: str) -> None:
    assert may(operator, verb, "releasetraces", group="helmwake.dev")
    assert not may(operator, verb, "releasetraces", group="helmwake.dev", namespace="default")


def test_it_says_in_an_entrys_status_how_it_went(operator: Api) -> None:
    resource = "releasetraces/status"
    assert may(operator, "patch", resource, group="helmwake.dev")
    assert not may(operator, "patch", resource, group="helmwake.dev", namespace="default")


@pytest.mark.parametrize("verb", ["update", "deletecollection"])
def test_of_the_ledger_it_replaces_nothing_and_empties_nothing(operator: Api, verb: str) -> None:
    assert not may(operator, verb, "releasetraces", group="helmwake.dev")


@pytest.mark.parametrize("namespace", [HOME, "default", ""])
@pytest.mark.parametrize("verb", WRITE)
def test_it_writes_no_secret_and_no_workload_anywhere(
    operator: Api, verb: str, namespace: str
) -> None:
    """An empty namespace means all of them."""
    assert not may(operator, verb, "secrets", namespace=namespace)
    assert not may(operator, verb, "deployments", group="apps", namespace=namespace)
    assert not may(operator, verb, "namespaces", namespace=namespace)


@pytest.mark.parametrize("name", ["helmwake", "kube-root-ca.crt", ""])
def test_it_changes_no_config_map_but_its_own(operator: Api, name: str) -> None:
    for verb in ("update", "patch", "delete"):
        assert not may(operator, verb, "configmaps", name=name)
    assert may(operator, "patch", "configmaps", name="helmwake-progress")
    assert not may(operator, "patch", "configmaps", name="helmwake-progress", namespace="default")


def test_it_creates_config_maps_at_home_only(operator: Api) -> None:
    """Of any name: RBAC cannot limit a creation by it."""
    assert may(operator, "create", "configmaps")
    assert not may(operator, "create", "configmaps", namespace="default")


@pytest.mark.parametrize("verb", ["create", "patch", "update"])
def test_it_gives_itself_no_rights(operator: Api, verb: str) -> None:
    for resource in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"):
        assert not may(operator, verb, resource, group="rbac.authorization.k8s.io")
    assert not may(operator, verb, "serviceaccounts/token")
    assert not may(operator, verb, "releaseobservers", group="helmwake.dev")


def test_the_apiserver_refuses_what_the_review_denies(operator: Api) -> None:
    """The answers above are those of the requests themselves."""
    for path, body in {
        "/api/v1/namespaces/default/configmaps": {"metadata": {"name": "helmwake-progress"}},
        f"/api/v1/namespaces/{HOME}/secrets": {"metadata": {"name": "any"}},
    }.items():
        with pytest.raises(ApiError) as caught:
            operator.create(path, body)
        assert caught.value.status == 403
    with pytest.raises(ApiError) as caught:
        operator.patch(f"/api/v1/namespaces/{HOME}/configmaps/kube-root-ca.crt", {"data": {}})
    assert caught.value.status == 403


def test_without_the_binding_for_the_cluster_it_still_reads_its_own_progress(
    installed: ControlPlane, operator: Api
) -> None:
    """As in the namespaced install, where it reads no other ConfigMap at home."""
    installed.kubectl("delete", "clusterrolebinding", "helmwake-observed")
    try:
        assert may(operator, "get", "configmaps", name="helmwake-progress")
        assert not may(operator, "get", "configmaps", name="helmwake")
        assert not may(operator, "list", "secrets")
    finally:
        installed.kubectl("apply", "-k", str(MANIFESTS))


def reader(cluster: ControlPlane, account: str, *arguments: str) -> Api:
    """Give a new ServiceAccount of `default` rights by `kubectl create`; look with its eyes."""
    cluster.kubectl("create", "serviceaccount", account, "-n", "default")
    subject = f"--serviceaccount=default:{account}"
    cluster.kubectl("create", *arguments, subject)
    return replace(cluster.api, token=cluster.token_for("default", account))


@pytest.fixture
def accounts(installed: ControlPlane) -> Any:
    yield installed
    for arguments in (
        ("rolebinding", "helmwake-readers", "-n", HOME),
        ("rolebinding", "viewers", "-n", "default"),
        ("clusterrolebinding", "viewers"),
        ("serviceaccount", "pipeline", "tenant", "auditor", "-n", "default"),
    ):
        installed.kubectl("delete", "--ignore-not-found", *arguments)


def test_readers_of_the_ledger_are_bound_in_its_namespace(accounts: ControlPlane) -> None:
    binding = ("rolebinding", "helmwake-readers", "-n", HOME, "--clusterrole=helmwake-reader")
    pipeline = reader(accounts, "pipeline", *binding)

    for verb in READ:
        assert may(pipeline, verb, "releasetraces", group="helmwake.dev")
    for verb in WRITE:
        assert not may(pipeline, verb, "releasetraces", group="helmwake.dev")
    assert not may(pipeline, "get", "secrets")
    assert not may(pipeline, "get", "configmaps")


def test_who_views_the_cluster_views_the_ledger_and_a_tenant_does_not(
    accounts: ControlPlane,
) -> None:
    auditor = reader(accounts, "auditor", "clusterrolebinding", "viewers", "--clusterrole=view")
    binding = ("rolebinding", "viewers", "-n", "default", "--clusterrole=view")
    tenant = reader(accounts, "tenant", *binding)

    # The controller manager aggregates in its own time.
    wait_for("the role view", lambda: may(auditor, "list", "releasetraces", group="helmwake.dev"))
    assert not may(tenant, "list", "releasetraces", group="helmwake.dev")
