"""The store and the writer on a real apiserver, with the rights that are shipped and no more."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from helmwake.cluster.backoff import BackoffPolicy
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import ConflictError, InvalidError, NotFoundError
from helmwake.cluster.writing import WritingClient
from helmwake.facts.identity import Driver
from helmwake.ledger.documents import entry_name, to_status, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.progress import ObservedNamespace, Progress
from helmwake.ledger.store import Bad, LedgerStore, Stored, writable
from helmwake.ledger.writer import LedgerWriter
from helmwake.lifecycle.operation import OperationKind
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import wait_for
from tests.ledger.making import entry, full, told
from tests.lifecycle.making import NOON
from tests.telemetry.operations import good_upgrade, running

ROOT = Path(__file__).parents[2]
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
ACCOUNT = "helmwake"
STATE = "helmwake.dev/state"
RUNNING = entry(running(), state=State.RUNNING)
DONE = entry(replace(good_upgrade(), id=RUNNING.operation.id))
MARKED = replace(DONE, state=State.DELIVERED, delivered=NOON, delivered_to="http://collector:4317")
NAME = entry_name(RUNNING.operation)
QUICK = BackoffPolicy(first=timedelta(milliseconds=50), cap=timedelta(milliseconds=200))


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    # It stays: the cluster is shared, and others may have installed it, too.
    install(control_plane)
    return control_plane


def install(cluster: ControlPlane) -> None:
    cluster.kubectl("apply", "-k", str(ROOT / "manifests"))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")


def bind(cluster: ControlPlane, namespace: str) -> None:
    """Let the shipped Role hold in this namespace, for an account that has nothing else."""
    binding: dict[str, Any] = {
        "metadata": {"name": "ledger"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ledger"},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
    }
    cluster.api.create(f"{RBAC}/{namespace}/rolebindings", binding)
    user = f"system:serviceaccount:{namespace}:{ACCOUNT}"
    can = ("auth", "can-i", "delete", "releasetraces", "--as", user, "-n", namespace)
    wait_for("the binding", lambda: cluster.kubectl(*can, check=False).stdout.strip() == "yes")


@pytest.fixture
async def client(cluster: ControlPlane, namespace: str) -> AsyncIterator[WritingClient]:
    shipped = cluster.api.get(f"{RBAC}/helmwake-system/roles/helmwake-ledger")
    role = {"metadata": {"name": "ledger"}, "rules": shipped["rules"]}
    cluster.api.create(f"{RBAC}/{namespace}/roles", role)
    account = {"metadata": {"name": ACCOUNT}}
    cluster.api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
    bind(cluster, namespace)
    login = cluster.kubeconfig_for(cluster.token_for(namespace, ACCOUNT))
    credentials = Credentials(kubeconfig=str(login))
    async with WritingClient(credentials, writable=writable(namespace)) as client:
        yield client


@pytest.fixture
def store(client: WritingClient, namespace: str) -> LedgerStore:
    return LedgerStore(client, namespace=namespace)


class Desk:
    """A writer at work, and what it told."""

    def __init__(self, store: LedgerStore) -> None:
        self.store = store
        self.stored: list[Entry] = []
        self.known: list[Entry] = []
        self.refused: list[str] = []
        self.writer = LedgerWriter(
            store,
            on_stored=self.stored.append,
            on_known=self.known.append,
            on_refused=lambda _, why: self.refused.append(why),
            debounce=timedelta(milliseconds=50),
            backoff=QUICK,
        )

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.writer.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def put(self, *entries: Entry) -> None:
        for each in entries:
            self.writer.put(each)
        async with asyncio.timeout(20):
            await self.writer.flushed()

    async def fails(self) -> str:
        async with asyncio.timeout(20):
            # Nothing tells of it but the property that readiness asks.
            while (problem := self.writer.problem) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return problem


@pytest.fixture
def desk(store: LedgerStore) -> Desk:
    return Desk(store)


@pytest.fixture
def kubectl(cluster: ControlPlane, namespace: str) -> Callable[..., str]:
    return lambda *arguments: cluster.kubectl("-n", namespace, *arguments).stdout


def patch_status(kubectl: Callable[..., str], status: Any) -> None:
    patch = json.dumps({"status": status})
    kubectl("patch", "rt", NAME, "--subresource=status", "--type=merge", "-p", patch)


async def read(store: LedgerStore) -> Stored:
    found = await store.read(NAME)
    assert isinstance(found, Stored)
    return found


async def test_every_kind_of_operation_is_read_as_it_was_written(store: LedgerStore) -> None:
    for operation in (*told(), full()):
        kept = entry(operation)
        handle = await store.create(kept)
        handle = await store.write_status(handle, handle.status_patch(kept))
        assert handle.status == to_status(kept)
        assert not handle.status_patch(kept)
        assert not handle.label_patch(kept)
        assert await store.read(handle.name) == Stored(entry=trimmed(kept), handle=handle)
        await store.delete(handle)


async def test_a_whole_life(desk: Desk, kubectl: Callable[..., str]) -> None:
    async with desk.at_work():
        await desk.put(RUNNING)
        [found] = [each async for each in desk.store.entries(State.RUNNING, State.UNDELIVERED)]
        assert isinstance(found, Stored)
        assert found.entry == trimmed(RUNNING)
        await desk.put(DONE)
        assert (await read(desk.store)).entry == trimmed(DONE) == desk.stored[0]
        await desk.put(MARKED)
    assert [each.state for each in desk.stored] == [State.UNDELIVERED, State.DELIVERED]
    assert (await read(desk.store)).entry == trimmed(MARKED)
    assert [each async for each in desk.store.entries(State.RUNNING, State.UNDELIVERED)] == []
    assert NAME in kubectl("get", "rt", "-l", "keptn.sh/context=c-1")
    assert await desk.store.of_release(DONE.operation.release)


async def test_what_changes_nothing_makes_no_version(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(RUNNING)
        before = await read(desk.store)
        await desk.put(RUNNING)
        assert await read(desk.store) == before


async def test_an_end_that_an_earlier_process_told_stays(store: LedgerStore) -> None:
    before, after = Desk(store), Desk(store)
    async with before.at_work():
        await before.put(DONE)
    async with after.at_work():
        await after.put(replace(DONE, version="9.9.9"))
    assert after.known == before.stored == [(await read(store)).entry]
    assert after.stored == []


async def test_an_edit_by_hand_is_written_over_and_a_label_of_theirs_stays(
    desk: Desk, kubectl: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="helmwake")
    async with desk.at_work():
        await desk.put(RUNNING)
        await asyncio.to_thread(patch_status, kubectl, {"state": "Delivered", "stuck": True})
        await asyncio.to_thread(
            kubectl, "label", "--overwrite", "rt", NAME, "team=a", f"{STATE}=odd"
        )
    async with desk.at_work():
        await desk.put(DONE)
        found = await read(desk.store)
    assert found.handle.status == to_status(DONE)
    assert found.handle.labels["team"] == "a"
    assert found.handle.labels[STATE] == "undelivered"
    assert caplog.messages == [f"{NAME} was edited by hand; what was observed goes over it"]


async def test_a_broken_status_is_told_and_written_over(
    desk: Desk, kubectl: Callable[..., str]
) -> None:
    async with desk.at_work():
        await desk.put(RUNNING)
    await asyncio.to_thread(patch_status, kubectl, {"helm": None, "traceId": None})
    [bad] = [each async for each in desk.store.entries(State.RUNNING)]
    assert isinstance(bad, Bad)
    await desk.store.write_unreadable(bad, now=NOON)
    assert "Readable" in kubectl("get", "rt", NAME, "-o", "yaml")
    assert [each async for each in desk.store.entries(State.RUNNING)] == []

    again = Desk(desk.store)
    async with again.at_work():
        await again.put(DONE)
    assert (await read(desk.store)).handle.status == to_status(DONE)


async def test_a_deletion_by_hand_is_made_up_for(
    desk: Desk, kubectl: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="helmwake")
    async with desk.at_work():
        await desk.put(RUNNING)
        await asyncio.to_thread(kubectl, "delete", "rt", NAME)
        await desk.put(DONE)
        assert (await read(desk.store)).entry == trimmed(DONE)
        await asyncio.to_thread(kubectl, "delete", "rt", NAME)
        await desk.put(MARKED)
        assert (await read(desk.store)).entry == trimmed(MARKED)
    assert caplog.messages == [
        f"{NAME} was deleted by hand; it is made anew",
        f"{NAME} was deleted before its trace was delivered",
    ]


async def test_an_operation_taken_for_another_kind_gets_another_object(desk: Desk) -> None:
    taken = replace(RUNNING.operation.id, kind=OperationKind.ROLLBACK)
    operation = replace(RUNNING.operation, id=taken)
    handle = await desk.store.create(replace(RUNNING, operation=operation))
    async with desk.at_work():
        await desk.put(DONE)
    found = await read(desk.store)
    assert found.handle.uid != handle.uid
    assert found.entry == trimmed(DONE)


async def test_a_status_that_the_schema_refuses_is_named_by_its_field(store: LedgerStore) -> None:
    handle = await store.create(DONE)
    with pytest.raises(InvalidError, match=r"422 Invalid at status\.state$"):
        await store.write_status(handle, {**to_status(DONE), "state": "hunter2"})


async def test_a_missing_kind_says_what_to_do_and_is_waited_for(
    cluster: ControlPlane, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    crd = "releasetraces.helmwake.dev"
    async with desk.at_work():
        await desk.put(RUNNING)
        await asyncio.to_thread(cluster.kubectl, "delete", "crd", crd)
        try:
            desk.writer.put(DONE)
            problem = await desk.fails()
        finally:
            await asyncio.to_thread(install, cluster)
        assert problem == f"{crd} is not installed: kubectl apply -k manifests/"
        await desk.put()
        assert desk.writer.problem is None
        assert (await read(desk.store)).entry == trimmed(DONE)
    warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert warnings == [f"The ledger cannot be written: {problem}"]


async def test_missing_rights_say_what_to_do_and_are_waited_for(
    cluster: ControlPlane, namespace: str, desk: Desk
) -> None:
    await asyncio.to_thread(cluster.kubectl, "-n", namespace, "delete", "rolebinding", "ledger")
    user = f"system:serviceaccount:{namespace}:{ACCOUNT}"
    can = ("auth", "can-i", "create", "releasetraces", "--as", user, "-n", namespace)
    wait_for("its end", lambda: cluster.kubectl(*can, check=False).stdout.strip() == "no")
    async with desk.at_work():
        desk.writer.put(DONE)
        problem = await desk.fails()
        assert problem == (
            f"the operator may not create releasetraces in {namespace}: apply manifests/ again"
        )
        await asyncio.to_thread(bind, cluster, namespace)
        await desk.put()
        assert desk.writer.problem is None
        assert (await read(desk.store)).entry == trimmed(DONE)


async def test_a_missing_namespace_is_told_from_a_missing_kind(cluster: ControlPlane) -> None:
    # As admin: without rights there, it would be the right that is missing.
    credentials = Credentials(kubeconfig=str(cluster.kubeconfig))
    async with WritingClient(credentials, writable=writable("nowhere")) as client:
        store = LedgerStore(client, namespace="nowhere")
        with pytest.raises(NotFoundError) as caught:
            await store.create(DONE)
    words = "there is no namespace nowhere: kubectl apply -k manifests/"
    assert store.explained(caught.value) == words


async def test_progress_is_kept(store: LedgerStore, kubectl: Callable[..., str]) -> None:
    known = ObservedNamespace(uid="uid-1", since=NOON, filled_from=NOON - timedelta(days=1))
    assert await store.load_progress() == (Progress(), [])
    first = await store.save_progress(
        Progress(read_to={Driver.SECRET: "7"}, namespaces={"shop": known, "other": known})
    )
    assert await store.load_progress() == (first, [])
    second = await store.save_progress(replace(first, namespaces={"shop": known}))
    assert second.resource_version != first.resource_version
    assert await store.load_progress() == (second, [])
    with pytest.raises(ConflictError):
        await store.save_progress(replace(first, namespaces={}))
    with pytest.raises(ConflictError):
        await store.save_progress(Progress())

    patch = json.dumps({"data": {"ns.shop": "nonsense"}})
    kubectl("patch", "configmap", "helmwake-progress", "--type=merge", "-p", patch)
    loaded, problems = await store.load_progress()
    assert loaded.namespaces == {}
    assert len(problems) == 1
    kubectl("delete", "configmap", "helmwake-progress")
    third = await store.save_progress(replace(loaded, namespaces={"shop": known}))
    assert await store.load_progress() == (third, [])


async def test_the_progress_of_five_thousand_namespaces_is_taken(store: LedgerStore) -> None:
    known = ObservedNamespace(
        uid="3f7c6e0a-6d2c-4d6c-9f0e-0e2a3f1b2c3d",
        since=NOON.replace(microsecond=123456),
        filled_from=NOON.replace(microsecond=123456) - timedelta(days=1),
        left=dict.fromkeys(Driver, "1234567890"),
    )
    many = {f"{n:063d}": known for n in range(5000)}
    saved = await store.save_progress(Progress(namespaces=many))
    again = await store.save_progress(replace(saved, read_to={Driver.SECRET: "8"}))
    assert await store.load_progress() == (again, [])
