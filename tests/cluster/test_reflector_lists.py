"""What a reflector tells of its lists."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.cluster.errors import GoneError
from helmwake.cluster.known import Known
from helmwake.cluster.resources import DEPLOYMENTS, HELM_SECRETS, METADATA_PAGE_SIZE
from tests.cluster.fake import FakeCluster
from tests.cluster.kit import NOON, Thing, running, settle

pytestmark = pytest.mark.looptime


def cluster_of(*names: str) -> FakeCluster:
    cluster = FakeCluster()
    for name in names:
        cluster.put(name)
    return cluster


async def lose_watch(cluster: FakeCluster) -> None:
    """Make the reflector list again."""
    cluster.compact()
    cluster.end_streams()


async def test_first_list_is_told_as_history() -> None:
    async with running(cluster_of("cart-1", "shop-1")) as run:
        await settle()
        assert run.take() == ["ADDED cart-1 initial", "ADDED shop-1 initial"]


async def test_a_list_is_told_in_the_order_asked_for() -> None:
    async with running(cluster_of("cart-10", "cart-9", "cart-11")) as run:
        await settle()
        assert run.take() == [f"ADDED cart-{n} initial" for n in (9, 10, 11)]


async def test_a_list_is_told_when_its_last_page_is_there() -> None:
    cluster = cluster_of(*(f"cart-{n}" for n in range(METADATA_PAGE_SIZE + 1)))
    cluster.get_faults.extend([1, GoneError("LIST", status=410)])
    async with running(cluster) as run:
        await run.reflector.synced_event.wait()
        assert len(run.take()) == METADATA_PAGE_SIZE + 1
        # The first page was read twice: the token of the second had expired.
        assert ["continue" in each.params for each in cluster.lists] == [False, True] * 2
        assert run.state.lists == 1


async def test_a_list_asks_for_pages_of_metadata_of_the_newest_version() -> None:
    cluster = cluster_of("cart-1")
    async with running(cluster):
        await settle()
    (request,) = cluster.lists
    assert request.path == "/api/v1/secrets"
    assert request.params == {
        "limit": str(METADATA_PAGE_SIZE),
        "fieldSelector": "type=helm.sh/release.v1",
        "labelSelector": "owner=helm",
    }
    assert "PartialObjectMetadataList" in request.accept


async def test_after_a_gap_only_changes_are_told_deletions_first() -> None:
    cluster = cluster_of("cart-1", "cart-2", "cart-3", "cart-4")
    async with running(cluster) as run:
        await settle()
        run.take()
        cluster.lose()
        cluster.put("cart-20")
        cluster.put("cart-3", note="changed")
        cluster.delete("cart-2")
        cluster.delete("cart-1")
        cluster.put("cart-1")  # back, as another object
        cluster.compact()
        await run.reflector_silence()
        assert run.take() == [
            "DELETED cart-1 relisted",
            "DELETED cart-2 relisted",
            "ADDED cart-1 relisted",
            "MODIFIED cart-3 relisted",
            "ADDED cart-20 relisted",
        ]
        assert run.state.relists == 1


async def test_what_vanished_is_told_with_its_last_fact_and_the_time_it_was_missed() -> None:
    cluster = cluster_of("cart-1")
    async with running(cluster) as run:
        await settle()
        cluster.put("cart-1", note="last")
        await settle()
        cluster.lose()
        cluster.delete("cart-1")
        cluster.compact()
        await run.reflector_silence()
        last = run.seen[-1]
        assert last.fact == Thing("cart-1", 1, "last")
        assert last.seen >= NOON + timedelta(minutes=3)


async def test_a_bad_object_is_logged_once_counted_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = cluster_of("cart-1")
    cluster.put("cart-2", bad="SECRET")
    cluster.put("cart-3")
    async with running(cluster) as run:
        with caplog.at_level(logging.WARNING):
            await settle()
            await lose_watch(cluster)  # the same bad object is listed again
            await settle()
        assert run.take() == ["ADDED cart-1 initial", "ADDED cart-3 initial"]
        assert run.state.bad_objects == 1
    lines = [each.getMessage() for each in caplog.records if "bad" in each.getMessage()]
    assert lines == ["secrets: shop/cart-2: metadata.labels.bad is not there; ignored"]


async def test_a_bad_object_may_be_deleted() -> None:
    cluster = cluster_of()
    cluster.put("cart-2", bad="yes")
    async with running(cluster) as run:
        await settle()
        cluster.delete("cart-2")
        await settle()
        assert run.take() == []
        assert run.state.objects == 0
        assert not run.task.done()


async def test_an_object_without_identity_is_a_bad_object() -> None:
    cluster = cluster_of("cart-1")
    listed = [{"metadata": {"name": "cart-9", "namespace": "shop"}}, "no object", None]
    cluster.answers.append({"metadata": {"resourceVersion": "101"}, "items": listed})
    async with running(cluster) as run:
        await settle()
        assert run.state.synced
        assert run.state.bad_objects == len(listed)


async def test_known_facts_can_be_asked_for() -> None:
    cluster = cluster_of("cart-1", "cart-2")
    cluster.put("cart-3", ignored="yes")
    async with running(cluster) as run:
        await settle()
        cluster.delete("cart-1")
        await settle()
        assert list(run.reflector.facts()) == [Thing("cart-2", 2)]
        assert run.state.objects == 2


async def test_an_empty_list_in_gos_way_is_a_list() -> None:
    cluster = FakeCluster()
    cluster.answers.append({"metadata": {"resourceVersion": "100"}, "items": None})
    async with running(cluster) as run:
        await settle()
        assert run.is_ready()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"metadata": {}},
        {"metadata": {"resourceVersion": ""}, "items": []},
        {"metadata": {"resourceVersion": "1"}, "items": {}},
    ],
)
async def test_an_answer_that_is_no_list_is_asked_for_again(answer: object) -> None:
    cluster = cluster_of("cart-1")
    cluster.answers.append(answer)
    async with running(cluster) as run:
        await settle()
        assert not run.state.synced
        assert run.state.failure == "LIST /api/v1/secrets: the answer is not a list"
        await run.pass_time(seconds=1)
        assert run.take() == ["ADDED cart-1 initial"]


async def test_one_namespace_can_be_asked_for() -> None:
    cluster = cluster_of("cart-1")
    async with running(cluster, HELM_SECRETS.within("shop")):
        await settle()
    assert {each.path for each in cluster.requests} == {"/api/v1/namespaces/shop/secrets"}


async def test_whole_objects_come_in_smaller_pages() -> None:
    cluster = cluster_of(*(f"cart-{n}" for n in range(250)))
    async with running(cluster, replace(DEPLOYMENTS, kind="Secret")) as run:
        await settle()
        assert run.state.objects == 250
    assert [each.params["limit"] for each in cluster.lists] == ["100"] * 3
    assert {each.accept for each in cluster.requests} == {"application/json"}


def test_nothing_is_known_before_anything_was_listed() -> None:
    assert list(Known(lambda _: None).facts()) == []
