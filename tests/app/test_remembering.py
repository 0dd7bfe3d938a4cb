"""What an earlier process left is read for as long as it takes. Time is virtual."""

import asyncio
import logging

import pytest

from helmwake.app.remembering import Memory
from helmwake.cluster.errors import ForbiddenError, UnavailableError
from helmwake.ledger.documents import to_object
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.store import LedgerStore
from helmwake.ledger.writer import LedgerWriter
from helmwake.telemetry.metrics import OwnError
from tests.ledger.fake_api import NAMESPACE, TRACES, FakeLedgerApi
from tests.ledger.making import entry
from tests.telemetry.operations import good_upgrade, running

pytestmark = pytest.mark.looptime


def ledger_of(*entries: Entry) -> FakeLedgerApi:
    api = FakeLedgerApi()
    for number, each in enumerate(entries):
        made = to_object(each, namespace=NAMESPACE)
        made["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": str(number)}
        api.objects[f"{TRACES}/{made['metadata']['name']}"] = made
    return api


def memory_of(api: FakeLedgerApi) -> tuple[Memory, list[OwnError]]:
    store, failures = LedgerStore(api, namespace=NAMESPACE), list[OwnError]()
    writer = LedgerWriter(
        store,
        on_stored=lambda _: None,
        on_known=lambda _: None,
        on_refused=lambda *_: None,
    )
    return Memory(store, writer, failed=failures.append), failures


def problem_of(memory: Memory) -> str | None:
    return memory.problem  # a function's answer may change, says mypy


async def test_a_ledger_that_is_away_is_waited_for_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = ledger_of(entry(running(), state=State.RUNNING))
    memory, failures = memory_of(api)
    away = api.fail(UnavailableError(f"LIST {TRACES}", reason="no answer in time"), times=99)
    reading = asyncio.create_task(memory.remembered())
    await asyncio.sleep(300)
    assert problem_of(memory) == f"LIST {TRACES}: no answer in time"
    assert caplog.messages == [f"The ledger cannot be read: {memory.problem}"]
    assert 10 < len(api.requests) < 30

    away.times = 0
    api.fail(ForbiddenError(f"LIST {TRACES}", status=403), path=TRACES)
    found = await reading

    assert [operation.id for operation in found.operations] == [running().id]
    assert problem_of(memory) is None
    assert len(caplog.messages) == 2, "another reason is worth another line"
    assert failures == []


async def test_what_is_final_of_a_release_is_recalled_once_it_can_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = good_upgrade()
    api = ledger_of(entry(done, state=State.DELIVERED))
    memory, _ = memory_of(api)
    away = api.fail(UnavailableError(f"LIST {TRACES}", reason="no answer in time"), times=99)
    recalling = asyncio.create_task(memory.recall(done.release))
    await asyncio.sleep(60)
    assert not recalling.done()

    away.times = 0
    assert [operation.id for operation in await recalling] == [done.id]
    assert not [each for each in caplog.records if each.levelno > logging.DEBUG]


async def test_what_still_runs_is_not_recalled() -> None:
    runs = running()
    memory, _ = memory_of(ledger_of(entry(runs, state=State.RUNNING)))
    assert await memory.recall(runs.release) == ()


@pytest.mark.parametrize("what", ["remembered", "recall"])
async def test_a_wait_for_the_ledger_ends_at_once_when_it_is_cancelled(what: str) -> None:
    api = ledger_of()
    memory, _ = memory_of(api)
    api.fail(UnavailableError("LIST", reason="no answer in time"), times=99)
    work = memory.remembered() if what == "remembered" else memory.recall(running().release)
    task = asyncio.create_task(work)
    await asyncio.sleep(30)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    asked = len(api.requests)
    await asyncio.sleep(60)
    assert len(api.requests) == asked
