"""When the ledger is swept, and what one sweep asks of the apiserver."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from helmwake.cluster.errors import ApiError, ForbiddenError, NotFoundError, UnavailableError
from helmwake.cluster.resources import METADATA_LIST_ACCEPT
from helmwake.ledger.retention import RetentionLimits
from helmwake.ledger.sweeping import DELETIONS_AT_ONCE, MANY, Sweeper
from tests.ledger.fake_api import NAMESPACE, TRACES, FakeLedgerApi

pytestmark = pytest.mark.looptime

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = 60
HOUR = 3600


def virtual_now() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


@pytest.fixture
def ledger() -> Iterator[FakeLedgerApi]:
    api = FakeLedgerApi()
    yield api
    assert {method for _, method, _ in api.requests} <= {"GET", "DELETE"}
    assert {accept for _, accept in api.lists} <= {METADATA_LIST_ACCEPT}


def put(ledger: FakeLedgerApi, name: str, *, days: float = 0, state: str = "delivered") -> None:
    created = virtual_now() - timedelta(days=days)
    ledger.objects[f"{TRACES}/{name}"] = {
        "metadata": {
            "name": name,
            "uid": f"uid of {name}",
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "labels": {
                "helmwake.dev/release-namespace": "shop",
                "helmwake.dev/release-name": name.partition(".")[0],
                "helmwake.dev/state": state,
            },
        }
    }


def named(ledger: FakeLedgerApi) -> set[str]:
    return {path.removeprefix(f"{TRACES}/") for path in ledger.objects}


def deleted(ledger: FakeLedgerApi) -> list[str]:
    """Name what was asked to be deleted, with or without success."""
    asked = [path for _, method, path in ledger.requests if method == "DELETE"]
    return sorted(path.removeprefix(f"{TRACES}/") for path in asked)


@dataclass(slots=True)
class Given:
    limits: RetentionLimits = field(default_factory=RetentionLimits)

    def sweeper(self, ledger: FakeLedgerApi) -> Sweeper:
        return Sweeper(
            ledger,
            NAMESPACE,
            limits=lambda: self.limits,
            now=virtual_now,
            jitter=lambda: 0.0,
        )


@asynccontextmanager
async def running(ledger: FakeLedgerApi, settings: Given | None = None) -> AsyncIterator[Sweeper]:
    sweeper = (settings or Given()).sweeper(ledger)
    task = asyncio.create_task(sweeper.run())
    await asyncio.sleep(0)  # let it begin
    try:
        yield sweeper
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def minutes(ledger: FakeLedgerApi) -> list[int]:
    return [round(at / MINUTE) for at, _ in ledger.lists]


async def test_an_idle_ledger_is_listed_once_an_hour_and_not_written(
    ledger: FakeLedgerApi,
) -> None:
    put(ledger, "cart.v1.aa")
    async with running(ledger):
        await asyncio.sleep(3.5 * HOUR)

    assert minutes(ledger) == [1, 61, 121, 181]
    assert deleted(ledger) == []


async def test_what_grows_old_goes_and_no_other(ledger: FakeLedgerApi) -> None:
    put(ledger, "cart.v1.aa", days=8)
    put(ledger, "cart.v2.aa", days=6.98)
    put(ledger, "cart.v3.aa", days=8, state="undelivered")
    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert deleted(ledger) == ["cart.v1.aa"]
        await asyncio.sleep(HOUR)

    assert named(ledger) == {"cart.v3.aa"}


async def test_only_the_very_object_that_was_listed_is_deleted(ledger: FakeLedgerApi) -> None:
    put(ledger, "cart.v1.aa", days=8)

    assert await Given().sweeper(ledger).sweep() == 1

    (body,) = ledger.bodies
    assert body["kind"] == "DeleteOptions"
    assert body["preconditions"] == {"uid": "uid of cart.v1.aa"}


async def test_a_long_list_comes_in_pages_and_a_few_deletions_run_at_once(
    ledger: FakeLedgerApi,
) -> None:
    for number in range(320):
        put(ledger, f"r{number}.v1.aa", days=8)

    assert await Given().sweeper(ledger).sweep() == 320

    assert len(ledger.lists) == 1
    assert [method for _, method, _ in ledger.requests].count("GET") > 1
    assert ledger.objects == {}
    assert ledger.most_at_once == DELETIONS_AT_ONCE
    assert Counter(deleted(ledger)).most_common(1)[0][1] == 1


@pytest.mark.parametrize("error", [NotFoundError("DELETE", status=404), ApiError("", status=409)])
async def test_what_is_gone_or_another_by_now_is_no_fault(
    ledger: FakeLedgerApi, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.fail(error, path="/cart.v1.aa", times=99)
    put(ledger, "cart.v1.aa", days=8)
    put(ledger, "cart.v2.aa", days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)

    assert deleted(ledger) == ["cart.v1.aa", "cart.v2.aa"]
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


async def test_an_entry_that_cannot_be_deleted_keeps_none_of_the_others(
    ledger: FakeLedgerApi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger.fail(ApiError("DELETE r1.v1.aa", status=400), path="/r1.v1.aa", times=99)
    for number in range(9):
        put(ledger, f"r{number}.v1.aa", days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)

    assert named(ledger) == {"r1.v1.aa"}
    (line,) = caplog.messages
    assert line == "DELETE r1.v1.aa: 400; what is too old stays until the next sweep"


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("DELETE", reason="connection refused"),
        ApiError("DELETE", status=429),
        ForbiddenError("DELETE", status=403),
    ],
)
async def test_a_refusal_that_meets_all_ends_the_sweep_and_the_next_one_tries_again(
    ledger: FakeLedgerApi, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.fail(error, method="DELETE", times=99)
    for number in range(40):
        put(ledger, f"r{number}.v1.aa", days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert len(deleted(ledger)) <= DELETIONS_AT_ONCE
        assert len(caplog.messages) == 1
        ledger.faults.clear()
        await asyncio.sleep(HOUR)

    assert ledger.objects == {}


async def test_a_ledger_that_cannot_be_listed_is_one_line_and_tried_again(
    ledger: FakeLedgerApi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger.fail(NotFoundError("LIST releasetraces", status=404), method="GET")
    put(ledger, "cart.v1.aa", days=8)
    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert len(caplog.messages) == 1
        assert deleted(ledger) == []
        await asyncio.sleep(HOUR)

    assert deleted(ledger) == ["cart.v1.aa"]


async def test_an_entry_without_a_time_stays_and_is_named(
    ledger: FakeLedgerApi,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(ledger, "cart.v1.aa", days=8)
    put(ledger, "cart.v2.aa", days=8)
    del ledger.objects[f"{TRACES}/cart.v1.aa"]["metadata"]["creationTimestamp"]

    assert await Given().sweeper(ledger).sweep() == 1

    assert named(ledger) == {"cart.v1.aa"}
    assert "metadata.creationTimestamp" in caplog.text


async def test_many_new_entries_bring_the_next_sweep_near(ledger: FakeLedgerApi) -> None:
    async with running(ledger) as sweeper:
        await asyncio.sleep(10 * MINUTE)
        for _ in range(MANY - 1):
            sweeper.nudge()
        await asyncio.sleep(10 * MINUTE)
        assert minutes(ledger) == [1]
        sweeper.nudge()
        await asyncio.sleep(HOUR + MINUTE)

    assert minutes(ledger) == [1, 20, 80]


async def test_a_flood_of_entries_brings_one_sweep_a_minute(ledger: FakeLedgerApi) -> None:
    async with running(ledger) as sweeper:
        for _ in range(10 * MINUTE):
            for _ in range(MANY):
                sweeper.nudge()
            await asyncio.sleep(1)

    assert minutes(ledger) == list(range(1, 10))


async def test_a_change_of_limits_holds_from_the_next_sweep_on(ledger: FakeLedgerApi) -> None:
    settings = Given()
    for number in range(1, 11):
        put(ledger, f"cart.v{number}.aa")
    async with running(ledger, settings):
        await asyncio.sleep(2 * MINUTE)
        assert len(ledger.objects) == 10
        settings.limits = RetentionLimits(per_release=1)
        await asyncio.sleep(HOUR)

    assert named(ledger) == {"cart.v10.aa"}


@pytest.mark.parametrize("after", [0.005, 0.015, 0.025])
async def test_it_ends_at_once_when_it_is_cancelled(ledger: FakeLedgerApi, after: float) -> None:
    """While listing, while deleting, and between two deletions."""
    for number in range(40):
        put(ledger, f"r{number}.v1.aa", days=8)
    task = asyncio.create_task(Given().sweeper(ledger).sweep())
    await asyncio.sleep(after)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    asked = len(deleted(ledger))
    await asyncio.sleep(1)
    assert len(deleted(ledger)) == asked
