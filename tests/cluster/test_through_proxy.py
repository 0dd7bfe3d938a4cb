"""The reflector before a real apiserver, through a proxy that misbehaves."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from helmwake.cluster.backoff import BackoffPolicy
from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials, utc_now
from helmwake.cluster.errors import VersionTooLargeError
from helmwake.cluster.payloads import PayloadFetcher
from helmwake.cluster.reflector import Timing
from helmwake.cluster.resources import HELM_CONFIG_MAPS, HELM_SECRETS, Resource
from helmwake.cluster.workloads import WorkloadLister
from helmwake.facts.change import Change
from helmwake.facts.identity import Driver, RecordRef
from tests.cluster.kit import Run, Thing, running
from tests.cluster.proxy import FUTURE, FaultyProxy, moments, proxying
from tests.cluster.server import write_kubeconfig
from tests.controlplane.cluster import ControlPlane

# As patient as in production, but a hundred times faster.
HASTY: Final = Timing(
    idle=timedelta(seconds=1.8),
    lifetime=timedelta(minutes=5),
    backoff=BackoffPolicy(first=timedelta(seconds=0.01), cap=timedelta(seconds=0.3)),
)
UNHURRIED: Final = replace(HASTY, idle=timedelta(minutes=3))
LABELS: Final = {"owner": "helm", "name": "cart"}
RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"


def reduce_record(change: Change) -> Thing:
    assert change.object["kind"] in {"Secret", "ConfigMap"}
    assert "data" not in change.object, "only metadata was asked for"
    meta: Mapping[str, Any] = change.object["metadata"]
    revision = int(meta["name"].rsplit(".v", 1)[-1])
    return Thing(f"v{revision}", revision, meta["labels"].get("status", ""))


class Records:
    """Helm's records of one release, written as Helm writes them."""

    def __init__(self, control_plane: ControlPlane, namespace: str, kind: str = "secrets") -> None:
        self._api = control_plane.api
        self._path = f"/api/v1/namespaces/{namespace}/{kind}"

    def put(self, revision: int, *, kind: str = "helm.sh/release.v1") -> Any:
        name = f"sh.helm.release.v1.cart.v{revision}"
        labels = {**LABELS, "version": str(revision), "status": "pending-install"}
        body: dict[str, Any] = {"metadata": {"name": name, "labels": labels}}
        if self._path.endswith("secrets"):
            body |= {"type": kind, "stringData": {"release": "hunter2"}}
        return self._api.create(self._path, body)

    def mark(self, revision: int, status: str) -> None:
        path = f"{self._path}/sh.helm.release.v1.cart.v{revision}"
        self._api.patch(path, {"metadata": {"labels": {"status": status}}})

    def delete(self, revision: int) -> None:
        self._api.delete(f"{self._path}/sh.helm.release.v1.cart.v{revision}")


@pytest.fixture
def records(control_plane: ControlPlane, namespace: str) -> Records:
    return Records(control_plane, namespace)


@pytest.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[FaultyProxy]:
    tls = ssl.create_default_context(cafile=control_plane.ca_file)
    async with proxying(control_plane.server, tls) as proxy:
        yield proxy


@pytest.fixture
async def client(
    proxy: FaultyProxy, control_plane: ControlPlane, tmp_path: Path
) -> AsyncIterator[ApiClient]:
    user = {"token": control_plane.admin_token}
    file = write_kubeconfig(tmp_path / "config", server=proxy.address, user=user)
    async with ApiClient(Credentials(kubeconfig=file)) as client:
        yield client


async def eventually(condition: Callable[[], bool]) -> None:
    for pause in moments():
        if condition():
            return
        await asyncio.sleep(pause)
    raise AssertionError("it did not come to pass")


@asynccontextmanager
async def reflecting(
    client: ApiClient,
    namespace: str,
    *,
    resource: Resource = HELM_SECRETS,
    timing: Timing = UNHURRIED,
) -> AsyncIterator[Run]:
    """Run a reflector, ready and with nothing told yet but history."""
    async with running(
        client, resource.within(namespace), reduce=reduce_record, now=utc_now, timing=timing
    ) as run:
        await eventually(run.is_ready)
        yield run


