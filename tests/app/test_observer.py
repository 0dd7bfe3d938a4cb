"""The ReleaseObserver against a real apiserver, with the rights that are shipped and no more."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helmwake.app.observer import DeliveryState, Observer
from helmwake.cluster.backoff import BackoffPolicy
from helmwake.cluster.credentials import Credentials
from helmwake.settings.errors import BadSettingsError
from helmwake.settings.sources import ObserverOverrides
from tests.controlplane.api import ApiError
from tests.controlplane.cluster import ControlPlane

ROOT = Path(__file__).parents[2]
PATH = "/apis/helmwake.dev/v1alpha1/releaseobservers"
DEFAULT = f"{PATH}/default"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/releaseobservers.helmwake.dev"
WAIT_SECONDS = 30
IMPATIENT = BackoffPolicy(first=timedelta(milliseconds=50), cap=timedelta(milliseconds=500))
ACCOUNT = "system:serviceaccount:helmwake-system:helmwake"


@dataclass
class Running:
    """An observer under test and what it did."""

    applied: list[Any] = field(default_factory=list)
    delivery: DeliveryState = field(
        default_factory=lambda: DeliveryState(
            delivering=None, reason="NothingSent", message="Nothing was sent yet."
        )
    )
    refusal: Exception | None = None

    async def apply(self, overrides: ObserverOverrides | None) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.applied.append(overrides.values if overrides else None)


@asynccontextmanager
async def observing(kubeconfig: Path) -> AsyncIterator[Running]:
    running = Running()
    observer = Observer(
        login=lambda: Credentials(kubeconfig=str(kubeconfig)),
        apply=running.apply,
        delivery=lambda: running.delivery,
        backoff=IMPATIENT,
        look_every=timedelta(milliseconds=100),
    )
    task = asyncio.create_task(observer.run())
    try:
        yield running
        assert not task.done(), "it ended by itself"
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert "kopf" not in {thread.name for thread in threading.enumerate()}


async def until(what: str, look: Callable[[], object]) -> Any:
    """Look from a thread, as the observer runs in this loop."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not (seen := await asyncio.to_thread(look)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{what}: not within {WAIT_SECONDS} s")
    return seen


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane) -> ControlPlane:
    # It stays: the cluster is shared, and others may have installed it, too.
    control_plane.kubectl("apply", "-k", str(ROOT / "manifests"))
    control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    return control_plane


@pytest.fixture
def cluster(installed: ControlPlane) -> Iterator[ControlPlane]:
    """A cluster with everything installed and no ReleaseObserver."""
    yield installed
    if installed.api.find(CRD) is None:
        installed.kubectl("apply", "-k", str(ROOT / "manifests"))
        installed.kubectl("wait", "--for=condition=Established", "crd", "--all")
    installed.kubectl("delete", "releaseobservers", "--all")


@pytest.fixture
def kubeconfig(cluster: ControlPlane) -> Path:
    """A login with a token of the shipped ServiceAccount."""
    return cluster.kubeconfig_for(cluster.token_for("helmwake-system", "helmwake"))


def create(cluster: ControlPlane, spec: object) -> Any:
    return cluster.api.create(
        PATH,
        {
            "apiVersion": "helmwake.dev/v1alpha1",
            "kind": "ReleaseObserver",
            "metadata": {"name": "default"},
            "spec": spec,
        },
    )


def condition(cluster: ControlPlane, kind: str) -> dict[str, Any]:
    conditions = cluster.api.get(DEFAULT).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def says(cluster: ControlPlane, kind: str, status: str, reason: str) -> Callable[[], bool]:
    def look() -> bool:
        found = condition(cluster, kind)
        return (found.get("status"), found.get("reason")) == (status, reason)

    return look


