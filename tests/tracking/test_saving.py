"""Each change of an operation is told, so that no transition can forget to have it saved."""

from helmwake.facts.change import Origin
from helmwake.facts.helm import Tags
from helmwake.lifecycle.facts import Tick
from tests.lifecycle.making import CART, Revision, after, deployment
from tests.tracking.kit import Tracked, space, tracked


def states(into: Tracked) -> list[tuple[str, int, bool]]:
    """Kind, revision, and whether Helm still works, as it was told each time."""
    return [(op.kind.value, op.revision, op.helm_runs) for op in into.sink.states]


async def test_an_operation_is_told_when_it_begins_and_at_each_change() -> None:
    async with tracked() as t:
        t.cluster.gate.clear()
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        assert states(t) == [("install", 1, True)]

        t.tracker.post(CART, first.is_("deployed", at=5))

        assert states(t) == [("install", 1, True), ("install", 1, False)]
        t.cluster.gate.set()


async def test_what_is_told_last_is_what_runs() -> None:
    async with tracked() as t:
        t.cluster.live.append(deployment("a", at=1, applied=0, ready=0))
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        t.tracker.post(CART, t.cluster.live[0])
        t.tracker.post(CART, first.is_("deployed", at=5))
        await t.tracker.settled()

        assert (t.sink.states[-1],) == t.tracker.running()
        assert t.sink.states[-1].rollouts


async def test_what_changes_nothing_is_not_told() -> None:
    async with tracked() as t:
        record = Revision(1).is_("pending-install")
        t.tracker.post(CART, record)
        await t.tracker.settled()
        told = list(t.sink.states)

        t.tracker.post(CART, record)
        t.tracker.post(CART, Tick(after(1)))
        t.tracker.post(CART, deployment("x", at=2, applied=None))

        assert t.sink.states == told


async def test_only_the_operation_that_changed_is_told() -> None:
    async with tracked() as t:
        t.cluster.live.append(deployment("a", at=1, applied=0, ready=0))
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        t.tracker.post(CART, first.is_("deployed", at=5))
        await t.tracker.settled()
        told = len(t.sink.states)

        t.tracker.post(CART, Revision(2, created=after(60)).is_("pending-upgrade"))

        assert states(t)[told:] == [("upgrade", 2, True)]


async def test_a_final_one_is_handed_over_and_neither_told_as_running_nor_given_up() -> None:
    async with tracked() as t:
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        t.tracker.post(CART, first.is_("deployed", at=5))
        await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success")]
        assert all(op.outcome is None for op in t.sink.states)
        assert t.sink.lost == []


async def test_one_that_opts_out_while_it_runs_is_given_up() -> None:
    async with tracked() as t:
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        await t.tracker.settled()

        t.tracker.post(CART, first.is_("pending-install", at=2, tags=Tags(opted_out=True)))

        assert [op.revision for op in t.sink.lost] == [1]
        assert t.tracker.running() == ()


async def test_history_that_nobody_saw_run_is_given_up_once() -> None:
    async with tracked() as t:
        second, third = Revision(2), Revision(3, created=after(60))
        t.tracker.post(CART, second.is_("pending-upgrade", origin=Origin.INITIAL))
        await t.tracker.settled()
        later = third.is_("deployed", at=100, origin=Origin.INITIAL)

        t.tracker.post(CART, later)
        t.tracker.post(CART, later)

        assert [op.revision for op in t.sink.lost] == [2]


async def test_what_was_told_is_not_told_again_before_the_past_is_known() -> None:
    """A later revision left it pending: until the ledger was asked, it may have been told."""
    async with tracked() as t:
        second, third = Revision(2), Revision(3, created=after(60))
        pending = second.is_("pending-upgrade")
        t.tracker.post(CART, pending)
        t.tracker.post(CART, third.is_("pending-rollback"))
        await t.tracker.settled()
        t.cluster.past = list(t.sink.final)

    async with tracked() as again:
        again.cluster.past = t.cluster.past
        for origin in (Origin.INITIAL, Origin.RELISTED):
            first_list = second.is_("pending-upgrade", at=0, origin=origin)
            again.tracker.post(CART, first_list)
            await again.tracker.settled()

        assert (again.sink.states, again.sink.lost, again.sink.final) == ([], [], [])


async def test_all_that_is_forgotten_is_given_up_each_once() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        scope.take(Revision(1).is_("pending-install"))
        await t.tracker.settled()

        scope.take(space(at=5, observed=False))
        scope.take(space(at=6, observed=False))

        assert [op.revision for op in t.sink.lost] == [1]


async def test_a_fact_that_cannot_be_applied_tells_nothing() -> None:
    bad: Tick = Tick("marker-c0ffee")  # type: ignore[arg-type]  # a defect, as it might be
    async with tracked() as t:
        t.tracker.post(CART, Revision(1).is_("pending-install"))
        await t.tracker.settled()
        told = list(t.sink.states)

        t.tracker.post(CART, bad)

        assert (t.sink.states, t.sink.lost) == (told, [])