async def hears(run: Run, *expected: str) -> None:
    await eventually(lambda: len(run.seen) >= len(expected))
    assert run.take() == list(expected)


@pytest.mark.parametrize("resource", [HELM_SECRETS, HELM_CONFIG_MAPS], ids=str)
async def test_records_are_followed_by_their_metadata(
    client: ApiClient, control_plane: ControlPlane, namespace: str, resource: Resource
) -> None:
    records = Records(control_plane, namespace, resource.plural)
    for revision in (10, 9):
        records.put(revision)
    async with reflecting(client, namespace, resource=resource) as run:
        await hears(run, "ADDED v9 initial", "ADDED v10 initial")
        records.put(11)
        records.mark(11, "deployed")
        records.delete(9)
        await eventually(lambda: len(run.seen) == 3)
        assert [each.fact.note for each in run.seen] == [
            "pending-install",
            "deployed",
            "pending-install",
        ]
        await hears(run, "ADDED v11 watched", "MODIFIED v11 watched", "DELETED v9 watched")


async def test_secrets_of_another_type_are_not_even_sent(
    client: ApiClient, records: Records, namespace: str
) -> None:
    records.put(1, kind="Opaque")
    async with reflecting(client, namespace) as run:
        records.put(2, kind="Opaque")
        records.put(3)
        await hears(run, "ADDED v3 watched")
        assert run.state.objects == 1