@contextmanager
def without_rules(cluster: ControlPlane) -> Iterator[None]:
    """An apiserver that checks less than we do, as an older CRD would."""
    crd = cluster.api.get(CRD)
    weaker = json.loads(json.dumps(crd["spec"]["versions"]))
    spec = weaker[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["rolloutLimit"] = {"type": "string"}
    cluster.api.patch(CRD, {"spec": {"versions": weaker}})
    try:
        yield
    finally:
        cluster.api.patch(CRD, {"spec": {"versions": crd["spec"]["versions"]}})


async def test_a_resource_is_applied_and_its_status_says_so(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    create(cluster, {"rolloutLimit": "10m"})
    async with observing(kubeconfig) as running:
        await until("Ready", says(cluster, "Ready", "True", "Applied"))

        assert running.applied == [{"rolloutLimit": "10m"}]
        seen = cluster.api.get(DEFAULT)
        assert seen["status"]["observedGeneration"] == seen["metadata"]["generation"] == 1
        assert condition(cluster, "Delivering")["status"] == "Unknown"
        assert "lastError" not in seen["status"]
        assert "finalizers" not in seen["metadata"]
        assert "annotations" not in seen["metadata"]


async def test_a_change_applies_live(cluster: ControlPlane, kubeconfig: Path) -> None:
    async with observing(kubeconfig) as running:
        await asyncio.to_thread(create, cluster, {"otlp": {"endpoint": "http://a:4317"}})
        await until("the first", lambda: running.applied)

        cluster.api.patch(DEFAULT, {"spec": {"otlp": {"endpoint": "http://b:4317"}}})
        await until("the second", lambda: len(running.applied) == 2)

        assert running.applied == [
            {"otlp": {"endpoint": "http://a:4317"}},
            {"otlp": {"endpoint": "http://b:4317"}},
        ]
        await until(
            "its generation", lambda: condition(cluster, "Ready").get("observedGeneration") == 2
        )


async def test_a_bad_spec_is_told_and_what_was_in_force_stays_so(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    async with observing(kubeconfig) as running:
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "10m"})
        await until("the good one", says(cluster, "Ready", "True", "Applied"))
        with without_rules(cluster):
            await until("a weaker CRD", lambda: accepts(cluster, {"rolloutLimit": "25h"}))
        await until("InvalidSpec", says(cluster, "Ready", "False", "InvalidSpec"))

        assert len(running.applied) == 1
        status = cluster.api.get(DEFAULT)["status"]
        assert status["lastError"].startswith("spec.rolloutLimit: a duration in Go's notation")

        cluster.api.patch(DEFAULT, {"spec": {"rolloutLimit": "1h"}})
        await until("mended", says(cluster, "Ready", "True", "Applied"))
        assert "lastError" not in cluster.api.get(DEFAULT)["status"]


@pytest.mark.parametrize(
    ("refusal", "reason", "error"),
    [
        (BadSettingsError("spec.otlp.protocol", wanted="grpc"), "InvalidSpec", "otlp.protocol"),
        (RuntimeError("hunter2"), "NotApplied", "RuntimeError"),
    ],
)
async def test_what_cannot_be_put_in_force_is_told(
    cluster: ControlPlane, kubeconfig: Path, refusal: Exception, reason: str, error: str
) -> None:
    async with observing(kubeconfig) as running:
        running.refusal = refusal
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "10m"})
        await until(reason, says(cluster, "Ready", "False", reason))

        assert error in cluster.api.get(DEFAULT)["status"]["lastError"]
        assert "hunter2" not in json.dumps(cluster.api.get(DEFAULT))


async def test_a_deletion_does_not_hang_and_brings_the_flags_back(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    async with observing(kubeconfig) as running:
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "10m"})
        await until("Ready", says(cluster, "Ready", "True", "Applied"))

        cluster.kubectl("delete", "releaseobserver", "default", "--timeout=5s")

        await until("None", lambda: running.applied[-1] is None)


async def test_deleted_and_created_anew_is_in_force(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    async with observing(kubeconfig) as running:
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "10m"})
        await until("Ready", says(cluster, "Ready", "True", "Applied"))
        cluster.api.delete(DEFAULT)
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "20m"})

        await until("Ready again", says(cluster, "Ready", "True", "Applied"))
        assert running.applied[-1] == {"rolloutLimit": "20m"}


