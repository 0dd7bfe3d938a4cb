"""What the store asks of the apiserver, and what it makes of the answers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.cluster.errors import ApiError, ConflictError, NotFoundError
from helmwake.facts.identity import Driver, ReleaseKey
from helmwake.ledger.documents import entry_name, to_status, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.progress import CONFIG_MAP, ObservedNamespace, Progress
from helmwake.ledger.store import Bad, Handle, LedgerStore, Stored, writable
from tests.ledger.fake_api import CONFIG_MAPS, NAMESPACE, TRACES, FakeLedgerApi
from tests.ledger.making import entry
from tests.lifecycle.making import CART, NOON
from tests.telemetry.operations import a_test, failed_upgrade, good_upgrade, running, uninstalled

pytestmark = pytest.mark.looptime
STATE = "helmwake.dev/state"


@pytest.fixture
def api() -> FakeLedgerApi:
    return FakeLedgerApi()


@pytest.fixture
def store(api: FakeLedgerApi) -> LedgerStore:
    return LedgerStore(api, namespace=NAMESPACE)


async def keep(store: LedgerStore, kept: Entry) -> Handle:
    """Store an entry whole."""
    handle = await store.create(kept)
    return await store.write_status(handle, handle.status_patch(kept))


async def test_an_entry_is_created_and_then_gets_its_status(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    kept = entry(good_upgrade())
    name = entry_name(kept.operation)
    handle = await keep(store, kept)

    assert api.said() == ["POST", f"PATCH {name}/status"]
    assert "status" not in api.bodies[0]
    assert api.bodies[1] == {"metadata": {"resourceVersion": "101"}, "status": to_status(kept)}
    found = await store.read(name)
    assert found == Stored(entry=trimmed(kept), handle=handle)
    assert store.entry_of(handle) == trimmed(kept)


async def test_only_what_is_new_is_sent(api: FakeLedgerApi, store: LedgerStore) -> None:
    kept = entry(running(), state=State.RUNNING)
    handle = await keep(store, kept)
    stuck = replace(kept, operation=replace(kept.operation, stuck=True))
    handle = await store.write_status(handle, handle.status_patch(stuck))

    assert api.bodies[-1] == {"metadata": {"resourceVersion": "102"}, "status": {"stuck": True}}
    assert not handle.status_patch(stuck)
    assert not handle.label_patch(stuck)


async def test_labels_of_others_stay(api: FakeLedgerApi, store: LedgerStore) -> None:
    kept = entry(good_upgrade())
    name = entry_name(kept.operation)
    await keep(store, kept)
    api.edit(name, metadata={"labels": {"team": "a", "keptn.sh/stage": None}})
    found = await store.read(name)
    assert isinstance(found, Stored)
    delivered = replace(kept, state=State.DELIVERED)

    handle = await store.write_labels(found.handle, found.handle.label_patch(delivered))
    assert api.bodies[-1]["metadata"]["labels"] == {STATE: "delivered", "keptn.sh/stage": "prod"}
    assert handle.labels["team"] == "a"


async def test_a_version_that_is_not_the_last_is_a_conflict(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    kept = entry(good_upgrade())
    handle = await keep(store, kept)
    api.edit(handle.name, status={"stuck": True})
    with pytest.raises(ConflictError):
        await store.write_status(handle, {"stuck": False})
    with pytest.raises(ConflictError):
        await store.write_labels(handle, {STATE: "delivered"})
    with pytest.raises(ConflictError):
        await store.create(kept)


async def test_entries_are_found_by_state_a_page_at_a_time(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    operations = (good_upgrade(), uninstalled(), a_test())
    for operation, state in zip(
        operations, (State.RUNNING, State.UNDELIVERED, State.DELIVERED), strict=True
    ):
        await keep(store, entry(operation, state=state))

    async def states(*wanted: State) -> list[State]:
        return [
            each.entry.state async for each in store.entries(*wanted) if isinstance(each, Stored)
        ]

    assert await states(State.RUNNING, State.UNDELIVERED) == [State.RUNNING, State.UNDELIVERED]
    assert await states(State.DELIVERED) == [State.DELIVERED]
    assert len(await states()) == 3


async def test_many_entries_come_in_pages(api: FakeLedgerApi, store: LedgerStore) -> None:
    operation = good_upgrade()
    for n in range(120):
        one = replace(operation, id=replace(operation.id, uid=f"uid-{n}"))
        await store.create(entry(one))
    api.said()
    assert len([each async for each in store.entries(State.UNDELIVERED)]) == 120
    assert len(api.said()) == 3


async def test_the_status_is_the_truth_and_the_label_follows(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    handle = await keep(store, entry(good_upgrade()))
    delivered = entry(good_upgrade(), state=State.DELIVERED, delivered=NOON)
    await store.write_status(handle, handle.status_patch(delivered))  # and then it died

    assert [each async for each in store.entries(State.UNDELIVERED)] == []
    assert [each async for each in store.entries(State.DELIVERED)]
    assert api.traces[0]["metadata"]["labels"][STATE] == "delivered"


@pytest.mark.parametrize("label", [None, "", "nonsense"])
async def test_an_entry_whose_label_was_taken_away_is_found_and_gets_it_back(
    api: FakeLedgerApi, store: LedgerStore, label: str | None
) -> None:
    handle = await keep(store, entry(good_upgrade(), state=State.UNDELIVERED))
    api.edit(handle.name, metadata={"labels": {STATE: label}})

    [found] = [each async for each in store.entries(State.UNDELIVERED)]

    assert isinstance(found, Stored)
    assert api.traces[0]["metadata"]["labels"][STATE] == "undelivered"


async def test_a_label_that_cannot_be_written_breaks_no_list(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    handle = await keep(store, entry(good_upgrade()))
    await store.write_status(handle, {"state": "Delivered"})
    api.fail(ApiError("PATCH", status=500), method="PATCH")
    assert [each async for each in store.entries(State.UNDELIVERED)] == []


@pytest.mark.parametrize("status", [None, {"state": "Odd"}, {"helm": None}])
async def test_what_cannot_be_read_is_told_with_its_operation(
    api: FakeLedgerApi, store: LedgerStore, status: dict[str, object] | None
) -> None:
    kept = entry(good_upgrade())
    handle = await keep(store, kept)
    api.edit(handle.name, status=status, metadata={"annotations": None})

    [bad] = [each async for each in store.entries(State.UNDELIVERED)]
    assert isinstance(bad, Bad)
    assert bad.identity is not None
    assert bad.identity.id == kept.operation.id
    assert f"{NAMESPACE}/{handle.name}: status" in str(bad.error)

    await store.write_unreadable(bad, now=NOON)
    [trace] = api.traces
    assert trace["metadata"]["labels"][STATE] == "unreadable"
    assert trace["status"]["conditions"][0]["type"] == "Readable"
    assert [each async for each in store.entries(State.RUNNING, State.UNDELIVERED)] == []


async def test_a_spec_that_cannot_be_read_names_nothing(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    handle = await keep(store, entry(good_upgrade()))
    api.edit(handle.name, spec={"operation": "dance"})
    found = await store.read(handle.name)
    assert isinstance(found, Bad)
    assert found.identity is None


async def test_a_release_s_entries_are_found_and_no_other_s(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    await keep(store, entry(failed_upgrade()))
    other = replace(uninstalled(), release=ReleaseKey("elsewhere", CART.name))
    await keep(store, entry(other))
    broken = await keep(store, entry(a_test()))
    api.edit(broken.name, status={"state": "Odd"})

    found = await store.of_release(CART)
    assert [each.entry.operation.release for each in found] == [CART]


async def test_a_name_that_is_no_label_value_is_asked_for_without_it(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    long = ReleaseKey(CART.namespace, "c" * 64)
    await keep(store, entry(good_upgrade()))
    await keep(store, entry(replace(uninstalled(), release=long)))
    assert [each.entry.operation.release for each in await store.of_release(long)] == [long]


async def test_a_deletion_means_one_object_and_bears_its_absence(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    handle = await keep(store, entry(good_upgrade()))
    with pytest.raises(ConflictError):
        await store.delete(replace(handle, uid="another"))
    await store.delete(handle)
    assert api.traces == []
    await store.delete(handle)
    assert await store.read(handle.name) is None


async def test_a_missing_kind_is_not_a_missing_object(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    handle = await keep(store, entry(good_upgrade()))
    api.fail(NotFoundError("GET", status=404), times=2)
    with pytest.raises(NotFoundError):
        await store.read(handle.name)
    with pytest.raises(NotFoundError):
        await store.delete(handle)


def progress(**changes: object) -> Progress:
    known = ObservedNamespace(uid="uid-1", since=NOON, filled_from=NOON - timedelta(days=1))
    values = {"read_to": {Driver.SECRET: "7"}, "namespaces": {"shop": known}, **changes}
    return Progress(**values)  # type: ignore[arg-type]


async def test_progress_is_created_and_then_patched_by_what_is_new(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    assert await store.load_progress() == (Progress(), [])
    first = await store.save_progress(progress())
    assert await store.load_progress() == (first, [])
    assert first.resource_version == "101"
    api.said()

    assert await store.save_progress(first) is first
    assert api.said() == []

    second = await store.save_progress(replace(first, read_to={Driver.SECRET: "8"}))
    assert api.said() == [f"PATCH {CONFIG_MAP}"]
    assert api.bodies[-1] == {
        "metadata": {"resourceVersion": "101"},
        "data": {"read-to.secret": "8"},
    }
    third = await store.save_progress(replace(second, namespaces={}))
    assert api.bodies[-1]["data"] == {"ns.shop": None}
    assert await store.load_progress() == (third, [])


async def test_another_process_loads_what_was_saved(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    saved = await store.save_progress(progress())
    loaded, problems = await LedgerStore(api, namespace=NAMESPACE).load_progress()
    assert (loaded, problems) == (saved, [])


async def test_progress_written_by_another_is_a_conflict(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    saved = await store.save_progress(progress())
    await LedgerStore(api, namespace=NAMESPACE).load_progress()
    api.objects[f"{CONFIG_MAPS}/{CONFIG_MAP}"]["metadata"]["resourceVersion"] = "999"
    with pytest.raises(ConflictError):
        await store.save_progress(replace(saved, namespaces={}))
    with pytest.raises(ConflictError):
        await store.save_progress(progress())


async def test_progress_deleted_by_hand_is_made_anew(
    api: FakeLedgerApi, store: LedgerStore
) -> None:
    saved = await store.save_progress(progress())
    del api.objects[f"{CONFIG_MAPS}/{CONFIG_MAP}"]
    again = await store.save_progress(replace(saved, read_to={Driver.SECRET: "8"}))
    assert await store.load_progress() == (again, [])


def test_the_collections_are_those_of_the_fake() -> None:
    assert [each.resource.path for each in writable(NAMESPACE)] == [TRACES, CONFIG_MAPS]
