"""Only labelled namespaces are observed; the label may come and go at any time."""

from dataclasses import replace

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.identity import ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.tracking.scope import Scope
from tests.lifecycle.making import Revision, after, deployment
from tests.tracking.kit import space, tracked


async def test_a_namespace_without_the_label_is_not_observed() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space(observed=False))
        first = Revision(1)

        scope.take(first.is_("pending-install"))
        scope.take(deployment("a", at=1, applied=0))

        assert list(t.tracker.releases) == []
        assert t.cluster.fetched == []


async def test_a_namespace_that_nobody_has_seen_is_not_observed() -> None:
    async with tracked() as t:
        scope = t.scope()

        scope.take(Revision(1).is_("pending-install"))

        assert not scope.observes("shop")
        assert list(t.tracker.releases) == []


async def test_in_a_labelled_namespace_everything_is_followed() -> None:
    async with tracked() as t:
        scope = t.scope()
        first = Revision(1)
        for fact in (
            space(),
            first.is_("pending-install"),
            deployment("a", at=1, applied=0),
            first.is_("deployed", at=5),
        ):
            scope.take(fact)
            await t.tracker.settled()

        [operation] = t.sink.final
        assert len(operation.rollouts) == 1
        assert operation.keptn.stage == "shop-stage"


async def test_a_label_that_comes_starts_with_what_runs_and_not_with_history() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space(observed=False))
        first, second = Revision(1), Revision(2, created=after(60))
        t.cluster.records = [first.is_("superseded", at=65), second.is_("pending-upgrade")]
        t.cluster.live = [deployment("b", at=62, applied=61, ready=0)]

        scope.take(space(at=100))
        await t.tracker.settled()
        assert [(op.kind.value, op.started) for op in t.tracker.running()] == [
            ("upgrade", after(60))
        ]
        assert all(op.record.origin is Origin.INITIAL for op in t.tracker.running())

        scope.take(second.is_("deployed", at=101))
        scope.take(deployment("b", at=110, applied=61))
        await t.tracker.settled()
        assert t.sink.told == [("upgrade", 2, "success")]
        assert t.sink.final[0].rollouts[0].template == "b"


async def test_history_of_a_namespace_that_is_labelled_now_costs_no_request() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space(observed=False))
        t.cluster.records = [Revision(1).is_("deployed", at=5)]

        scope.take(space(at=100))
        await t.tracker.settled()

        assert (t.cluster.fetched, t.sink.final) == ([], [])
        assert len(list(t.tracker.releases)) == 1


@pytest.mark.parametrize("status", ["deployed", "pending-install"])
async def test_a_record_that_overtook_its_namespaces_label_is_new(status: str) -> None:
    """The label was there first: the streams are not ordered among themselves."""
    async with tracked() as t:
        scope = t.scope()
        first = Revision(1, created=after(100))
        t.cluster.records = [first.is_(status, at=100.5)]
        t.cluster.stored[first.uid] = first.holds()

        scope.take(space(at=101))
        await t.tracker.settled()
        if status != "deployed":
            scope.take(first.is_("deployed", at=105))
            await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success")]


async def test_a_label_that_goes_while_something_runs_leaves_nothing_half() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        first = Revision(1)
        scope.take(first.is_("pending-install"))
        await t.tracker.settled()

        scope.take(space(at=3, observed=False))
        scope.take(first.is_("deployed", at=5))
        await t.tracker.settled()
        t.clock.move(9999)

        assert (t.sink.final, list(t.tracker.releases)) == ([], [])


async def test_a_label_that_goes_while_an_answer_is_awaited_leaves_nothing_half() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        t.cluster.gate.clear()
        first = Revision(1)
        scope.take(first.is_("pending-install"))
        scope.take(first.is_("deployed", at=5))

        scope.take(space(at=6, observed=False))
        t.cluster.gate.set()
        await t.tracker.settled()

        assert (t.sink.final, list(t.tracker.releases)) == ([], [])


async def test_a_label_that_comes_back_begins_anew() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        first = Revision(1)
        scope.take(first.is_("pending-install"))
        scope.take(space(at=3, observed=False))
        t.cluster.records = [first.is_("deployed", at=5)]

        scope.take(space(at=60))
        scope.take(first.is_("uninstalling", at=90))
        scope.take(first.goes(at=91))
        await t.tracker.settled()

        assert t.sink.told == [("uninstall", 1, "success")]


async def test_another_selector_applies_at_once() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space("shop"))
        scope.take(space("web", observed=False))
        shop, web = Revision(1), Revision(1, uid="uid-web")
        scope.take(shop.is_("pending-install"))
        in_web = replace(web.is_("pending-install"), release=ReleaseKey("web", "site"))
        t.cluster.records = [in_web]
        assert [op.release.namespace for op in t.tracker.running()] == ["shop"]

        scope.select(lambda labels: not labels)
        await t.tracker.settled()

        assert [op.release.namespace for op in t.tracker.running()] == ["web"]
        assert not scope.observes("shop")
        assert scope.observes("web")


async def test_the_same_selector_again_changes_nothing() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        scope.take(Revision(1).is_("pending-install"))
        before = t.tracker.running()

        scope.select(bool)

        assert t.tracker.running() == before
        await t.tracker.settled()


async def test_a_namespaces_other_labels_change_nothing() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space())
        scope.take(Revision(1).is_("pending-install"))

        scope.take(replace(space(at=5), labels={**space().labels, "team": "a"}))

        assert len(t.tracker.running()) == 1
        await t.tracker.settled()


async def test_workloads_of_a_namespace_that_is_not_observed_are_not_followed() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space("shop"))
        scope.take(space("web", observed=False))
        scope.take(Revision(1).is_("pending-install"))

        foreign = deployment("a", at=1, applied=0)
        key = WorkloadKey(WorkloadKind.DEPLOYMENT, "web", "cart")
        scope.take(replace(foreign, key=key))

        assert all(not op.rollouts for op in t.tracker.running())
        await t.tracker.settled()


async def test_a_replay_observes_everything() -> None:
    async with tracked() as t:
        scope = Scope(t.tracker, selector=None)
        scope.take(space(observed=False))

        scope.take(Revision(1).is_("pending-install"))

        assert scope.observes("anywhere")
        assert len(t.tracker.running()) == 1
        await t.tracker.settled()


async def test_a_release_whose_records_are_stored_elsewhere_gets_its_workloads() -> None:
    """Flux stores records in a namespace of its own; the payload names the release's."""
    async with tracked() as t:
        scope = t.scope()
        scope.take(space("flux"))
        scope.take(space("shop"))
        stored = ReleaseKey("flux", "cart")
        first = Revision(1)
        t.cluster.stored[first.uid] = first.holds(namespace="shop")

        scope.take(replace(first.is_("pending-install"), release=stored))
        await t.tracker.settled()
        t.cluster.live.append(deployment("a", at=1, applied=0, ready=0))
        scope.take(t.cluster.live[0])
        scope.take(replace(first.is_("deployed", at=5), release=stored))
        await t.tracker.settled()
        assert t.cluster.listed == [ReleaseKey("shop", "cart")]
        assert t.sink.final == []
        scope.take(deployment("a", at=9, applied=0))

        [operation] = t.sink.final
        assert (operation.release, len(operation.rollouts)) == (stored, 1)
        assert [release.key for release in t.tracker.releases] == [stored]