async def test_delivery_is_told_when_it_changes_and_nothing_is_written_at_rest(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    create(cluster, {})
    async with observing(kubeconfig) as running:
        await until("unknown", says(cluster, "Delivering", "Unknown", "NothingSent"))
        running.delivery = DeliveryState(
            delivering=False, reason="Unreachable", message="collector: connection refused"
        )
        await until("not delivering", says(cluster, "Delivering", "False", "Unreachable"))
        assert cluster.api.get(DEFAULT)["status"]["lastError"] == "collector: connection refused"

        running.delivery = DeliveryState(delivering=True, reason="Delivered", message="All sent.")
        await until("delivering", says(cluster, "Delivering", "True", "Delivered"))
        await asyncio.sleep(1)  # the lists of the start are behind us
        at_rest = requests(cluster)
        version = cluster.api.get(DEFAULT)["metadata"]["resourceVersion"]

        await asyncio.sleep(1)  # ten looks

        assert cluster.api.get(DEFAULT)["metadata"]["resourceVersion"] == version
        assert requests(cluster) == at_rest


async def test_a_restart_writes_nothing(cluster: ControlPlane, kubeconfig: Path) -> None:
    create(cluster, {})
    async with observing(kubeconfig):
        await until("Ready", says(cluster, "Ready", "True", "Applied"))
    version = cluster.api.get(DEFAULT)["metadata"]["resourceVersion"]

    async with observing(kubeconfig) as running:
        await until("applied", lambda: running.applied)
        await asyncio.sleep(1)

    assert cluster.api.get(DEFAULT)["metadata"]["resourceVersion"] == version


async def test_without_the_crd_it_waits_and_says_so_once(
    cluster: ControlPlane, kubeconfig: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cluster.kubectl("delete", "-k", str(ROOT / "crds"))
    async with observing(kubeconfig) as running:
        await until("the line", lambda: caplog.records)
        await asyncio.sleep(1)
        (record,) = caplog.records
        assert record.getMessage().startswith("the ReleaseObserver CRD is not installed")
        assert record.getMessage().endswith("kubectl apply -k crds/")

        cluster.kubectl("apply", "-k", str(ROOT / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
        await asyncio.to_thread(create, cluster, {"rolloutLimit": "10m"})

        await until("Ready", says(cluster, "Ready", "True", "Applied"))
        assert running.applied == [{"rolloutLimit": "10m"}]


async def test_the_crd_removed_under_it_brings_the_flags_back(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    create(cluster, {"rolloutLimit": "10m"})
    async with observing(kubeconfig) as running:
        await until("Ready", says(cluster, "Ready", "True", "Applied"))

        cluster.kubectl("delete", "-k", str(ROOT / "crds"), "--timeout=20s")

        await until("None", lambda: running.applied[-1] is None)


async def test_an_apiserver_that_goes_away_and_comes_back_ends_nothing(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    create(cluster, {"rolloutLimit": "10m"})
    async with observing(kubeconfig) as running:
        await until("Ready", says(cluster, "Ready", "True", "Applied"))
        bystander = asyncio.create_task(asyncio.Event().wait())
        await asyncio.to_thread(cluster.stop_apiserver)
        await asyncio.sleep(3)
        # Not in a thread: with it, the processes that it started would end.
        cluster.start_apiserver()

        await asyncio.to_thread(cluster.api.patch, DEFAULT, {"spec": {"rolloutLimit": "20m"}})

        await until("the change", lambda: len(running.applied) == 2)
        assert running.applied[-1] == {"rolloutLimit": "20m"}
        # kopf cancels what is younger than itself in its own loop; that must not be ours.
        assert not bystander.done()
        bystander.cancel()


async def test_deleted_while_the_apiserver_restarts_is_noticed(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    create(cluster, {"rolloutLimit": "10m"})
    async with observing(kubeconfig) as running:
        await until("Ready", says(cluster, "Ready", "True", "Applied"))
        await asyncio.to_thread(cluster.stop_apiserver)
        # Not in a thread: with it, the processes that it started would end.
        cluster.start_apiserver()
        await asyncio.to_thread(cluster.api.delete, DEFAULT)

        await until("None", lambda: running.applied[-1] is None)


async def test_without_a_right_it_says_which_and_goes_on(
    cluster: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    login = cluster.kubeconfig_for(cluster.token_for("default", "default"))
    async with observing(login):
        await until("the line", lambda: caplog.records)
        await asyncio.sleep(1)

    (record,) = caplog.records
    assert record.getMessage() == f"ReleaseObservers are not watched: GET {PATH}: 403"


async def test_an_apiserver_that_is_not_there_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with observing(tmp_path / "missing.kubeconfig") as running:
        await until("the line", lambda: caplog.records)
        await asyncio.sleep(1)

    assert running.applied == []
    (record,) = (each for each in caplog.records if each.name.startswith("helmwake"))
    assert "missing.kubeconfig" in record.getMessage()


async def test_it_asks_for_nothing_that_its_role_does_not_give(
    cluster: ControlPlane, kubeconfig: Path
) -> None:
    before = len(requests(cluster))
    create(cluster, {})
    async with observing(kubeconfig):
        await until("Ready", says(cluster, "Ready", "True", "Applied"))
        verbs = {"get", "list", "watch", "patch"}
        await until(
            "all it does", lambda: verbs <= {each[0] for each in requests(cluster)[before:]}
        )

    asked = requests(cluster)[before:]
    assert {status for _, _, status in asked} <= {0, 200}
    assert {verb for verb, _, _ in asked} == verbs
    # Ours, to see if the CRD is there; kopf's; and ours after it, for what it does not tell.
    assert [verb for verb, _, _ in asked].count("list") == 3
    patched = {path for verb, path, _ in asked if verb == "patch"}
    assert patched == {f"{DEFAULT}/status"}


def accepts(cluster: ControlPlane, spec: object) -> bool:
    try:
        cluster.api.patch(DEFAULT, {"spec": spec})
    except ApiError:
        return False
    return True


def requests(cluster: ControlPlane) -> list[tuple[str, str, int]]:
    return [
        (event["verb"], event["requestURI"], event.get("responseStatus", {}).get("code", 0))
        for event in cluster.audit_events(user=ACCOUNT)
    ]
