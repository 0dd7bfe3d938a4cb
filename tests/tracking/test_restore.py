"""Operations that were running when another process ended go on in this one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.identity import ReleaseKey
from helmwake.lifecycle.operation import Operation
from tests.lifecycle.making import CART, Revision, after, deployment
from tests.tracking.kit import space, tracked


@asynccontextmanager
async def running(*revisions: Revision) -> AsyncIterator[tuple[Operation, ...]]:
    """What an earlier process kept of revisions that were pending when it ended."""
    async with tracked() as t:
        for revision in revisions:
            t.tracker.post(CART, revision.is_("pending-upgrade"))
        await t.tracker.settled()
        yield t.tracker.running()


async def test_nothing_to_restore_is_nothing() -> None:
    async with tracked() as t:
        t.tracker.restore([])

        assert (t.tracker.running(), t.tracker.restored_in) == ((), set())


async def test_what_ran_runs_and_what_it_waited_for_is_asked() -> None:
    second = Revision(2)
    async with running(second) as kept, tracked() as t:
        t.tracker.restore(kept)

        assert [op.id for op in t.tracker.running()] == [op.id for op in kept]
        assert t.tracker.restored_in == {"shop"}
        await t.tracker.settled()
        assert t.cluster.fetched == ["sh.helm.release.v1.cart.v2"]
        assert t.cluster.recalled == [CART]
        assert len(t.sink.started) == 1


async def test_it_ends_by_what_is_watched_next() -> None:
    second = Revision(2)
    async with running(second) as kept, tracked() as t:
        t.tracker.restore(kept)
        t.tracker.post(CART, second.is_("deployed", at=5))
        await t.tracker.settled()

        assert t.sink.told == [("upgrade", 2, "success")]


async def test_it_ends_though_nothing_is_heard_before_the_answers() -> None:
    second = Revision(2)
    async with running(second) as kept, tracked() as t:
        t.cluster.gate.clear()
        t.tracker.restore(kept)
        t.tracker.post(CART, second.is_("deployed", at=900, origin=Origin.RELISTED))
        t.cluster.gate.set()
        await t.tracker.settled()

        assert t.sink.told == [("upgrade", 2, "success")]


async def test_releases_are_restored_each_for_itself() -> None:
    other = ReleaseKey("web", "site")
    async with running(Revision(2)) as kept, tracked() as t:
        [mine] = kept
        record = replace(mine.record, release=other, uid="uid-o")
        theirs = replace(mine, release=other, record=record, id=replace(mine.id, uid="uid-o"))

        t.tracker.restore([mine, theirs])

        assert {release.key for release in t.tracker.releases} == {CART, other}
        assert t.tracker.restored_in == {"shop", "web"}
        await t.tracker.settled()


async def test_a_workload_of_a_release_stored_elsewhere_reaches_it() -> None:
    """Flux: the process before knew where its records are."""
    stored = ReleaseKey("flux", "cart")
    async with tracked() as t:
        first = Revision(1)
        t.cluster.stored[first.uid] = first.holds(namespace="shop")
        t.tracker.post(stored, replace(first.is_("pending-install"), release=stored))
        await t.tracker.settled()
        kept = t.tracker.running()

    async with tracked() as t:
        scope = t.scope()
        t.tracker.restore(kept)
        scope.take(space("flux", origin=Origin.INITIAL))
        scope.take(space("shop", origin=Origin.INITIAL))
        await t.tracker.settled()

        scope.take(deployment("a", at=1, applied=0, ready=0))

        assert t.tracker.restored_in == {"flux", "shop"}
        assert [len(op.rollouts) for op in t.tracker.running()] == [1]
        assert [op.namespace.stage for op in t.tracker.running()] == ["shop-stage"]


async def test_wakes_that_are_past_come_at_once_and_time_nothing_out_unheard() -> None:
    async with tracked() as t:
        first = Revision(1)
        t.cluster.live.append(deployment("a", at=1, applied=0, ready=0))
        t.tracker.post(CART, first.is_("pending-install"))
        t.tracker.post(CART, first.is_("deployed", at=5))
        await t.tracker.settled()
        kept = t.tracker.running()
        assert kept[0].rollouts

    async with tracked() as t:
        t.cluster.gate.clear()
        t.clock.move(90000)
        t.tracker.restore(kept)
        t.clock.move(90001)
        assert t.sink.final == []
        t.cluster.live.append(
            deployment(
                "a",
                at=90001,
                applied=0,
                origin=Origin.RELISTED,
                reason="NewReplicaSetAvailable",
                progressed=9,
            )
        )

        t.cluster.gate.set()
        await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success")]
        assert t.sink.final[0].ended == after(9)


async def test_one_whose_namespace_lost_its_label_meanwhile_is_given_up() -> None:
    async with running(Revision(2)) as kept, tracked() as t:
        scope = t.scope()
        t.tracker.restore(kept)

        scope.take(space(observed=False, origin=Origin.INITIAL))
        await t.tracker.settled()

        assert [op.id for op in t.sink.lost] == [kept[0].id]
        assert list(t.tracker.releases) == []


async def test_one_whose_namespace_went_meanwhile_is_over_after_its_last_words() -> None:
    async with running(Revision(2)) as kept, tracked() as t:
        scope = t.scope()
        t.tracker.restore(kept)
        scope.take(space(at=900, gone=True, origin=Origin.INITIAL))
        await t.tracker.settled()
        assert t.sink.final == []

        t.clock.move(999)

        assert t.sink.told == [("upgrade", 2, "error")]


async def test_what_was_restored_may_be_forgotten_while_it_waits() -> None:
    async with running(Revision(2)) as kept, tracked() as t:
        t.cluster.gate.clear()
        t.tracker.restore(kept)
        await asyncio.sleep(0)

        t.tracker.forget(CART)
        t.cluster.gate.set()
        await t.tracker.settled()

        assert (list(t.tracker.releases), t.sink.final) == ([], [])
        assert [op.id for op in t.sink.lost] == [kept[0].id]


async def test_the_record_that_made_way_for_others_while_nobody_looked_is_told_gone() -> None:
    """A reflector that knew it says so in its first list, before the rest."""
    second = Revision(2)
    third = Revision(3, created=after(60))
    async with running(second) as kept, tracked() as t:
        scope = t.scope()
        t.tracker.restore(kept)
        scope.take(space(origin=Origin.INITIAL))
        t.cluster.stored[third.uid] = third.holds()

        scope.take(second.goes(at=900, origin=Origin.INITIAL))
        scope.take(third.is_("deployed", at=900, written=65, origin=Origin.INITIAL))
        await t.tracker.settled()

        assert t.sink.told == [("upgrade", 2, "error")]


@pytest.mark.parametrize("times", [1, 2])
async def test_several_processes_one_after_another_tell_it_once(times: int) -> None:
    second = Revision(2)
    async with running(second) as first_kept:
        kept = first_kept
        for _ in range(times):
            async with tracked() as t:
                t.tracker.restore(kept)
                await t.tracker.settled()
                kept = t.tracker.running()
                assert t.sink.final == []
        async with tracked() as t:
            t.tracker.restore(kept)
            t.tracker.post(CART, second.is_("deployed", at=5))
            await t.tracker.settled()

            assert t.sink.told == [("upgrade", 2, "success")]


async def test_the_group_can_be_cancelled_while_what_was_restored_waits() -> None:
    async with running(Revision(2)) as kept:
        others = asyncio.all_tasks()
        asked = asyncio.Event()

        async def live() -> None:
            async with tracked() as t:
                t.cluster.gate.clear()
                t.tracker.restore(kept)
                await asyncio.sleep(0)
                assert (len(t.cluster.fetched), len(t.cluster.recalled)) == (1, 1)
                asked.set()
                await t.tracker.settled()

        task = asyncio.create_task(live())
        async with asyncio.timeout(10):
            await asked.wait()

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() <= others
