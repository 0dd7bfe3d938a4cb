"""What the writer writes, when, and what it tells."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from helmwake.cluster.errors import (
    ApiError,
    BadAnswerError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from helmwake.ledger.documents import entry_name, to_status, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.store import Bad, LedgerStore, Stored
from helmwake.ledger.writer import LedgerWriter
from helmwake.lifecycle.operation import Operation, OperationKind
from tests.ledger.fake_api import NAMESPACE, TRACES, FakeLedgerApi
from tests.ledger.making import entry
from tests.lifecycle.making import NOON
from tests.telemetry.operations import good_upgrade, running

pytestmark = pytest.mark.looptime
STATE = "helmwake.dev/state"
RUNNING = running()
DONE = good_upgrade()
NAME = entry_name(RUNNING)


@dataclass(slots=True)
class Desk:
    """A writer at work on a fake apiserver, and what it told."""

    api: FakeLedgerApi
    stored: list[Entry] = field(default_factory=list)
    known: list[Entry] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    writer: LedgerWriter = field(init=False)
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.store = LedgerStore(self.api, namespace=NAMESPACE)
        self.writer = LedgerWriter(
            self.store,
            on_stored=self.stored.append,
            on_known=self.known.append,
            on_refused=lambda entry, why: self.refused.append((entry, why)),
            jitter=lambda: 1.0,  # so that delays are 1, 2, 4, ... seconds
        )

    store: LedgerStore = field(init=False)

    @property
    def states(self) -> list[State]:
        return [each.state for each in self.stored]

    def problem(self) -> str | None:
        return self.writer.problem

    def status(self, name: str) -> Any:
        return self.api.objects[f"{TRACES}/{name}"]["status"]

    def label(self, name: str) -> Any:
        return self.api.objects[f"{TRACES}/{name}"]["metadata"]["labels"][STATE]

    async def put(self, *entries: Entry, seconds: float = 0.5) -> None:
        for each in entries:
            self.writer.put(each)
        await asyncio.sleep(seconds)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        self.task = asyncio.create_task(self.writer.run())
        try:
            yield
        finally:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task


@pytest.fixture
def api() -> FakeLedgerApi:
    return FakeLedgerApi()


@pytest.fixture
def desk(api: FakeLedgerApi) -> Desk:
    return Desk(api)


def runs(n: int = 0, **changes: Any) -> Entry:
    """Keep one operation as it was at its n-th change."""
    operation = replace(RUNNING, hooks=(), rollouts=(), **changes)
    return entry(
        replace(operation, revision=2, last_write=NOON.replace(second=n)), state=State.RUNNING
    )


def ends(state: State = State.UNDELIVERED, **fields: Any) -> Entry:
    return entry(replace(DONE, id=RUNNING.id, release=RUNNING.release), state=state, **fields)


def many(count: int, state: State = State.RUNNING) -> Iterator[Entry]:
    for n in range(count):
        operation = RUNNING
        yield entry(replace(operation, id=replace(operation.id, uid=f"other-{n}")), state=state)


# --- when ---


async def test_the_first_is_written_at_once_and_later_ones_together(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs(0), seconds=0.1)
        assert desk.api.said() == ["POST", f"PATCH {NAME}/status"]
        for n in range(1, 5):
            await desk.put(runs(n), seconds=0.1)
        assert desk.api.said() == []
        await asyncio.sleep(1)
        assert desk.api.said() == [f"PATCH {NAME}/status"]
        assert desk.status(NAME) == to_status(runs(4))


async def test_what_changes_all_the_time_is_written_once_a_second(desk: Desk) -> None:
    async with desk.at_work():
        for n in range(50):
            await desk.put(runs(n), seconds=0.1)
        assert 5 <= len(desk.api.said()) <= 7


async def test_a_change_of_state_is_written_at_once(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs(0), seconds=0.1)
        await desk.put(runs(1), seconds=0.1)
        desk.api.said()
        await desk.put(ends(), seconds=0.1)
        assert desk.api.said() == [f"PATCH {NAME}/status", f"PATCH {NAME}"]
        assert desk.label(NAME) == "undelivered"


async def test_what_changes_nothing_is_not_written(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs(0))
        desk.api.said()
        for _ in range(3):
            await desk.put(runs(0), seconds=5)
        assert desk.api.said() == []


async def test_an_idle_ledger_is_left_alone(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs(0))
        await desk.put(*many(3))
        desk.api.said()
        await asyncio.sleep(100_000)
        assert desk.api.said() == []


async def test_a_whole_life_takes_seven_requests(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs())
        await desk.put(ends())
        await desk.put(ends(State.DELIVERED, delivered=NOON, delivered_to="a"))
        assert desk.api.said() == [
            "POST",
            f"PATCH {NAME}/status",
            f"PATCH {NAME}/status",
            f"PATCH {NAME}",
            f"GET {NAME}",
            f"PATCH {NAME}/status",
            f"PATCH {NAME}",
        ]
        assert desk.label(NAME) == "delivered"
        assert desk.states == [State.UNDELIVERED, State.DELIVERED]


async def test_one_write_for_an_entry_and_four_in_all_are_under_way(desk: Desk) -> None:
    async with desk.at_work():
        for _ in range(3):
            for each in many(20):
                desk.writer.put(each)
            await asyncio.sleep(0.005)
        await desk.writer.flushed()
        assert desk.api.most_at_once == 4
        assert desk.api.most_at_once_for_one == 1
        assert len(desk.api.traces) == 20


async def test_the_newest_wins(desk: Desk) -> None:
    desk.writer.put(runs(0))
    desk.writer.put(ends())
    async with desk.at_work():
        await asyncio.sleep(0.1)
    assert desk.api.said() == ["POST", f"PATCH {NAME}/status"]
    assert desk.states == [State.UNDELIVERED]


# --- what is told ---


async def test_what_is_stored_is_told_as_it_will_be_read(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs())
        assert desk.stored == []
        await desk.put(ends())
        assert desk.stored == [trimmed(ends())]
        found = await desk.store.read(NAME)
        assert isinstance(found, Stored)
        assert found.entry == desk.stored[0]


async def test_a_state_is_told_once_however_often_its_label_fails(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(runs())
        desk.api.lose_answer("PATCH", f"{NAME}/status")
        desk.api.fail(ApiError("PATCH", status=500), method="PATCH", path=NAME, times=3)
        await desk.put(ends(), seconds=60)
        assert desk.states == [State.UNDELIVERED]
        assert desk.label(NAME) == "undelivered"


async def test_a_mark_may_be_put_while_the_end_is_told(api: FakeLedgerApi) -> None:
    desk = Desk(api)

    def deliver(stored: Entry) -> None:
        desk.stored.append(stored)
        if stored.state is State.UNDELIVERED:
            writer.put(replace(stored, state=State.DELIVERED, delivered=NOON))

    writer = LedgerWriter(
        desk.store, on_stored=deliver, on_known=desk.known.append, on_refused=lambda *_: None
    )
    desk.writer = writer
    async with desk.at_work():
        await desk.put(ends())
        assert desk.states == [State.UNDELIVERED, State.DELIVERED]
        assert desk.label(NAME) == "delivered"
        assert writer.waiting == 0


async def test_only_what_runs_is_held_in_memory(desk: Desk) -> None:
    async with desk.at_work():
        await desk.put(*many(3), *(replace(each, state=State.UNDELIVERED) for each in many(3)))
        await desk.put(runs(), seconds=5)
        assert list(desk.writer._slots) == [NAME]


async def test_flushed_waits_for_what_was_put_before_it(desk: Desk) -> None:
    async with desk.at_work():
        await desk.writer.flushed()
        desk.writer.put(runs(0))
        await desk.writer.flushed()
        assert desk.status(NAME) == to_status(runs(0))
        desk.writer.put(runs(1))  # debounced
        waiting = [asyncio.create_task(desk.writer.flushed()) for _ in range(2)]
        await asyncio.sleep(0.5)
        assert not any(each.done() for each in waiting)
        desk.writer.put(runs(2))
        await asyncio.gather(*waiting)
        assert desk.status(NAME) == to_status(runs(2))
        desk.writer.put(runs(3))
        assert desk.writer.waiting == 1


async def test_flushed_does_not_wait_for_what_comes_later(desk: Desk) -> None:
    async with desk.at_work():
        desk.writer.put(runs(0))
        flush = asyncio.create_task(desk.writer.flushed())
        await asyncio.sleep(0.015)  # the status is being written
        desk.writer.put(runs(1))
        await flush
        assert desk.status(NAME) == to_status(runs(0))


# --- what is there already ---


async def leave(api: FakeLedgerApi, left: Entry) -> None:
    """Let an earlier process have written it."""
    store = LedgerStore(api, namespace=NAMESPACE)
    handle = await store.create(left)
    await store.write_status(handle, handle.status_patch(left))
    api.said()


async def test_an_adopted_entry_is_updated(desk: Desk) -> None:
    await leave(desk.api, runs(0))
    async with desk.at_work():
        [found] = [each async for each in desk.store.entries(State.RUNNING)]
        assert isinstance(found, Stored)
        desk.api.said()
        desk.writer.adopt(found)
        await asyncio.sleep(10)
        assert desk.api.said() == []
        await desk.put(ends())
        assert desk.api.said() == [f"PATCH {NAME}/status", f"PATCH {NAME}"]
        desk.writer.adopt(found)  # of a list that was read before
        await desk.put(ends(State.DELIVERED))
        assert desk.label(NAME) == "delivered"


@pytest.mark.parametrize("left", [State.RUNNING, State.GIVEN_UP])
@pytest.mark.parametrize("ours", [State.RUNNING, State.UNDELIVERED, State.GIVEN_UP])
async def test_what_was_left_without_an_end_is_gone_on_with(
    desk: Desk, left: State, ours: State
) -> None:
    await leave(desk.api, replace(runs(0), state=left))
    async with desk.at_work():
        await desk.put(replace(runs(1), state=ours))
    assert desk.status(NAME) == to_status(replace(runs(1), state=ours))
    assert desk.known == []
    assert desk.states == ([] if ours is State.RUNNING else [ours])


@pytest.mark.parametrize("left", [State.UNDELIVERED, State.DELIVERED, State.SET_ASIDE])
@pytest.mark.parametrize("ours", [State.RUNNING, State.UNDELIVERED, State.GIVEN_UP])
async def test_an_end_that_was_told_is_not_told_again(
    desk: Desk, left: State, ours: State
) -> None:
    await leave(desk.api, ends(left))
    before = desk.status(NAME)
    async with desk.at_work():
        await desk.put(replace(runs(1), state=ours))
        await desk.writer.flushed()
        assert desk.status(NAME) == before
        assert desk.known == [trimmed(ends(left))]
        assert desk.stored == []
        assert desk.writer.waiting == 0
        desk.api.said()
        if ours is State.RUNNING:  # and on it goes, and ends
            await desk.put(runs(2))
            await desk.put(ends())
            assert desk.api.said() == []
            assert len(desk.known) == 1
        await desk.put(ends(State.DELIVERED, delivered=NOON))
        assert desk.status(NAME)["state"] == "Delivered"
        assert desk.writer._slots == {}
        assert desk.writer._told == set()


async def test_the_end_of_an_earlier_process_stays_even_if_ours_says_the_same(desk: Desk) -> None:
    await leave(desk.api, ends())
    async with desk.at_work():
        await desk.put(ends())
    assert desk.stored == []
    assert desk.known == [trimmed(ends())]


async def test_a_delivered_entry_is_not_set_aside(desk: Desk) -> None:
    await leave(desk.api, ends(State.DELIVERED, delivered=NOON))
    async with desk.at_work():
        await desk.put(ends(State.SET_ASIDE))
        await desk.writer.flushed()
    assert desk.status(NAME)["state"] == "Delivered"
    assert desk.known == desk.stored == []


async def test_what_cannot_be_read_is_made_anew(desk: Desk) -> None:
    await leave(desk.api, ends())
    desk.api.edit(NAME, status={"helm": "odd", "hooks": 3, "more": {"a": 1}})
    found = await desk.store.read(NAME)
    assert isinstance(found, Bad)
    async with desk.at_work():
        await desk.put(ends())
    assert desk.status(NAME) == to_status(ends())
    assert desk.states == [State.UNDELIVERED]


async def test_an_entry_that_got_no_status_gets_one(desk: Desk) -> None:
    await desk.store.create(runs())  # and then it died
    async with desk.at_work():
        await desk.put(ends())
    assert desk.status(NAME) == to_status(ends())
    assert desk.states == [State.UNDELIVERED]


async def test_an_operation_taken_for_another_kind_gets_another_object(desk: Desk) -> None:
    operation: Operation = RUNNING
    taken = replace(operation, id=replace(operation.id, kind=OperationKind.ROLLBACK))
    await leave(desk.api, entry(taken, state=State.RUNNING))
    async with desk.at_work():
        await desk.put(ends())
        assert desk.api.said()[-3:] == [f"DELETE {NAME}", "POST", f"PATCH {NAME}/status"]
    [trace] = desk.api.traces
    assert trace["spec"]["operation"] == "upgrade"
    assert desk.states == [State.UNDELIVERED]


async def test_an_edit_by_hand_is_written_over_and_named(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with desk.at_work():
        await desk.put(runs(0))
        desk.api.edit(NAME, status={"state": "Delivered", "stuck": True})
        await desk.put(runs(1), seconds=2)
        assert desk.status(NAME) == to_status(runs(1))
        assert caplog.messages == [f"{NAME} was edited by hand; what was observed goes over it"]
        desk.api.edit(NAME, metadata={"labels": {"team": "a"}})
        await desk.put(ends())
        assert len(caplog.messages) == 1, "a label of theirs is theirs"


async def test_a_deletion_by_hand_is_made_up_for_and_named(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with desk.at_work():
        await desk.put(runs(0))
        desk.api.remove(NAME)
        await desk.put(ends())
        assert desk.status(NAME) == to_status(ends())
        assert caplog.messages == [f"{NAME} was deleted by hand; it is made anew"]
        desk.api.remove(NAME)
        await desk.put(ends(State.DELIVERED))
        assert desk.label(NAME) == "delivered"
        assert len(caplog.messages) == 2
    assert desk.states == [State.UNDELIVERED, State.DELIVERED]


# --- what fails ---

FAILURES = [
    ApiError("POST", status=500),
    ApiError("POST", status=503),
    ApiError("POST", status=429),
    ApiError("POST", status=405),
    UnavailableError("POST"),
    BadAnswerError("POST"),
    ForbiddenError(f"POST {TRACES}", status=403, reason="Forbidden"),
    NotFoundError(f"POST {TRACES}", status=404),
    NotFoundError(f"POST {TRACES}", status=404, reason="NotFound"),
]
ids = [f"{type(each).__name__} {each.status or ''} {each.reason}".strip() for each in FAILURES]


@pytest.mark.parametrize("error", FAILURES, ids=ids)
async def test_it_is_tried_for_ever_and_said_once(
    desk: Desk, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fault = desk.api.fail(error, times=10_000)
    async with desk.at_work():
        await desk.put(*many(30), seconds=3600)
        assert desk.problem() == desk.store.explained(error)
        assert caplog.messages == [f"The ledger cannot be written: {desk.problem()}"]
        # At first four at once, then one at a time, at most every 30 s.
        assert 120 <= len(desk.api.requests) <= 132
        assert desk.writer.waiting == 30
        fault.times = 0
        await asyncio.sleep(32)
        assert desk.problem() is None
        assert len(caplog.messages) == 2
        assert caplog.messages[1].startswith("The ledger can be written again; ")
        assert len(desk.api.traces) == 30
        assert desk.writer.waiting == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            NotFoundError(f"POST {TRACES}", status=404),
            "releasetraces.helmwake.dev is not installed: kubectl apply -k manifests/",
        ),
        (
            NotFoundError(f"POST {TRACES}", status=404, reason="NotFound"),
            "there is no namespace helmwake-system: kubectl apply -k manifests/",
        ),
        (
            ForbiddenError(f"POST {TRACES}", status=403),
            "the operator may not create releasetraces in helmwake-system: apply manifests/ again",
        ),
        (
            ForbiddenError(f"PATCH {TRACES}/a/status", status=403),
            "the operator may not patch releasetraces/status in helmwake-system: apply manifests/ again",  # noqa: E501
        ),
        (
            ForbiddenError("GET /api/v1/namespaces/helmwake-system/configmaps/a", status=403),
            "the operator may not read configmaps in helmwake-system: apply manifests/ again",
        ),
        (ApiError("POST /a", status=503, reason="Busy"), "POST /a: 503 Busy"),
    ],
)
def test_a_problem_says_what_to_do(desk: Desk, error: ApiError, words: str) -> None:
    assert desk.store.explained(error) == words


async def test_a_server_that_wants_to_be_left_alone_is(desk: Desk) -> None:
    wait = timedelta(minutes=2)
    desk.api.fail(ApiError("POST", status=429, retry_after=wait), times=1)
    async with desk.at_work():
        await desk.put(*many(3), seconds=0.1)
        desk.api.said()
        await asyncio.sleep(100)
        assert len(desk.api.said()) <= 4, "those that were under way"


async def test_an_entry_that_fails_alone_holds_up_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with desk.at_work():
        await desk.put(runs(0))
        desk.api.fail(ApiError("PATCH", status=500), path=NAME, times=10_000)
        await desk.put(runs(1), seconds=10)
        first, *others = many(100)
        await desk.put(first, seconds=30)  # until then it might have been the ledger
        for n, each in enumerate(others, 2):
            await desk.put(each, seconds=1.5)
            assert len(desk.api.traces) == n + 1
        assert desk.problem() is None
        assert caplog.messages == [
            "The ledger cannot be written: PATCH: 500",
            "The ledger can be written again; 2 entries wait",
            f"{NAME} cannot be written, others can: PATCH: 500",
        ]


@pytest.mark.parametrize(
    "error",
    [
        InvalidError("POST", status=422, reason="Invalid at status.hooks[3]"),
        ApiError("POST", status=400),
        ApiError("POST", status=413),
    ],
)
async def test_an_end_that_the_schema_refuses_is_handed_over(
    desk: Desk, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.at_work():
        desk.api.fail(error, times=2)
        await desk.put(runs(0), seconds=2)
        await desk.put(runs(1), seconds=2)
        assert len(desk.api.said()) == 1, "what was refused once is not tried with every change"
        assert desk.refused == []
        await desk.put(ends())
        await desk.writer.flushed()
        assert desk.refused == [(ends(), str(error))]
        assert desk.problem() is None
        assert desk.writer.waiting == 0
        assert desk.stored == []
        assert caplog.messages == [f"{NAME} is refused by the ledger: {error}"] * 2
        assert desk.writer._slots == {}


async def test_an_end_is_tried_though_what_ran_was_refused(desk: Desk) -> None:
    async with desk.at_work():
        desk.api.fail(InvalidError("POST", status=422))
        await desk.put(runs(0))
        await desk.put(ends())
        assert desk.states == [State.UNDELIVERED]
        assert desk.refused == []


@pytest.mark.parametrize("which", ["POST", "PATCH", "GET", "DELETE"])
async def test_a_lost_answer_loses_nothing_and_tells_nothing_twice(
    desk: Desk, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    if which == "GET":
        desk.api.fail(UnavailableError("GET"), method="GET")
    elif which == "DELETE":
        taken = replace(RUNNING, id=replace(RUNNING.id, kind=OperationKind.ROLLBACK))
        await leave(desk.api, entry(taken, state=State.RUNNING))
        desk.api.lose_answer("DELETE")
    else:
        desk.api.lose_answer(which, times=3)
    async with desk.at_work():
        await desk.put(runs(0), seconds=20)
        if which == "PATCH":
            desk.api.lose_answer("PATCH", times=2)
        await desk.put(ends(), seconds=20)
        await desk.put(ends(State.DELIVERED, delivered=NOON), seconds=20)
    assert desk.states == [State.UNDELIVERED, State.DELIVERED]
    assert desk.label(NAME) == "delivered"
    assert desk.known == []
    assert not any("by hand" in each for each in caplog.messages)


# --- cancellation ---


@pytest.mark.parametrize("hundredths", range(9))
async def test_it_may_be_cancelled_anywhere_and_run_again(desk: Desk, hundredths: int) -> None:
    """A life of seven requests of 10 ms each: every one of them is cut off in one case."""
    async with desk.at_work():
        desk.writer.put(runs())
        at = hundredths / 100 + 0.005
        await asyncio.sleep(min(at, 0.025))
        desk.writer.put(ends())
        await asyncio.sleep(max(at - 0.025, 0))
        if desk.states == [State.UNDELIVERED]:
            desk.writer.put(ends(State.DELIVERED, delivered=NOON))
            await asyncio.sleep(0.005)
    assert len(asyncio.all_tasks()) == 1
    async with desk.at_work():
        await desk.writer.flushed()
        await desk.put(ends(State.DELIVERED, delivered=NOON))
    assert desk.states == [State.UNDELIVERED, State.DELIVERED]
    assert desk.known == []
    assert desk.label(NAME) == "delivered"


async def test_a_pause_may_be_cancelled(desk: Desk) -> None:
    desk.api.fail(ApiError("POST", status=500))
    async with desk.at_work():
        await desk.put(runs(), seconds=0.1)
    async with desk.at_work():
        await asyncio.sleep(2)
    assert desk.status(NAME) == to_status(runs())


async def test_who_waits_for_a_flush_may_be_cancelled(desk: Desk) -> None:
    desk.writer.put(runs())
    waiting = asyncio.create_task(desk.writer.flushed())
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert desk.writer._flushes == []
