"""What the queue does with every answer. Time is virtual."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from tests.delivery.senders import FakeSender, answers
from tests.delivery.traces import make_trace

from helmwake.delivery.outcome import (
    Answer,
    Delivered,
    Doubtful,
    Dropped,
    Outcome,
    Poisoned,
    Refused,
    Retry,
    TooLarge,
)
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.state import DeliveryState
from helmwake.telemetry.readable import UnfinishedTraceError
from helmwake.telemetry.spans import SpanContext, Trace

pytestmark = pytest.mark.looptime


@asynccontextmanager
async def running(queue: DeliveryQueue) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Outcomes(list[tuple[str, Outcome]]):
    def put(self, queue: DeliveryQueue, trace: Trace) -> None:
        name = trace.root.name.rpartition("-")[2]
        queue.put(trace, lambda outcome: self.append((name, outcome)))


async def deliver(
    sender: FakeSender, *traces: Trace, within_s: float = 3600
) -> tuple[DeliveryState, Outcomes]:
    """Put them all, wait, and say how it stands."""
    queue, outcomes = DeliveryQueue(sender), Outcomes()
    for trace in traces:
        outcomes.put(queue, trace)
    async with running(queue):
        await asyncio.sleep(within_s)
        return queue.state, outcomes


async def test_traces_go_together_and_whoever_put_them_hears() -> None:
    sender = FakeSender()

    state, outcomes = await deliver(sender, make_trace(1), make_trace(2))

    assert sender.sent == [[1, 2]]
    assert outcomes == [("1", Delivered()), ("2", Delivered())]
    assert state == DeliveryState(endpoint="fake:1", delivering=True, delivered_traces=2)


async def test_a_trace_put_later_is_sent_at_once() -> None:
    sender = FakeSender()
    queue = DeliveryQueue(sender)
    async with running(queue):
        await asyncio.sleep(100)
        queue.put(make_trace(1))
        await asyncio.sleep(0.1)

    assert sender.times == [pytest.approx(100)]


async def test_requests_are_bounded_in_spans_and_operations_stay_whole() -> None:
    sender = FakeSender()

    await deliver(sender, *(make_trace(number, spans=200) for number in (1, 2, 3)))

    assert sender.sent == [[1, 2], [3]]


async def test_requests_are_bounded_in_bytes_and_a_large_operation_goes_alone() -> None:
    sender = FakeSender()
    half, large = 1_600_000, 5_000_000

    await deliver(
        sender,
        make_trace(1, padding=half),
        make_trace(2, padding=half),
        make_trace(3, padding=large),
        make_trace(4),
    )

    assert sender.sent == [[1], [2], [3], [4]]


async def test_a_backend_that_is_away_is_asked_again_until_it_is_back() -> None:
    sender = FakeSender(answers(*[Retry(why="away")] * 20))

    state, outcomes = await deliver(sender, make_trace(1))

    assert outcomes == [("1", Delivered())]
    assert len(set(sender.requests)) == 1  # the same bytes each time
    assert 0.5 <= sender.gaps[0] <= 1
    assert all(30 <= gap <= 60 for gap in sender.gaps[7:])
    assert state.last_error == "away"
    assert state.delivering


async def test_pauses_start_anew_after_a_success() -> None:
    away = [Retry(why="away")] * 5
    sender = FakeSender(answers(*away, Delivered(), Retry(why="away")))
    queue = DeliveryQueue(sender)
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(100)
        queue.put(make_trace(2))
        await asyncio.sleep(100)

    assert 0.5 <= sender.gaps[-1] <= 1


async def test_retry_after_is_honoured() -> None:
    sender = FakeSender(answers(Retry(why="busy", after_s=42)))

    await deliver(sender, make_trace(1))

    assert 42 <= sender.gaps[0] <= 42 * 1.1 + 0.01


async def test_the_state_says_why_delivery_stands_still() -> None:
    sender = FakeSender(lambda _, __: Retry(why="fake:1: connection refused"))

    state, outcomes = await deliver(sender, make_trace(1, spans=3), within_s=1000)

    assert not outcomes
    assert not state.delivering
    assert state.last_error == "fake:1: connection refused"
    assert (state.waiting_traces, state.waiting_spans) == (1, 3)
    assert state.oldest_age_s == pytest.approx(1000)


async def test_refusals_are_asked_about_slowly_and_lose_nothing() -> None:
    sender = FakeSender(answers(*[Refused(why="answered 401")] * 8))

    _, outcomes = await deliver(sender, make_trace(1), within_s=7200)

    assert 5 <= sender.gaps[0] <= 10
    assert all(150 <= gap <= 300 for gap in sender.gaps[5:])
    assert outcomes == [("1", Delivered())]


async def test_a_repeated_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sender = FakeSender(answers(*[Retry(why="away")] * 5))

    await deliver(sender, make_trace(1))

    assert [record.message for record in caplog.records] == [
        "1 traces wait for delivery: away",
        "Delivery to fake:1 works again",
    ]


def poison(*bad: int, answer: Answer | None = None) -> FakeSender:
    verdict = answer or Poisoned(why="bad data")
    return FakeSender(lambda numbers, _: verdict if set(bad) & set(numbers) else Delivered())


@pytest.mark.parametrize("bad", [(1,), (50,), (100,), (1, 2, 99), tuple(range(1, 101))])
async def test_poisoned_traces_are_found_and_set_aside_and_the_others_delivered(
    bad: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    sender = poison(*bad)

    state, outcomes = await deliver(sender, *map(make_trace, range(1, 101)), within_s=0.5)

    assert sorted(int(name) for name, what in outcomes if what == Poisoned(why="bad data")) == (
        list(bad)
    )
    assert len(outcomes) == 100
    assert (state.poisoned_traces, state.delivered_traces) == (len(bad), 100 - len(bad))
    assert state.waiting_spans == 0
    assert len(caplog.records) == len(bad)
    assert "Set aside the trace" in caplog.text


async def test_one_poisoned_trace_costs_few_requests() -> None:
    sender = poison(77)

    await deliver(sender, *map(make_trace, range(1, 513)))

    assert len(sender.requests) < 40


async def test_too_large_a_request_is_halved_and_the_size_is_kept() -> None:
    limit = 1_000_000
    sender = FakeSender(
        lambda _, request: TooLarge(why="413") if len(request) > limit else Delivered()
    )

    state, _ = await deliver(
        sender, *(make_trace(number, padding=200_000) for number in range(1, 61)), within_s=0.5
    )

    assert state.delivered_traces == 60
    assert sum(len(request) > limit for request in sender.requests) == 2


async def test_a_single_trace_that_is_too_large_is_poisoned() -> None:
    sender = FakeSender(
        lambda _, request: TooLarge(why="413") if len(request) > 1000 else Delivered()
    )

    state, outcomes = await deliver(
        sender, make_trace(1), make_trace(2, padding=2000), make_trace(3), within_s=0.5
    )

    assert ("2", Poisoned(why="413")) in outcomes
    assert (state.delivered_traces, state.poisoned_traces) == (2, 1)


async def test_a_backend_that_fails_at_everything_gets_nothing_set_aside() -> None:
    sender = FakeSender(lambda _, __: Doubtful(why="answered 500"))

    state, outcomes = await deliver(sender, *map(make_trace, range(1, 6)), within_s=86_400)

    assert not outcomes
    assert state.waiting_traces == 5


async def test_a_doubtful_trace_lets_others_pass() -> None:
    sender = poison(1, answer=Doubtful(why="answered 500"))
    queue = DeliveryQueue(sender)
    async with running(queue):
        for number in range(1, 301):  # others keep coming, also while it has its turn
            queue.put(make_trace(number))
            await asyncio.sleep(1 if number > 100 else 0)
        state = queue.state

    assert state.delivered_traces >= 290
    assert state.poisoned_traces <= 1
    found = sender.sent.index([1])
    assert all(request == [1] for request in sender.sent[found:] if 1 in request)


async def test_a_doubtful_trace_is_set_aside_when_others_were_taken_ten_times_meanwhile() -> None:
    queue, outcomes = (
        DeliveryQueue(poison(1, answer=Doubtful(why="answered 500"))),
        Outcomes(),
    )
    async with running(queue):
        for number in range(1, 30):
            outcomes.put(queue, make_trace(number))
            await asyncio.sleep(600)

    [verdict] = [what for name, what in outcomes if name == "1"]
    assert verdict == Poisoned(why="answered 500 (10 times, while others were taken)")
    assert len(outcomes) == 29


async def test_a_request_too_slow_for_the_timeout_is_made_smaller() -> None:
    """A slow line never takes a full request within the timeout."""
    sender = FakeSender(
        lambda numbers, _: Retry(why="no answer") if len(numbers) > 10 else Delivered()
    )

    state, _ = await deliver(sender, *map(make_trace, range(1, 101)))

    assert state.delivered_traces == 100


async def test_rejected_spans_are_told_and_not_sent_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    partial = Delivered(rejected=2, message="too old")
    sender = FakeSender(answers(partial))

    state, outcomes = await deliver(sender, make_trace(1, spans=3))

    assert len(sender.requests) == 1
    assert outcomes == [("1", partial)]
    assert state.rejected_spans == 2
    assert state.last_error == "the backend rejected 2 spans: too old"
    assert state.delivering
    assert "rejected 2 spans: too old" in caplog.text


async def test_a_request_of_which_nothing_was_taken_is_set_aside_and_never_sent_again() -> None:
    sender = FakeSender(answers(Delivered(rejected=4, message="too old")))

    state, outcomes = await deliver(sender, make_trace(1, spans=3), make_trace(2))

    why = Poisoned(why="the backend rejected all spans: too old")
    assert outcomes == [("1", why), ("2", why)]
    assert sender.sent == [[1, 2]]
    assert (state.poisoned_traces, state.delivered_traces, state.rejected_spans) == (2, 0, 4)
    assert state.delivering


async def test_a_message_without_rejections_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state, _ = await deliver(FakeSender(answers(Delivered(message="slow down"))), make_trace(1))

    assert "took all spans and warns: slow down" in caplog.text
    assert (state.delivered_traces, state.rejected_spans) == (1, 0)


async def test_below_the_bound_nothing_is_dropped_and_above_it_the_oldest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcomes, told = Outcomes(), list[DeliveryState]()
    queue = DeliveryQueue(max_waiting_spans=10, on_state=told.append)
    for number in range(1, 6):
        outcomes.put(queue, make_trace(number, spans=2))
    assert not outcomes
    assert not told

    for number in range(6, 9):
        outcomes.put(queue, make_trace(number, spans=2))

    why = Dropped(why="more than 10 spans wait for delivery")
    assert outcomes == [("1", why), ("2", why), ("3", why)]
    assert (queue.state.dropped_traces, queue.state.dropped_spans) == (3, 6)
    assert queue.state.waiting_spans == 10
    assert [state.dropped_traces for state in told] == [1, 2, 3]
    [line] = [record.message for record in caplog.records]
    assert line.startswith("Dropped the 1 oldest traces: more than 10 spans wait")

    await asyncio.sleep(61)
    queue.put(make_trace(9, spans=2))
    assert "Dropped the 3 oldest traces" in caplog.text


async def test_the_default_bound_holds_fifteen_thousand_spans() -> None:
    queue = DeliveryQueue()
    trace = make_trace(1, spans=1000)
    for _ in range(15):
        queue.put(trace)
    assert (queue.state.waiting_spans, queue.state.dropped_traces) == (15_000, 0)

    queue.put(make_trace(2))

    assert queue.state.dropped_traces == 1


async def test_there_is_room_for_what_makes_nothing_be_dropped() -> None:
    queue = DeliveryQueue(max_waiting_spans=10)
    assert queue.has_room(11)  # alone it is taken, however large

    queue.put(make_trace(1, spans=5))
    assert (queue.has_room(5), queue.has_room(6), queue.half_empty) == (True, False, True)

    queue.put(make_trace(2))
    assert not queue.half_empty


async def test_what_is_being_sent_takes_room() -> None:
    queue = DeliveryQueue(FakeSender(takes_s=10), max_waiting_spans=10)
    queue.put(make_trace(1, spans=10))
    async with running(queue):
        await asyncio.sleep(1)
        assert not queue.has_room(1)
        await asyncio.sleep(10)
        assert queue.half_empty


async def test_whoever_hears_of_an_answer_can_tell_whose_it_was() -> None:
    queue = DeliveryQueue(FakeSender(takes_s=10, where="old:1"))
    told = list[str | None]()
    queue.put(make_trace(1), lambda _: told.append(queue.answered_by))
    async with running(queue):
        await asyncio.sleep(1)
        queue.retarget(FakeSender(where="new:1"))
        queue.put(make_trace(2), lambda _: told.append(queue.answered_by))
        await asyncio.sleep(100)

    assert told == ["old:1", "new:1"]


async def test_what_is_being_sent_is_not_dropped() -> None:
    sender, outcomes = FakeSender(takes_s=10), Outcomes()
    queue = DeliveryQueue(sender, max_waiting_spans=3)
    async with running(queue):
        outcomes.put(queue, make_trace(1, spans=3))
        await asyncio.sleep(1)
        outcomes.put(queue, make_trace(2))
        outcomes.put(queue, make_trace(3))
        await asyncio.sleep(100)

    assert [(name, type(what)) for name, what in outcomes] == [
        ("2", Dropped),
        ("1", Delivered),
        ("3", Delivered),
    ]


async def test_an_operation_larger_than_the_bound_is_taken() -> None:
    queue = DeliveryQueue(max_waiting_spans=10)

    queue.put(make_trace(1, spans=20))

    assert queue.state.waiting_spans == 20


async def test_without_an_endpoint_traces_wait_and_the_state_says_so() -> None:
    queue = DeliveryQueue()
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(100)

    assert queue.state == DeliveryState(
        waiting_traces=1,
        waiting_spans=1,
        oldest_age_s=asyncio.get_running_loop().time(),
        last_error="no endpoint is configured: set OTEL_EXPORTER_OTLP_ENDPOINT",
    )


async def test_an_endpoint_set_later_gets_what_waited() -> None:
    sender, queue = FakeSender(), DeliveryQueue()
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(100)
        queue.retarget(sender)
        await asyncio.sleep(0.1)

    assert sender.sent == [[1]]
    assert sender.times == [pytest.approx(100)]


async def test_another_endpoint_takes_over_at_once_and_the_old_one_is_closed() -> None:
    old, new = FakeSender(lambda _, __: Refused(why="401")), FakeSender(where="new:1")
    queue = DeliveryQueue(old)
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(1)
        queue.retarget(new)
        assert queue.state.endpoint == "new:1"
        assert queue.state.delivering
        await asyncio.sleep(0.1)

        assert new.sent == [[1]]
        assert (old.closed, new.closed) == (1, 0)
    assert new.closed == 1


async def test_changing_the_endpoint_mid_send_loses_nothing_and_does_not_wait_for_the_old() -> (
    None
):
    old = FakeSender(lambda _, __: Retry(why="busy", after_s=500), takes_s=5)
    new = FakeSender(takes_s=1)
    queue = DeliveryQueue(old)
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(1)
        queue.retarget(new)
        await asyncio.sleep(4.5)
        assert queue.state.delivering  # nothing is known against the new one
        await asyncio.sleep(10)

    assert new.sent == [[1]]
    assert new.times == [pytest.approx(5)]


async def test_taking_the_endpoint_away_keeps_what_waits() -> None:
    queue = DeliveryQueue(FakeSender(lambda _, __: Retry(why="away")))
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(1)
        queue.retarget(None)
        await asyncio.sleep(1000)

    assert queue.state.waiting_traces == 1
    assert not queue.state.delivering
    assert queue.state.endpoint is None


async def test_draining_delivers_what_waits_without_long_pauses() -> None:
    sender = FakeSender(answers(*[Retry(why="away")] * 12))
    queue = DeliveryQueue(sender)
    async with running(queue):
        queue.put(make_trace(1))
        await asyncio.sleep(100)
        tries = len(sender.times)

        state = await queue.drain(20)

    assert state.waiting_traces == 0
    assert state.delivered_traces == 1
    assert all(gap <= 1.01 for gap in sender.gaps[tries:])


async def test_draining_ends_at_its_deadline_and_says_what_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = DeliveryQueue(FakeSender(lambda _, __: Retry(why="away")))
    loop = asyncio.get_running_loop()
    async with running(queue):
        queue.put(make_trace(1))
        before = loop.time()

        state = await queue.drain(20)

    assert loop.time() - before == pytest.approx(20)
    assert state.waiting_traces == 1
    assert "1 traces were not delivered in time: away" in caplog.text


async def test_draining_an_empty_queue_takes_no_time() -> None:
    queue = DeliveryQueue(FakeSender())
    async with running(queue):
        assert (await queue.drain(20)).waiting_traces == 0

    assert asyncio.get_running_loop().time() == 0


async def test_draining_without_an_endpoint_does_not_wait() -> None:
    queue = DeliveryQueue()
    queue.put(make_trace(1))
    async with running(queue):
        state = await queue.drain(20)

    assert state.waiting_traces == 1
    assert asyncio.get_running_loop().time() == 0


async def test_a_cancelled_drain_leaves_the_queue_at_work() -> None:
    sender = FakeSender(answers(*[Retry(why="away")] * 8))
    queue = DeliveryQueue(sender)
    async with running(queue):
        queue.put(make_trace(1))
        drain = asyncio.create_task(queue.drain(1000))
        await asyncio.sleep(2)
        drain.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drain
        await asyncio.sleep(1000)

        assert queue.state.delivered_traces == 1
    assert max(sender.gaps) > 2  # pauses are long again


@pytest.mark.parametrize("when_s", [0, 0.5, 3, 50])
async def test_cancelled_anywhere_the_queue_keeps_everything_and_goes_on_later(
    when_s: float,
) -> None:
    """0: before it began, or idle; 0.5: sending; 3: pausing; 50: sending again."""
    sender = FakeSender(answers(Retry(why="away", after_s=48.5)), takes_s=1)
    queue = DeliveryQueue(sender)
    queue.put(make_trace(1))
    queue.put(make_trace(2))
    first = asyncio.create_task(queue.run())
    await asyncio.sleep(when_s)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert queue.state.waiting_traces == 2

    async with running(queue):
        await asyncio.sleep(1000)

    assert sender.sent[-1] == [1, 2]
    assert queue.state.delivered_traces == 2


async def test_cancelled_while_idle_the_sender_is_closed() -> None:
    sender = FakeSender()
    async with running(DeliveryQueue(sender)):
        await asyncio.sleep(10)

    assert sender.closed == 1


async def test_cancelled_while_closing_an_old_sender_it_is_closed_all_the_same() -> None:
    old, new = FakeSender(), FakeSender()
    queue = DeliveryQueue(old)
    task = asyncio.create_task(queue.run())
    await asyncio.sleep(1)
    queue.retarget(new)
    await asyncio.sleep(0)  # run wakes up and begins to close
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (old.closed, new.closed) == (1, 1)


async def test_a_sender_at_fault_ends_the_run_and_loses_nothing() -> None:
    def broken(_: list[int], __: bytes) -> Answer:
        raise RuntimeError("a bug")

    queue = DeliveryQueue(FakeSender(broken))
    queue.put(make_trace(1))

    with pytest.raises(RuntimeError, match="a bug"):
        await queue.run()

    assert queue.state.waiting_traces == 1


async def test_a_listener_at_fault_costs_no_other_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: Outcome) -> None:
        raise RuntimeError("a bug")

    queue, outcomes = DeliveryQueue(FakeSender()), Outcomes()
    queue.put(make_trace(1), broken)
    outcomes.put(queue, make_trace(2))
    async with running(queue):
        await asyncio.sleep(1)

    assert outcomes == [("2", Delivered())]
    assert "failed to hear of it" in caplog.text


async def test_a_trace_that_still_runs_is_not_taken() -> None:
    queue = DeliveryQueue()

    with pytest.raises(UnfinishedTraceError):
        queue.put(make_trace(finished=False))

    assert queue.state.waiting_traces == 0


async def test_a_trace_that_cannot_be_encoded_is_set_aside_at_once() -> None:
    trace = make_trace(1)
    root = replace(trace.root, context=SpanContext(trace_id=2**128, span_id=1))
    queue, outcomes = DeliveryQueue(FakeSender()), Outcomes()

    outcomes.put(queue, replace(trace, spans=(root,)))

    [(_, outcome)] = outcomes
    assert isinstance(outcome, Poisoned)
    assert "cannot be encoded (OverflowError)" in outcome.why
    assert (queue.state.poisoned_traces, queue.state.waiting_traces) == (1, 0)


async def test_every_answer_is_told_as_a_state() -> None:
    told = list[DeliveryState]()
    queue = DeliveryQueue(FakeSender(answers(Retry(why="away"))), on_state=told.append)
    queue.put(make_trace(1))
    async with running(queue):
        await asyncio.sleep(10)

    assert [(state.delivering, state.last_error) for state in told] == [
        (False, "away"),
        (True, "away"),
    ]