async def test_a_list_of_several_pages_is_one_list(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    for revision in range(1, 6):
        records.put(revision)
    small = replace(HELM_SECRETS, page_size=2)
    async with reflecting(client, namespace, resource=small) as run:
        await hears(run, *(f"ADDED v{n} initial" for n in range(1, 6)))
        assert proxy.count(watches=False) == 3


async def test_a_list_whose_token_expired_starts_again(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    for revision in range(1, 6):
        records.put(revision)
    proxy.expired_tokens = 1
    small = replace(HELM_SECRETS, page_size=2)
    async with reflecting(client, namespace, resource=small) as run:
        await hears(run, *(f"ADDED v{n} initial" for n in range(1, 6)))
        assert proxy.count(watches=False) == 5
        assert run.state.lists == 1


async def test_cut_streams_lose_and_repeat_nothing(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        for revision in range(1, 21):
            records.put(revision)
            proxy.cut_streams()
            # Let it notice, and sometimes already be back.
            for _ in range(revision):
                await asyncio.sleep(0)
        await hears(run, *(f"ADDED v{n} watched" for n in range(1, 21)))
        assert run.state.watch_restarts > 0
        assert run.state.lists == 1


async def test_deletions_missed_while_the_past_was_compacted_are_told(
    client: ApiClient,
    proxy: FaultyProxy,
    records: Records,
    namespace: str,
    control_plane: ControlPlane,
) -> None:
    for revision in (1, 2, 3):
        records.put(revision)
    async with reflecting(client, namespace, timing=HASTY) as run:
        run.take()
        proxy.refusal = 503
        proxy.cut_streams()
        await eventually(lambda: not run.is_ready())
        records.delete(1)
        records.delete(2)
        records.put(2)  # the same name, another object
        records.mark(3, "deployed")
        records.put(4)
        control_plane.compact_etcd()
        # The apiserver's own memory of the past goes with it.
        # HAZARD: not in a thread. Processes end with the thread that started them.
        control_plane.stop_apiserver()
        control_plane.start_apiserver()
        proxy.refusal = None
        await hears(
            run,
            "DELETED v1 relisted",
            "DELETED v2 relisted",
            "ADDED v2 relisted",
            "MODIFIED v3 relisted",
            "ADDED v4 relisted",
        )
        assert run.state.relists == 1
        await eventually(run.is_ready)
        records.delete(4)
        await hears(run, "DELETED v4 watched")


async def test_an_apiserver_that_is_overloaded_is_waited_for(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        proxy.refusal = 503
        proxy.cut_streams()
        await eventually(lambda: proxy.count(watches=True) > 5)
        state = run.state
        assert not state.ready
        assert state.failure is not None
        assert state.failure.endswith(f"/namespaces/{namespace}/secrets: 503")
        records.put(1)
        proxy.refusal = None
        await hears(run, "ADDED v1 watched")
        assert run.is_ready()
        assert run.state.lists == 1


async def test_an_overloaded_apiservers_wish_is_honoured(
    client: ApiClient, proxy: FaultyProxy, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        proxy.refusal, proxy.retry_after = 429, "1"
        proxy.cut_streams()
        await eventually(lambda: not run.is_ready())
        asked = len(proxy.requests)
        await asyncio.sleep(0.5)  # its own backoff would have asked several times
        assert len(proxy.requests) == asked
        proxy.refusal = None
        await eventually(run.is_ready)


async def test_a_garbled_line_comes_again_whole(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        proxy.garbled_lines = 1
        records.put(1)
        await hears(run, "ADDED v1 watched")
        assert run.state.bad_lines == 1
        assert run.state.lists == 1


async def test_what_stays_garbled_is_found_by_listing(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        proxy.garbled_lines = 2
        records.put(1)
        await hears(run, "ADDED v1 relisted")
        assert run.state.bad_lines == 2
        assert run.state.lists == 2


async def test_a_body_that_stalls_is_given_up(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    async with reflecting(client, namespace, timing=HASTY) as run:
        proxy.stall_streams()
        records.put(1)
        await hears(run, "ADDED v1 watched")
        assert run.state.watch_restarts == 1
        await eventually(lambda: proxy.open_streams == 1)


async def test_a_missing_right_is_waited_for(
    proxy: FaultyProxy, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    user = {"token": control_plane.token_for(namespace, "default")}
    file = write_kubeconfig(tmp_path / "config", server=proxy.address, user=user)
    async with (
        ApiClient(Credentials(kubeconfig=file)) as client,
        running(client, HELM_SECRETS.within(namespace), reduce=reduce_record, timing=HASTY) as run,
    ):
        path = f"/api/v1/namespaces/{namespace}/secrets"
        await eventually(lambda: run.state.failure == f"GET {path}: 403 Forbidden")
        rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"]}]
        roles = f"{RBAC}/namespaces/{namespace}"
        role = {"metadata": {"name": "reader"}, "rules": rules}
        control_plane.api.create(f"{roles}/roles", role)
        control_plane.api.create(
            f"{roles}/rolebindings",
            {
                "metadata": {"name": "reader"},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Role",
                    "name": "reader",
                },
                "subjects": [{"kind": "ServiceAccount", "name": "default"}],
            },
        )
        await eventually(run.is_ready)


async def test_a_watch_from_the_future_is_silent_and_is_given_up_for_a_list(
    client: ApiClient, proxy: FaultyProxy, records: Records, namespace: str
) -> None:
    proxy.future_watches = 2
    async with reflecting(client, namespace, timing=HASTY) as run:
        records.put(1)
        await hears(run, "ADDED v1 relisted")
        records.put(2)
        await hears(run, "ADDED v2 watched")
        assert run.is_ready()


async def test_a_list_from_the_future_has_an_error_of_its_own(
    client: ApiClient, namespace: str
) -> None:
    path = HELM_SECRETS.within(namespace).path
    with pytest.raises(VersionTooLargeError) as caught:
        await client.get(path, params={"resourceVersion": FUTURE})
    assert str(caught.value) == f"GET {path}: 504 Timeout"
    assert caught.value.retry_after == timedelta(seconds=1)


async def test_a_payload_is_fetched_whole(
    client: ApiClient, records: Records, namespace: str
) -> None:
    meta = records.put(1)["metadata"]
    ref = RecordRef(
        driver=Driver.SECRET,
        namespace=namespace,
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
    )
    payloads = PayloadFetcher(client, lambda record: record["data"]["release"])
    assert await payloads.fetch(ref) == "aHVudGVyMg=="
    records.delete(1)
    assert await payloads.fetch(ref) is None


async def test_workloads_are_listed_with_what_was_just_written(
    client: ApiClient, control_plane: ControlPlane, namespace: str
) -> None:
    lister = WorkloadLister(client)
    for name, manager in (("web", "Helm"), ("other", "someone")):
        deployment = {
            "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": manager}},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "main", "image": "none"}]},
                },
            },
        }
        control_plane.api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment)
    found = await lister.list(namespace, lambda change: str(change.object["metadata"]["name"]))
    assert found == ["web"]
