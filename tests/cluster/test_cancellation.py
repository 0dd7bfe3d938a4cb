"""Whatever is awaited may be cancelled: it ends at once, and leaves nothing behind.

Warnings are errors here, so that a task or a generator left behind fails the test too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from helmwake.cluster.errors import ApiError
from helmwake.cluster.payloads import PayloadFetcher
from helmwake.cluster.workloads import WorkloadLister
from helmwake.facts.identity import Driver, RecordRef
from tests.cluster.fake import FakeCluster
from tests.cluster.kit import running, settle

pytestmark = pytest.mark.looptime
REF = RecordRef(
    driver=Driver.SECRET, namespace="shop", name="cart-1", uid="uid-1", resource_version="101"
)


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put("cart-1")
    return cluster


async def cancelled(work: Awaitable[Any], *, after: float) -> None:
    """Cancel `work` and require that it says so, and that nothing else runs then."""
    others = asyncio.all_tasks()
    task = asyncio.ensure_future(work)
    await asyncio.sleep(after)
    assert not task.done(), "it was to be cancelled while it waits"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() <= others


async def cancel_reflector(cluster: FakeCluster, *, after: float) -> None:
    async with running(cluster) as run:
        await asyncio.sleep(after)
        assert not run.task.done()
        run.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.task
        assert cluster.open_streams == 0


async def test_a_list_can_be_cancelled(cluster: FakeCluster) -> None:
    await cancel_reflector(cluster, after=0.0005)


async def test_the_second_page_can_be_cancelled(cluster: FakeCluster) -> None:
    for n in range(501):
        cluster.put(f"more-{n}")
    await cancel_reflector(cluster, after=0.0015)
    assert len(cluster.lists) == 2


async def test_a_watch_being_opened_can_be_cancelled(cluster: FakeCluster) -> None:
    await cancel_reflector(cluster, after=0.0015)
    assert len(cluster.watches) == 1


async def test_an_open_watch_can_be_cancelled(cluster: FakeCluster) -> None:
    await cancel_reflector(cluster, after=60)


async def test_a_wait_can_be_cancelled(cluster: FakeCluster) -> None:
    cluster.get_faults.append(ApiError("LIST", status=503))
    await cancel_reflector(cluster, after=0.5)


async def test_a_watch_being_closed_can_be_cancelled(cluster: FakeCluster) -> None:
    class SlowToClose(FakeCluster):
        @asynccontextmanager
        async def stream(self, *args: Any, **options: Any) -> Any:
            async with FakeCluster.stream(self, *args, **options) as lines:
                try:
                    yield lines
                finally:
                    await asyncio.sleep(10)

    slow = SlowToClose()
    async with running(slow) as run:
        await settle()
        slow.end_streams()
        await asyncio.sleep(5)
        run.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.task


def fetcher(cluster: FakeCluster, **options: Any) -> PayloadFetcher[str]:
    def decode(record: Mapping[str, Any]) -> str:
        return str(record["metadata"]["name"])

    return PayloadFetcher(cluster, decode, jitter=lambda: 1.0, **options)


WORK: dict[str, Callable[[FakeCluster], Awaitable[Any]]] = {
    "a payload": lambda cluster: fetcher(cluster).fetch(REF),
    "workloads": lambda cluster: WorkloadLister(cluster).list("shop", lambda _: None),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
async def test_a_read_can_be_cancelled(
    cluster: FakeCluster, work: Callable[[FakeCluster], Awaitable[Any]]
) -> None:
    await cancelled(work(cluster), after=0.0005)


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
async def test_a_wait_between_reads_can_be_cancelled(
    cluster: FakeCluster, work: Callable[[FakeCluster], Awaitable[Any]]
) -> None:
    cluster.get_faults.append(ApiError("GET", status=503))
    await cancelled(work(cluster), after=0.4)


async def test_a_fetch_that_waits_for_its_turn_can_be_cancelled(cluster: FakeCluster) -> None:
    await cancelled(fetcher(cluster, concurrency=0).fetch(REF), after=60)
    assert cluster.requests == []


async def test_a_cancelled_caller_leaves_the_fetch_to_the_others(cluster: FakeCluster) -> None:
    payloads = fetcher(cluster)
    first = asyncio.create_task(payloads.fetch(REF))
    second = asyncio.create_task(payloads.fetch(REF))
    await asyncio.sleep(0.0005)
    first.cancel()
    assert await second == "cart-1"
    assert first.cancelled()
    assert len(cluster.requests) == 1


async def test_the_last_cancelled_caller_takes_the_fetch_along(cluster: FakeCluster) -> None:
    payloads = fetcher(cluster)
    both = [asyncio.create_task(payloads.fetch(REF)) for _ in range(2)]
    await asyncio.sleep(0.0005)
    for each in both:
        each.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError)
        for each in await asyncio.gather(*both, return_exceptions=True)
    )
    assert len(asyncio.all_tasks()) == 1
    assert await payloads.fetch(REF) == "cart-1", "a later caller gets a fetch of its own"
