"""More than memory may hold waits in the ledger, for as long as it takes. Time is virtual."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from helmwake.cluster.errors import ApiError, UnavailableError
from helmwake.delivery.outcome import Answer, Delivered, Refused, Retry, TooLarge
from helmwake.ledger.entry import State
from tests.app.dispatching import (
    OLD,
    SPANS,
    Desk,
    FakeLedger,
    flat,
    make_desk,
    make_entries,
    make_entry,
    stored,
)
from tests.delivery.senders import FakeSender, Rule

pytestmark = pytest.mark.looptime

HOUR = 3600.0
FIT, MANY = 40, 400
BOUND = FIT * SPANS


def away_for(seconds: float, answer: Answer | None = None) -> Rule:
    """As a collector that is gone, and back after this time of the loop's clock."""
    until = asyncio.get_running_loop().time() + seconds

    def rule(_: list[int], __: bytes) -> Answer:
        away = asyncio.get_running_loop().time() < until
        return (answer or Retry(why="connection refused")) if away else Delivered()

    return rule


@pytest.mark.parametrize(
    "answer",
    [
        Retry(why="connection refused"),
        Retry(why="answered 429", after_s=120),
        Refused(why="answered 401"),
    ],
    ids=["away", "busy", "refused"],
)
async def test_an_hour_without_a_collector_loses_nothing_and_keeps_the_order(
    answer: Answer,
) -> None:
    sender = FakeSender(away_for(HOUR, answer))
    desk = make_desk(sender, max_waiting_spans=BOUND)
    async with desk.running():
        for entry in make_entries(MANY):
            desk.ends(entry)
            await asyncio.sleep(HOUR / (MANY + 1))
        assert desk.ledger.of(State.UNDELIVERED) == list(range(1, MANY + 1))
        assert desk.ledger.reads == 1  # there was no room for what it would bring
        back = asyncio.get_running_loop().time() + HOUR / (MANY + 1)
        await asyncio.sleep(HOUR)

    assert desk.ledger.of(State.DELIVERED) == list(range(1, MANY + 1))
    taken = flat([sent for sent, at in zip(sender.sent, sender.times, strict=True) if at >= back])
    # What was tried in vain for long lets others pass; all that was left out keeps its order.
    assert sorted(taken[:FIT]) == list(range(1, FIT + 1))
    assert taken[FIT:] == list(range(FIT + 1, MANY + 1))
    assert len(desk.ledger.marks) == MANY
    assert desk.queue.peak == BOUND
    assert desk.queue.state.dropped_traces == 0


async def test_a_start_with_ten_times_as_many_entries_as_fit_holds_no_more_than_fit() -> None:
    def rule(numbers: list[int], _: bytes) -> Answer:
        return Delivered() if len(numbers) <= 5 else TooLarge(why="answered 413")

    ledger, sender = FakeLedger(), FakeSender(rule, takes_s=0.1)
    for entry in make_entries(MANY):
        ledger.store(entry)
    desk = make_desk(sender, ledger, max_waiting_spans=BOUND)
    async with desk.running():
        await asyncio.sleep(60)

    assert ledger.of(State.DELIVERED) == list(range(1, MANY + 1))
    assert desk.queue.peak == BOUND
    # Once for each time that the queue was half empty, not for each request that was taken.
    assert ledger.reads <= 2 * MANY / FIT + 1


async def test_a_change_of_the_endpoint_while_it_is_away_delivers_all_there() -> None:
    old, new = FakeSender(away_for(HOUR), where="old:1"), FakeSender(where="new:1")
    desk = make_desk(old, max_waiting_spans=BOUND)
    async with desk.running():
        for entry in make_entries(MANY):
            desk.ends(entry)
        await asyncio.sleep(600)
        desk.queue.retarget(new)
        await asyncio.sleep(10)

    assert sorted(flat(new.sent)) == list(range(1, MANY + 1))
    assert {entry.delivered_to for entry in desk.ledger.entries} == {"new:1"}


async def test_without_an_endpoint_all_waits_in_the_ledger_until_there_is_one() -> None:
    desk, sender = make_desk(None, max_waiting_spans=BOUND), FakeSender()
    async with desk.running():
        for entry in make_entries(MANY):
            desk.ends(entry)
        await asyncio.sleep(HOUR)
        assert desk.queue.state.waiting_spans == BOUND
        desk.queue.retarget(sender)
        await asyncio.sleep(10)

    assert flat(sender.sent) == list(range(1, MANY + 1))


