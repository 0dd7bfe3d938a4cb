"""What the ledger holds is delivered, and marked with what became of it. Time is virtual."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.app.dispatch import MAX_REMEMBERED
from helmwake.delivery.outcome import Answer, Delivered, Poisoned, Retry
from helmwake.facts.helm import Tags
from helmwake.facts.keptn import TraceParent
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from tests.app.dispatching import (
    NOON,
    SPANS,
    FakeLedger,
    flat,
    make_desk,
    make_entries,
    make_entry,
    number_of,
)
from tests.delivery.senders import FakeSender, answers
from tests.telemetry.operations import good_upgrade, running

pytestmark = pytest.mark.looptime


async def test_a_final_entry_is_delivered_at_once_and_marked_with_when_and_where() -> None:
    desk = make_desk(FakeSender(takes_s=2))
    async with desk.running():
        await asyncio.sleep(8)
        desk.ends(make_entry(1))
        await asyncio.sleep(1)
        assert desk.ledger.of(State.UNDELIVERED) == [1]
        await asyncio.sleep(2)

    [entry] = desk.ledger.entries
    assert (entry.state, entry.problem) == (State.DELIVERED, None)
    assert entry.delivered == NOON + timedelta(seconds=10)
    assert entry.delivered_to == "fake:1"


async def test_a_start_delivers_what_the_ledger_holds_in_its_order() -> None:
    ledger, sender = FakeLedger(), FakeSender()
    for entry in make_entries(120):
        ledger.store(entry)
    ledger.store(replace(make_entry(60), state=State.DELIVERED, delivered=NOON))

    async with make_desk(sender, ledger).running():
        await asyncio.sleep(1)

    assert flat(sender.sent) == [*range(1, 60), *range(61, 121)]
    assert ledger.reads == 1


async def test_an_entry_that_is_offered_and_read_is_sent_once() -> None:
    sender, ledger = FakeSender(), FakeLedger(page_s=1)
    desk = make_desk(sender, ledger)
    async with desk.running():
        await asyncio.sleep(0.5)  # it is being read
        desk.ends(make_entry(1))
        desk.ends(make_entry(1))
        await asyncio.sleep(10)

    assert sender.sent == [[1]]


async def test_an_entry_whose_mark_is_still_on_its_way_is_not_sent_again() -> None:
    sender, ledger = FakeSender(takes_s=1), FakeLedger(mark_s=30)
    for entry in make_entries(100):
        ledger.store(entry)
    async with make_desk(sender, ledger, max_waiting_spans=20 * SPANS).running():
        await asyncio.sleep(100)

    assert ledger.reads > 4
    assert flat(sender.sent) == list(range(1, 101))
    assert ledger.of(State.DELIVERED) == list(range(1, 101))


async def test_what_is_remembered_of_marks_is_bounded() -> None:
    marks, bad = list[Entry](), running()
    desk = make_desk(None, put=marks.append)
    for number in range(1, MAX_REMEMBERED + 2):
        desk.dispatch.offer(make_entry(number, bad))
    assert len(marks) == MAX_REMEMBERED + 1

    desk.dispatch.offer(make_entry(2, bad))
    assert len(marks) == MAX_REMEMBERED + 1
    desk.dispatch.offer(make_entry(1, bad))
    assert len(marks) == MAX_REMEMBERED + 2


@pytest.mark.parametrize("mark_s", [0.0, 5.0])
async def test_operations_that_end_while_more_is_read_are_all_sent_once(mark_s: float) -> None:
    sender = FakeSender(takes_s=0.1)
    ledger = FakeLedger(page=5, page_s=0.03, mark_s=mark_s)
    for entry in make_entries(100):
        ledger.store(entry)
    desk = make_desk(sender, ledger, max_waiting_spans=10 * SPANS)
    async with desk.running():
        for number in range(101, 151):
            desk.ends(make_entry(number))
            await asyncio.sleep(0.05)
        await asyncio.sleep(100)

    assert sorted(flat(sender.sent)) == list(range(1, 151))
    assert desk.queue.state.dropped_traces == 0


async def test_reading_leaves_others_their_turn() -> None:
    ledger, turns = FakeLedger(page=1000), 0
    for entry in make_entries(100):
        ledger.store(entry)
    desk = make_desk(None, ledger)
    async with desk.running():
        while desk.queue.state.waiting_traces < 100:  # turns are the matter
            turns += 1
            await asyncio.sleep(0)

    assert turns >= 100


async def test_an_entry_that_is_set_aside_says_why_and_the_others_are_delivered() -> None:
    def rule(numbers: list[int], _: bytes) -> Answer:
        return Poisoned(why="fake:1: bad data") if 3 in numbers else Delivered()

    ledger = FakeLedger()
    for entry in make_entries(5):
        ledger.store(entry)
    async with make_desk(FakeSender(rule), ledger).running():
        await asyncio.sleep(1)

    assert ledger.of(State.DELIVERED) == [1, 2, 4, 5]
    [aside] = [entry for entry in ledger.entries if entry.state is State.SET_ASIDE]
    assert (number_of(aside), aside.problem) == (3, "fake:1: bad data")
    assert (aside.delivered, aside.delivered_to) == (None, None)


async def test_a_partial_success_is_told_by_all_entries_of_its_request() -> None:
    desk = make_desk(FakeSender(answers(Delivered(rejected=3, message="too old"))))
    for entry in make_entries(2):
        desk.ends(entry)
    async with desk.running():
        await asyncio.sleep(1)

    assert desk.ledger.of(State.DELIVERED) == [1, 2]
    assert {entry.problem for entry in desk.ledger.entries} == {
        "the backend rejected 3 spans of the request it was sent in: too old"
    }


async def test_a_partial_success_that_took_no_span_delivered_nothing() -> None:
    sender = FakeSender(answers(Delivered(rejected=2 * SPANS, message="too old")))
    desk = make_desk(sender)
    for entry in make_entries(2):
        desk.ends(entry)
    async with desk.running():
        await asyncio.sleep(3600)

    assert desk.ledger.of(State.SET_ASIDE) == [1, 2]
    assert sender.sent == [[1, 2]]  # OTLP forbids to send it again


def of_caller(trace_id: str) -> Operation:
    return good_upgrade(
        Tags(traceparent=TraceParent(trace_id=trace_id, span_id="1" * 16, sampled=True))
    )


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (running(), "no trace can be made of it (UnfinishedTraceError)"),
        (of_caller("no hex"), "no trace can be made of it (ValueError)"),
        (of_caller("f" * 40), "upgrade shop/cart-1: cannot be encoded (OverflowError)"),
    ],
    ids=["it still runs", "it cannot be built", "it cannot be encoded"],
)
async def test_an_entry_of_which_no_trace_can_be_made_costs_no_other(
    operation: Operation, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    sender, marks = FakeSender(), list[Entry]()
    desk = make_desk(sender, put=marks.append)
    desk.dispatch.offer(make_entry(1, operation))
    desk.dispatch.offer(make_entry(2))
    async with desk.running():
        await asyncio.sleep(1)

    assert sender.sent == [[2]]
    assert [(number_of(mark), mark.state) for mark in marks] == [
        (1, State.SET_ASIDE),
        (2, State.DELIVERED),
    ]
    assert marks[0].problem == why
    assert why in caplog.text
    assert "no hex" not in caplog.text


async def test_an_entry_that_the_ledger_refused_is_delivered_without_a_mark() -> None:
    sender = FakeSender()
    desk = make_desk(sender)
    desk.dispatch.offer_unstored(make_entry(1))
    async with desk.running():
        await asyncio.sleep(1)

    assert sender.sent == [[1]]
    assert not desk.ledger.marks


async def test_an_unstored_entry_of_which_no_trace_can_be_made_gets_no_mark() -> None:
    desk = make_desk(FakeSender())

    desk.dispatch.offer_unstored(make_entry(1, running()))

    assert not desk.ledger.marks


async def test_what_an_unstored_entry_drives_out_of_a_full_queue_is_read_again() -> None:
    sender = FakeSender(answers(*[Retry(why="away")] * 3))
    desk = make_desk(sender, max_waiting_spans=5 * SPANS)
    async with desk.running():
        await asyncio.sleep(1)  # the ledger was read, and held nothing
        for entry in make_entries(5):
            desk.ends(entry)
        desk.dispatch.offer_unstored(make_entry(6))
        assert desk.queue.state.dropped_traces == 1
        await asyncio.sleep(60)

    assert desk.ledger.of(State.DELIVERED) == [1, 2, 3, 4, 5]
    assert flat(sender.sent[3:]) == [2, 3, 4, 5, 6, 1]
