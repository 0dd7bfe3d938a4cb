"""The control plane does what tests will take for granted."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.controlplane.api import ApiError
from tests.controlplane.toolbox import ETCD, MissingToolError, locate
from tests.controlplane.waiting import wait_for

if TYPE_CHECKING:
    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.collector import Collector
    from tests.controlplane.commands import HelmVersion
    from tests.controlplane.jaeger import Jaeger

CHART: Final = str(Path(__file__).parents[1] / "charts" / "web")


def pods(cluster: ControlPlane, namespace: str) -> list[Any]:
    return cluster.api.items(f"/api/v1/namespaces/{namespace}/pods")


def deployment(cluster: ControlPlane, namespace: str) -> Any:
    return cluster.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/cart")


def is_complete(cluster: ControlPlane, namespace: str) -> bool:
    found = deployment(cluster, namespace)
    status, wanted = found["status"], found["spec"]["replicas"]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    counts = [status.get(f"{what}Replicas", 0) for what in ("updated", "available")]
    return seen and counts == [wanted, wanted] and status["replicas"] == wanted


def record_status(cluster: ControlPlane, namespace: str, revision: int) -> Any:
    name = f"sh.helm.release.v1.cart.v{revision}"
    secret = cluster.api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    return secret["metadata"]["labels"]["status"]


def events(cluster: ControlPlane, namespace: str, pod: str) -> set[tuple[str, str, str]]:
    return {
        (event["type"], event["reason"], event["message"])
        for event in cluster.api.items(f"/api/v1/namespaces/{namespace}/events")
        if event["involvedObject"]["name"] == pod
    }


def test_a_missing_tool_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELMWAKE_TOOLS_CACHE", str(tmp_path))
    monkeypatch.delenv("HELMWAKE_USE_PATH_TOOLS", raising=False)

    with pytest.raises(MissingToolError, match=r"python -m tests\.controlplane\.build etcd"):
        locate(ETCD, "etcd")


@pytest.mark.parametrize("version", [3, 4])
def test_both_helms_install_and_the_rollout_completes(
    control_plane: ControlPlane, namespace: str, version: HelmVersion
) -> None:
    control_plane.helm(
        "install",
        "cart",
        CHART,
        "-n",
        namespace,
        "--set",
        "replicas=2",
        version=version,
        check=True,
    )

    assert record_status(control_plane, namespace, 1) == "deployed"
    wait_for("a complete rollout", lambda: is_complete(control_plane, namespace))
    pod = pods(control_plane, namespace)[0]
    conditions = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
    assert conditions == dict.fromkeys(
        (
            "PodScheduled",
            "PodReadyToStartContainers",
            "Initialized",
            "ContainersReady",
            "Ready",
        ),
        "True",
    )
    reasons = {
        reason for _, reason, _ in events(control_plane, namespace, pod["metadata"]["name"])
    }
    assert {"Scheduled", "Pulling", "Pulled", "Created", "Started"} <= reasons


@pytest.mark.parametrize("version", [3, 4])
def test_failing_hook_fails_the_upgrade(
    control_plane: ControlPlane, namespace: str, version: HelmVersion
) -> None:
    control_plane.helm("install", "cart", CHART, "-n", namespace, version=version, check=True)
    hook = '{"pre-upgrade": {"enabled": true, "fails": true}}'

    done = control_plane.helm(
        "upgrade", "cart", CHART, "-n", namespace, "--set-json", f"hooks={hook}", version=version
    )

    assert done.returncode == 1
    assert record_status(control_plane, namespace, 2) == "failed"
    assert record_status(control_plane, namespace, 1) == "deployed"


def test_hooks_tests_and_rollback_run(control_plane: ControlPlane, namespace: str) -> None:
    names = [
        f"{when}-{what}" for what in ("install", "rollback", "delete") for when in ("pre", "post")
    ]
    settings = {
        "hooks": {name: {"enabled": True, "runFor": "100ms"} for name in names},
        "tests": {"first": {"enabled": True}, "second": {"enabled": True, "fails": True}},
        "config": {"colour": "blue"},
        "initContainers": ["migrate", "warm"],
    }
    values = control_plane.directory / f"{namespace}.json"
    values.write_text(json.dumps(settings), encoding="utf-8")
    there = ("-n", namespace)
    control_plane.helm("install", "cart", CHART, *there, "-f", str(values), check=True)
    control_plane.helm(
        "upgrade", "cart", CHART, *there, "--reuse-values", "--set", "image.tag=2", check=True
    )
    control_plane.helm("rollback", "cart", "1", *there, check=True)

    tested = control_plane.helm("test", "cart", *there)

    assert tested.returncode == 1
    phases = {
        pod["metadata"]["name"]: pod["status"]["phase"] for pod in pods(control_plane, namespace)
    }
    assert phases["cart-test-first"] == "Succeeded"
    assert phases["cart-test-second"] == "Failed"
    wait_for("a complete rollout", lambda: is_complete(control_plane, namespace))
    control_plane.helm("uninstall", "cart", *there, check=True)
    jobs = control_plane.api.items(f"/apis/batch/v1/namespaces/{namespace}/jobs")
    assert {job["metadata"]["name"] for job in jobs} == {f"cart-{name}" for name in names}


IMAGE: Final = "registry.example/web:1.0"
NOT_FOUND: Final = (
    f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": '
    f'failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
CRASH: Final = "back-off 10s restarting failed container=web pod={pod}_{namespace}({uid})"
SANDBOX_ERROR: Final = (
    "Failed to create pod sandbox: rpc error: code = DeadlineExceeded"
    " desc = context deadline exceeded"
)
# fault: (phase, the container's state, its last state, an event)
FAULTS: Final[dict[str, tuple[str, Any, Any, tuple[str, str, str]]]] = {
    "image-pull": (
        "Pending",
        {
            "waiting": {
                "reason": "ImagePullBackOff",
                "message": f'Back-off pulling image "{IMAGE}": ErrImagePull: {NOT_FOUND}',
            }
        },
        {},
        ("Warning", "Failed", f'Failed to pull image "{IMAGE}": {NOT_FOUND}'),
    ),
    "config-error": (
        "Pending",
        {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": 'secret "web-missing" not found',
            }
        },
        {},
        ("Warning", "Failed", 'Error: secret "web-missing" not found'),
    ),
    "crash-loop": (
        "Running",
        {"waiting": {"reason": "CrashLoopBackOff", "message": CRASH}},
        {"reason": "Error", "exitCode": 1},
        (
            "Warning",
            "BackOff",
            "Back-off restarting failed container web in pod {pod}_{namespace}({uid})",
        ),
    ),
    "oom": (
        "Running",
        {"waiting": {"reason": "CrashLoopBackOff", "message": CRASH}},
        {"reason": "OOMKilled", "exitCode": 137},
        (
            "Warning",
            "BackOff",
            "Back-off restarting failed container web in pod {pod}_{namespace}({uid})",
        ),
    ),
    "unready": (
        "Running",
        {"running": {}},
        {},
        ("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    ),
    "never-starts": (
        "Pending",
        {"waiting": {"reason": "ContainerCreating"}},
        {},
        (
            "Warning",
            "FailedCreatePodSandBox",
            SANDBOX_ERROR,
        ),
    ),
}


def includes(seen: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(seen == wanted)
    return isinstance(seen, dict) and all(
        name in seen and includes(seen[name], each) for name, each in wanted.items()
    )


def test_each_fault_has_the_shape_a_kubelet_gives_it(
    control_plane: ControlPlane, namespace: str
) -> None:
    for fault in FAULTS:
        control_plane.helm(
            "install", fault, CHART, "-n", namespace, "--set", f"fault={fault}", check=True
        )

    for fault in FAULTS:
        see_fault(control_plane, namespace, fault)


def see_fault(cluster: ControlPlane, namespace: str, fault: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods?labelSelector=helmwake.test/fault={fault}"
    metadata = wait_for(f"{fault}'s pod", lambda: cluster.api.items(path))[0]["metadata"]
    # The messages name the pod, whose name and uid are known only now.
    names = {"{pod}": metadata["name"], "{namespace}": namespace, "{uid}": metadata["uid"]}
    text = json.dumps(FAULTS[fault])
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    phase, state, last_state, event = json.loads(text)

    def reached() -> bool:
        status = cluster.api.items(path)[0]["status"]
        container = status.get("containerStatuses", [{}])[0]
        last = container.get("lastState", {}).get("terminated", {})
        seen = (status["phase"], container.get("state"), last)
        return all(map(includes, seen, (phase, state, last_state)))

    wait_for(f"{fault}: {phase}, {state}, {last_state}", reached)
    wait_for(
        f"{fault}: {event}",
        lambda: tuple(event) in events(cluster, namespace, metadata["name"]),
    )


def test_a_late_readiness_is_late(control_plane: ControlPlane, namespace: str) -> None:
    begun = time.monotonic()
    control_plane.helm(
        "install", "cart", CHART, "-n", namespace, "--set", "readyAfter=3s", "--wait", check=True
    )

    assert time.monotonic() - begun > 3


def test_other_workloads_get_ready(control_plane: ControlPlane, namespace: str) -> None:
    for kind in ("StatefulSet", "DaemonSet"):
        control_plane.helm(
            "install", kind.lower(), CHART, "-n", namespace, "--set", f"kind={kind}", check=True
        )

    for path, ready in (
        ("statefulsets/statefulset", "readyReplicas"),
        ("daemonsets/daemonset", "numberReady"),
    ):
        workload = f"/apis/apps/v1/namespaces/{namespace}/{path}"

        def is_ready(workload: str = workload, ready: str = ready) -> bool:
            return bool(control_plane.api.get(workload)["status"].get(ready) == 1)

        wait_for(path, is_ready)


def test_an_immutable_config_refuses_a_rollback(
    control_plane: ControlPlane, namespace: str
) -> None:
    there = (CHART, "-n", namespace, "--set")
    control_plane.helm("install", "cart", *there, "config.colour=blue", check=True)
    red = "config.colour=red,configImmutable=true"
    control_plane.helm("upgrade", "cart", *there, red, check=True)

    done = control_plane.helm("rollback", "cart", "1", "-n", namespace)

    assert done.returncode == 1
    assert record_status(control_plane, namespace, 2) == "superseded"
    assert record_status(control_plane, namespace, 3) == "failed"


def test_a_helm_process_can_be_killed(control_plane: ControlPlane, namespace: str) -> None:
    hook = '{"pre-install": {"enabled": true, "runFor": "60s"}}'
    helm = control_plane.helm_process(
        "install", "cart", CHART, "-n", namespace, "--set-json", f"hooks={hook}"
    )
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    wait_for("the hook", lambda: control_plane.api.items(jobs))

    helm.send_signal(signal.SIGKILL)
    helm.communicate(timeout=10)

    assert record_status(control_plane, namespace, 1) == "pending-install"


def test_a_service_account_logs_in_with_its_own_rights_and_is_audited(
    control_plane: ControlPlane, namespace: str
) -> None:
    token = control_plane.token_for(namespace, "default")
    login = control_plane.kubeconfig_for(token, namespace=namespace)

    done = control_plane.kubectl("--kubeconfig", str(login), "get", "secrets", check=False)

    user = f"system:serviceaccount:{namespace}:default"
    assert f'User "{user}" cannot list resource "secrets"' in done.stderr
    asked = control_plane.audit_events(user=user, agent="kubectl/")
    assert [
        (event["verb"], event["responseStatus"]["code"])
        for event in asked
        if event.get("objectRef", {}).get("resource") == "secrets"
    ] == [("list", 403)]


def test_a_watch_from_before_a_restart_is_gone(
    control_plane: ControlPlane, namespace: str
) -> None:
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    old = control_plane.api.get(secrets)["metadata"]["resourceVersion"]
    control_plane.api.create(secrets, {"metadata": {"name": "later"}})

    assert control_plane.compact_etcd() > int(old)
    control_plane.stop_apiserver()
    with pytest.raises(OSError, match="refused"):
        control_plane.api.get(secrets)
    control_plane.start_apiserver()

    answer = watch(control_plane, f"{secrets}?watch=true&resourceVersion={old}&timeoutSeconds=1")
    assert answer["type"] == "ERROR"
    assert answer["object"]["code"] == 410


def watch(cluster: ControlPlane, path: str) -> Any:
    """Return the first event, or the refusal in the form of one."""
    try:
        said = cluster.api.get(path)
    except ApiError as error:
        return {"type": "ERROR", "object": {"code": error.status}}
    return json.loads(said.splitlines()[0]) if isinstance(said, str) else said


def test_a_trace_through_the_collector_can_be_read_back(
    collector: Collector, jaeger: Jaeger
) -> None:
    now = time.time_ns()
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "name": "helm install",
        "kind": 1,
        "startTimeUnixNano": str(now - 10**9),
        "endTimeUnixNano": str(now),
        "attributes": [{"key": "helm.release", "value": {"stringValue": "cart"}}],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "smoke"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    request = urllib.request.Request(  # noqa: S310 - the collector's own
        f"{collector.otlp_http}/v1/traces",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status == 200

    found = jaeger.wait_for_traces("smoke", tags={"helm.release": "cart"})

    assert [trace["traceID"] for trace in found] == [span["traceId"]]
    assert found[0]["spans"][0]["operationName"] == "helm install"
    assert jaeger.traces("smoke", tags={"helm.release": "other"}) == []
