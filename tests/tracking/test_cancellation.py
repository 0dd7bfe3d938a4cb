"""Each await is cancelled once: it ends at once, and leaves nothing behind."""

import asyncio
from collections.abc import Callable

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.payload import Payload
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.operation import Operation
from helmwake.tracking.tracker import Tracker
from tests.lifecycle.making import CART, Revision
from tests.tracking.kit import HandClock, Sink, tracked


class Silent:
    """Never answers what is asked of it, and says when it was asked."""

    def __init__(self, *, fetches: bool = True, lists: bool = True, recalls: bool = True) -> None:
        self.fetches, self.lists, self.recalls = fetches, lists, recalls
        self.asked = asyncio.Event()
        self.cancelled = 0

    async def fetch(self, ref: RecordRef) -> Payload | None:
        if not self.fetches:
            await self._wait()
        return None

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        if not self.lists:
            await self._wait()
        return ()

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        if not self.recalls:
            await self._wait()
        return ()

    async def _wait(self) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def run(cluster: Silent, use: Callable[[Tracker], object], *, settle: bool = False) -> None:
    async with asyncio.TaskGroup() as tasks:
        tracker = Tracker(
            tasks=tasks,
            payloads=cluster,
            workloads=cluster,
            operations=Sink(),
            past=cluster,
            clock=HandClock(),
        )
        use(tracker)
        if settle:
            await tracker.settled()


def gap(tracker: Tracker) -> None:
    tracker.post(CART, Revision(2).is_("deployed", origin=Origin.RELISTED))


def install(tracker: Tracker) -> None:
    first = Revision(1)
    tracker.post(CART, first.is_("pending-install"))
    tracker.post(CART, first.is_("deployed", at=5))


@pytest.mark.parametrize(
    ("silent", "asked"),
    [
        ({"fetches": False, "lists": True}, 2),
        ({"fetches": True, "lists": False}, 1),
        ({"fetches": False, "lists": False}, 3),
    ],
    ids=["fetch", "list", "both"],
)
@pytest.mark.parametrize("settle", [False, True], ids=["running", "settling"])
async def test_the_group_can_be_cancelled_while_an_answer_is_awaited(
    silent: dict[str, bool],
    asked: int,
    settle: bool,  # noqa: FBT001  # a table's column
) -> None:
    cluster = Silent(**silent)
    others = asyncio.all_tasks()
    task = asyncio.create_task(run(cluster, install, settle=settle))
    async with asyncio.timeout(10):
        await cluster.asked.wait()
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert cluster.cancelled == asked
    assert asyncio.all_tasks() <= others


async def test_the_group_can_be_cancelled_while_the_past_is_awaited() -> None:
    cluster = Silent(recalls=False)
    task = asyncio.create_task(run(cluster, gap))
    async with asyncio.timeout(10):
        await cluster.asked.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert cluster.cancelled == 1


async def test_whoever_waits_for_settled_may_give_up_and_the_answers_still_come() -> None:
    async with tracked() as t:
        t.cluster.gate.clear()
        install(t.tracker)
        waiting = asyncio.create_task(t.tracker.settled())
        await asyncio.sleep(0)

        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        t.cluster.gate.set()
        await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success")]
