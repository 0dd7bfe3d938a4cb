"""Facts are applied in the order they were posted, and what is asked is answered."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from helmwake.facts.identity import ReleaseKey
from helmwake.lifecycle.facts import Tick
from tests.lifecycle.making import CART, Revision, after, deployment
from tests.tracking.kit import Tracked, tracked


def install(into: Tracked, first: Revision) -> None:
    into.tracker.post(CART, first.is_("pending-install"))
    into.tracker.post(CART, first.is_("deployed", at=5))


async def test_facts_are_applied_at_once_in_the_order_of_posting() -> None:
    async with tracked() as t:
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        assert [op.kind for op in t.tracker.running()] == ["install"]
        t.tracker.post(CART, first.is_("deployed", at=5))
        assert not t.tracker.running()[0].helm_runs

        await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success")]


async def test_an_operation_is_announced_when_it_begins_and_handed_over_once() -> None:
    async with tracked() as t:
        first = Revision(1)
        install(t, first)
        await t.tracker.settled()
        t.tracker.post(CART, first.is_("deployed", at=9))
        await t.tracker.settled()

        assert len(t.sink.started) == len(t.sink.final) == 1


async def test_payload_and_workloads_are_asked_for_and_nothing_is_final_before() -> None:
    async with tracked() as t:
        t.cluster.gate.clear()
        first = Revision(1)
        t.cluster.live.append(deployment("a", at=1, applied=0))
        t.cluster.stored[first.uid] = first.holds()
        install(t, first)
        await asyncio.sleep(0)
        assert t.cluster.fetched == ["sh.helm.release.v1.cart.v1"] * 2
        assert t.cluster.listed == [CART]
        assert t.sink.told == []

        t.cluster.gate.set()
        await t.tracker.settled()

        [operation] = t.sink.final
        assert operation.chart is not None
        assert len(operation.rollouts) == 1


async def test_releases_do_not_wait_for_each_other() -> None:
    other = ReleaseKey("shop", "other")
    async with tracked() as t:
        t.cluster.gate.clear()
        install(t, Revision(1))
        record = Revision(1, uid="uid-other").is_("pending-install")

        t.tracker.post(other, replace(record, release=other))

        assert [op.release for op in t.tracker.running()] == [CART, other]
        t.cluster.gate.set()


async def test_a_wake_is_a_tick_at_its_time() -> None:
    async with tracked() as t:
        t.tracker.post(CART, Revision(1).is_("pending-install"))
        await t.tracker.settled()

        t.clock.move(3600)

        assert [op.stuck for op in t.tracker.running()] == [True]


async def test_a_hanging_rollout_is_ended_by_its_wake() -> None:
    async with tracked() as t:
        t.cluster.live.append(deployment("a", at=1, applied=0, ready=0))
        install(t, Revision(1))
        await t.tracker.settled()
        assert t.sink.told == []

        t.clock.move(3600)

        assert t.sink.told == [("install", 1, "timeout")]


async def test_what_runs_is_told_oldest_first() -> None:
    other = ReleaseKey("shop", "other")
    async with tracked() as t:
        late = Revision(1, created=after(60)).is_("pending-install")
        t.tracker.post(CART, late)
        early = Revision(1, uid="uid-other").is_("pending-install")
        t.tracker.post(other, replace(early, release=other))

        assert [op.release for op in t.tracker.running()] == [other, CART]
        await t.tracker.settled()


async def test_a_release_of_which_nothing_is_left_is_let_go() -> None:
    async with tracked() as t:
        first = Revision(1)
        install(t, first)
        await t.tracker.settled()
        t.tracker.post(CART, first.is_("uninstalling", at=60))
        t.tracker.post(CART, first.goes(at=61))
        await t.tracker.settled()

        assert t.sink.told == [("install", 1, "success"), ("uninstall", 1, "success")]
        assert list(t.tracker.releases) == []


async def test_an_answer_that_comes_after_forget_is_ignored() -> None:
    async with tracked() as t:
        t.cluster.gate.clear()
        t.cluster.live.append(deployment("a", at=1, applied=0))
        install(t, Revision(1))
        await asyncio.sleep(0)

        t.tracker.forget(CART)
        t.cluster.gate.set()
        await t.tracker.settled()

        assert (list(t.tracker.releases), t.sink.final) == ([], [])


async def test_a_wake_that_comes_after_forget_is_ignored() -> None:
    async with tracked() as t:
        t.tracker.post(CART, Revision(1).is_("pending-install"))
        await t.tracker.settled()

        t.tracker.forget(CART)
        t.clock.move(3600)

        assert list(t.tracker.releases) == []


async def test_forgetting_what_is_not_followed_is_nothing() -> None:
    async with tracked() as t:
        t.tracker.forget(CART)


async def test_a_fact_that_cannot_be_applied_is_one_line_and_one_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad: Any = Tick("marker-c0ffee")  # type: ignore[arg-type]  # a defect, as it might be
    async with tracked() as t:
        first = Revision(1)
        t.tracker.post(CART, first.is_("pending-install"))
        await t.tracker.settled()

        with caplog.at_level(logging.INFO):
            t.tracker.post(CART, bad)

        assert t.tracker.failures == 1
        [line] = caplog.messages
        assert line == "shop/cart: a Tick could not be applied (TypeError)"
        assert caplog.records[0].levelno == logging.ERROR
        assert caplog.records[0].exc_info is None
        t.tracker.post(CART, first.is_("deployed", at=5))
        await t.tracker.settled()
        assert t.sink.told == [("install", 1, "success")], "the release goes on"


async def test_a_fact_posted_while_one_is_applied_comes_after_it() -> None:
    async with tracked() as t:
        first = Revision(1)
        began, ended = first.is_("pending-install"), first.is_("deployed", at=5)
        known: list[bool] = []

        def post_the_end() -> None:
            t.tracker.post(CART, ended)
            known.extend(operation.helm_runs for operation in t.tracker.running())

        t.sink.on_begun = post_the_end
        t.tracker.post(CART, began)
        await t.tracker.settled()

        assert known == [True], "it still waits while the first is carried out"
        assert t.sink.told == [("install", 1, "success")]
