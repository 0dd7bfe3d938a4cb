"""What is shipped, on a real apiserver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane.api import ApiError
from tests.controlplane.cluster import ControlPlane

ROOT = Path(__file__).parents[2]
PATH = "/apis/helmwake.dev/v1alpha1/releaseobservers"
ACCOUNT = "system:serviceaccount:helmwake-system:helmwake"
OURS = "app.kubernetes.io/name=helmwake"


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    # It stays: the cluster is shared, and others may have installed it, too.
    control_plane.kubectl("apply", "-k", str(ROOT / "manifests"))
    control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    return control_plane


@pytest.fixture
def clean(cluster: ControlPlane) -> Iterator[ControlPlane]:
    yield cluster
    cluster.kubectl("delete", "releaseobservers", "--all")


def observer(spec: Any, *, name: str = "default") -> dict[str, Any]:
    return {
        "apiVersion": "helmwake.dev/v1alpha1",
        "kind": "ReleaseObserver",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_one_command_installs_everything_and_can_be_repeated(cluster: ControlPlane) -> None:
    again = cluster.kubectl("apply", "-k", str(ROOT / "manifests")).stdout

    assert all(line.endswith(("unchanged", "configured")) for line in again.splitlines())
    deployment = cluster.api.get("/apis/apps/v1/namespaces/helmwake-system/deployments/helmwake")
    assert deployment["spec"]["replicas"] == 1


def test_its_pod_is_admitted_by_the_restricted_standard(cluster: ControlPlane) -> None:
    cluster.kubectl(
        "-n", "helmwake-system", "wait", "pod", f"-l={OURS}", "--for=create", "--timeout=30s"
    )


def test_the_sample_is_taken_as_it_is(clean: ControlPlane) -> None:
    sample = ROOT / "manifests" / "samples" / "releaseobserver.yaml"
    clean.kubectl("apply", "-f", str(sample))

    stored = clean.api.get(f"{PATH}/default")
    # Nothing pruned, nothing filled in.
    assert stored["spec"] == yaml.safe_load(sample.read_text(encoding="utf-8"))["spec"]


def test_what_is_not_set_stays_so(clean: ControlPlane) -> None:
    clean.api.create(PATH, observer({"rolloutLimit": "1h30m"}))

    assert clean.api.get(f"{PATH}/default")["spec"] == {"rolloutLimit": "1h30m"}


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"otlp": {"endpoint": "collector:4317"}}, "wanted is an http:// or https:// URL"),
        ({"otlp": {"endpoint": "ftp://collector"}}, "wanted is an http:// or https:// URL"),
        ({"otlp": {"endpoint": "http://a?token=hunter2"}}, "without query"),
        ({"otlp": {"endpoint": "http://user:hunter2@a:4317"}}, "without user and password"),
        ({"otlp": {"endpoint": "http://" + "a" * 1024}}, "Too long"),
        ({"otlp": {"protocol": "http/json"}}, "supported values"),
        ({"keptn": {"context": "a b"}}, "should match"),
        ({"rolloutLimit": "30"}, "should match"),
        ({"rolloutLimit": "0s"}, "Go's notation"),
        ({"stuckAfter": "24h1ms"}, "Go's notation"),
        ({"backfill": "yes"}, "should match"),
        ({"backfill": "59m"}, "none, all, or an age from 1h to 999d"),
        ({"retention": {"age": "0d"}}, "should match"),
        ({"retention": {"age": "23977h"}}, "an age from 1h to 999d"),
        ({"retention": {"undeliveredAge": "99999999999999h"}}, "an age from 1h to 999d"),
        ({"retention": {"perRelease": 1001}}, "less than or equal to 1000"),
        ({"retention": {"total": 0}}, "greater than or equal to 1"),
        ({"clusterName": ""}, "at least 1"),
        ({"namespaceSelector": {"matchLabels": {"a": "b c"}}}, "should match"),
        ({"namespaceSelector": {"matchLabels": {f"k{n}": "v" for n in range(33)}}}, "at most 32"),
        (
            {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
            "In and NotIn need values",
        ),
        (
            {
                "namespaceSelector": {
                    "matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]
                }
            },
            "In and NotIn need values",
        ),
    ],
)
def test_a_bad_spec_is_refused_in_words_and_its_secret_is_not_shown(
    clean: ControlPlane, spec: Any, wanted: str
) -> None:
    with pytest.raises(ApiError) as caught:
        clean.api.create(PATH, observer(spec))

    assert caught.value.status == 422
    assert wanted in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_there_is_no_other_name_than_default(clean: ControlPlane) -> None:
    with pytest.raises(ApiError, match="its name is default"):
        clean.api.create(PATH, observer({}, name="second"))


@pytest.mark.parametrize("text", ["90s", "1.5h", "250ms", "1h1m1s1ms", "24h"])
def test_the_apiserver_reads_durations_as_we_do(clean: ControlPlane, text: str) -> None:
    clean.api.create(PATH, observer({"rolloutLimit": text}))


@pytest.mark.parametrize("text", ["none", "all", "1h", "7d", "999d", "23976h"])
def test_the_apiserver_reads_ages_as_we_do(clean: ControlPlane, text: str) -> None:
    clean.api.create(PATH, observer({"backfill": text}))


def test_kubectl_shows_how_it_goes(clean: ControlPlane) -> None:
    clean.api.create(PATH, observer({"otlp": {"endpoint": "http://a:4317"}}))
    now = "2026-01-01T00:00:00Z"
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": "A",
            "message": "",
            "lastTransitionTime": now,
        }
        for kind, status in (("Ready", "True"), ("Delivering", "False"))
    ]
    clean.api.patch(f"{PATH}/default/status", {"status": {"conditions": conditions}})

    header, line = clean.kubectl("get", "relobs").stdout.splitlines()
    assert header.split() == ["NAME", "READY", "DELIVERING", "ENDPOINT", "AGE"]
    assert line.split()[:4] == ["default", "True", "False", "http://a:4317"]
    assert "default" in clean.kubectl("get", "helmwake").stdout


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        *((verb, kind, True) for verb in ("get", "list", "watch")
          for kind in ("secrets", "configmaps", "deployments.apps", "namespaces")),
        *((verb, kind, False) for verb in ("create", "update", "patch", "delete")
          for kind in ("secrets", "configmaps", "deployments.apps", "namespaces")),
        ("list", "customresourcedefinitions", False),
        ("patch", "releaseobservers", False),
        ("patch", "releaseobservers/status", True),
        ("create", "pods/exec", False),
        ("create", "events", False),
    ],
)  # fmt: skip
def test_its_rights(cluster: ControlPlane, verb: str, resource: str, *, allowed: bool) -> None:
    # kubectl's words are its answer; its exit code is 1 for "no".
    kind, _, subresource = resource.partition("/")
    which = ("--subresource", subresource) if subresource else ()
    said = cluster.kubectl(
        "auth", "can-i", verb, kind, *which, "--as", ACCOUNT, "-n", "default", check=False
    ).stdout
    assert said.strip() == ("yes" if allowed else "no")


def test_the_namespaced_install_reads_secrets_only_where_it_is_bound(
    cluster: ControlPlane,
) -> None:
    cluster.create_namespace("shop")
    # What the install for the whole cluster has bound everywhere.
    cluster.kubectl("delete", "clusterrolebinding", "helmwake-observed")
    cluster.kubectl("apply", "-k", str(ROOT / "manifests" / "namespaced"))
    try:
        for namespace, answer in (("shop", "yes"), ("default", "no")):
            said = cluster.kubectl(
                "auth", "can-i", "list", "secrets", "--as", ACCOUNT, "-n", namespace, check=False
            )
            assert said.stdout.strip() == answer
        names = [
            each["data"].get("HELMWAKE_WATCH_NAMESPACES")
            for each in cluster.api.items("/api/v1/namespaces/helmwake-system/configmaps")
            if each["metadata"]["name"].startswith("helmwake-")
        ]
        assert "shop" in names
    finally:
        cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
        cluster.kubectl("delete", "namespace", "shop")