async def test_a_process_that_dies_before_it_can_mark_sends_the_same_bytes_the_next_time() -> None:
    ledger, before, after = FakeLedger(), FakeSender(), FakeSender()
    first = make_desk(before, ledger, put=lambda _: None)  # killed before it is written
    async with first.running():
        for entry in make_entries(50):
            first.ends(stored(entry))
        await asyncio.sleep(1)
    assert ledger.of(State.UNDELIVERED) == list(range(1, 51))
    for entry in ledger.entries:
        ledger.store(stored(entry))

    async with make_desk(after, ledger).running():
        await asyncio.sleep(1)

    assert b"".join(after.requests) == b"".join(before.requests)
    assert OLD.encode() in after.requests[0]  # the version that closed it, not that which sends
    assert ledger.of(State.DELIVERED) == list(range(1, 51))


async def test_a_ledger_that_cannot_be_read_is_one_line_and_asked_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="helmwake.app")
    ledger, sender = FakeLedger(), FakeSender()
    for entry in make_entries(3):
        ledger.store(entry)
    ledger.errors.extend(UnavailableError("list releasetraces") for _ in range(50))
    desk = make_desk(sender, ledger)
    async with desk.running():
        await asyncio.sleep(60)
        desk.ends(make_entry(4))  # what can be delivered is
        await asyncio.sleep(1)
        assert ledger.of(State.DELIVERED) == [4]
        assert ledger.reads < 12
        await asyncio.sleep(HOUR)

    assert flat(sender.sent) == [4, 1, 2, 3]
    assert [record.message for record in caplog.records] == [
        "What is to be delivered cannot be read: list releasetraces: failed",
        "What is to be delivered can be read again",
    ]


async def test_a_ledger_that_wants_to_be_left_alone_is() -> None:
    ledger = FakeLedger()
    ledger.errors.append(
        ApiError("list releasetraces", status=429, retry_after=timedelta(minutes=2))
    )
    async with make_desk(FakeSender(), ledger).running():
        await asyncio.sleep(119)
        assert ledger.reads == 1
        await asyncio.sleep(2)
        assert ledger.reads == 2


async def test_a_read_that_breaks_off_is_done_again_and_nothing_sent_twice() -> None:
    ledger, sender = FakeLedger(page=10, page_s=1), FakeSender()
    for entry in make_entries(50):
        ledger.store(entry)
    async with make_desk(sender, ledger).running():
        await asyncio.sleep(2.5)
        ledger.errors.append(UnavailableError("list releasetraces"))
        await asyncio.sleep(60)

    assert flat(sender.sent) == list(range(1, 51))
    assert ledger.reads == 2


async def test_a_trace_that_is_large_for_the_queue_makes_nobody_read_in_vain() -> None:
    ledger = FakeLedger()
    for entry in make_entries(3):
        ledger.store(entry)
    # Half of it is empty with one trace in it, and a second one has no room.
    desk = make_desk(FakeSender(away_for(HOUR)), ledger, max_waiting_spans=2 * SPANS - 1)
    async with desk.running():
        await asyncio.sleep(HOUR - 1)
        assert ledger.reads == 1
        await asyncio.sleep(HOUR)

    assert ledger.of(State.DELIVERED) == [1, 2, 3]


def waits_for_news(desk: Desk) -> float:
    return 5.0


def reads_a_page(desk: Desk) -> float:
    desk.ledger.page_s = 10
    return 5.0


def lets_others_have_their_turn(desk: Desk) -> float:
    return 0.0


def waits_after_an_error(desk: Desk) -> float:
    desk.ledger.errors.extend(UnavailableError("list releasetraces") for _ in range(3))
    return 0.2


@pytest.mark.parametrize(
    "where",
    [waits_for_news, reads_a_page, lets_others_have_their_turn, waits_after_an_error],
)
async def test_cancelled_anywhere_nothing_is_lost(where: Callable[[Desk], float]) -> None:
    ledger, sender = FakeLedger(), FakeSender()
    for entry in make_entries(10):
        ledger.store(entry)
    desk = make_desk(sender, ledger)
    seconds = where(desk)
    task = asyncio.create_task(desk.dispatch.run())
    for _ in range(3):
        await asyncio.sleep(seconds)
        if seconds:
            break
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.closed == ledger.reads >= 1  # no page is left half read

    async with desk.running():
        desk.ends(make_entry(11))
        await asyncio.sleep(60)

    assert sorted(flat(sender.sent)) == list(range(1, 12))
