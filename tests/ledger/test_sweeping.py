"""When the ledger is swept, and what one sweep asks of the apiserver."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helmwake.cluster.api import JSON, MAX_ANSWER_BYTES, NO_PARAMS
from helmwake.cluster.errors import ApiError, ForbiddenError, NotFoundError, UnavailableError
from helmwake.cluster.resources import METADATA_LIST_ACCEPT
from helmwake.ledger.retention import RetentionLimits
from helmwake.ledger.sweeping import DELETIONS_AT_ONCE, MANY, Sweeper

pytestmark = pytest.mark.looptime

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COLLECTION = "/apis/helmwake.dev/v1alpha1/namespaces/helmwake-system/releasetraces"
MINUTE = 60
HOUR = 3600


def virtual_now() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass(slots=True)
class FakeLedger:
    """Entries in memory; each request takes 10 ms."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: list[float] = field(default_factory=list)  # when a first page was asked for
    pages: int = 0
    deletions: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    most_at_once: int = 0
    list_faults: deque[ApiError] = field(default_factory=deque)
    faults: dict[str, ApiError] = field(default_factory=dict)  # of deletions, by name
    _at_once: int = 0

    def put(self, name: str, *, days: float = 0, state: str = "delivered") -> None:
        created = virtual_now() - timedelta(days=days)
        self.items[name] = {
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

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        accept: str = JSON,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        assert (path, accept) == (COLLECTION, METADATA_LIST_ACCEPT)
        start = int(params.get("continue", 0))
        if not start:
            self.lists.append(asyncio.get_running_loop().time())
        self.pages += 1
        await asyncio.sleep(0.01)
        if self.list_faults:
            raise self.list_faults.popleft()
        end = start + int(params["limit"])
        meta = {"resourceVersion": "1"} | ({"continue": str(end)} if end < len(self.items) else {})
        return {"metadata": meta, "items": list(self.items.values())[start:end]}

    def stream(
        self, path: str, *, params: Mapping[str, str] = NO_PARAMS, accept: str = JSON
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError("a sweep watches nothing")

    async def send(
        self, method: str, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Any:
        assert (method, content_type) == ("DELETE", JSON)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        name = path.removeprefix(f"{COLLECTION}/")
        self.deletions.append((name, body))
        try:
            await asyncio.sleep(0.01)
            if fault := self.faults.get(name):
                raise fault
        finally:
            self._at_once -= 1
        del self.items[name]
        return {"kind": "Status"}

    @property
    def deleted(self) -> list[str]:
        return sorted(name for name, _ in self.deletions)


@dataclass(slots=True)
class Given:
    limits: RetentionLimits = field(default_factory=RetentionLimits)

    def sweeper(self, ledger: FakeLedger) -> Sweeper:
        return Sweeper(
            ledger,
            "helmwake-system",
            limits=lambda: self.limits,
            now=virtual_now,
            jitter=lambda: 0.0,
        )


@asynccontextmanager
async def running(ledger: FakeLedger, settings: Given | None = None) -> AsyncIterator[Sweeper]:
    sweeper = (settings or Given()).sweeper(ledger)
    task = asyncio.create_task(sweeper.run())
    await asyncio.sleep(0)  # let it begin
    try:
        yield sweeper
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def minutes(ledger: FakeLedger) -> list[int]:
    return [round(at / MINUTE) for at in ledger.lists]


async def test_an_idle_ledger_is_listed_once_an_hour_and_not_written() -> None:
    ledger = FakeLedger()
    ledger.put("cart.v1.aa")
    async with running(ledger):
        await asyncio.sleep(3.5 * HOUR)

    assert minutes(ledger) == [1, 61, 121, 181]
    assert ledger.deletions == []


async def test_what_grows_old_goes_and_no_other() -> None:
    ledger = FakeLedger()
    ledger.put("cart.v1.aa", days=8)
    ledger.put("cart.v2.aa", days=6.98)
    ledger.put("cart.v3.aa", days=8, state="undelivered")
    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert ledger.deleted == ["cart.v1.aa"]
        await asyncio.sleep(HOUR)

    assert ledger.items.keys() == {"cart.v3.aa"}


async def test_only_the_very_object_that_was_listed_is_deleted() -> None:
    ledger = FakeLedger()
    ledger.put("cart.v1.aa", days=8)

    assert await Given().sweeper(ledger).sweep() == 1

    ((_, body),) = ledger.deletions
    assert body["kind"] == "DeleteOptions"
    assert body["preconditions"] == {"uid": "uid of cart.v1.aa"}


async def test_a_long_list_comes_in_pages_and_a_few_deletions_run_at_once() -> None:
    ledger = FakeLedger()
    for number in range(320):
        ledger.put(f"r{number}.v1.aa", days=8)

    assert await Given().sweeper(ledger).sweep() == 320

    assert len(ledger.lists) == 1
    assert ledger.pages > 1
    assert ledger.items == {}
    assert ledger.most_at_once == DELETIONS_AT_ONCE
    assert Counter(ledger.deleted).most_common(1)[0][1] == 1


@pytest.mark.parametrize("error", [NotFoundError("DELETE", status=404), ApiError("", status=409)])
async def test_what_is_gone_or_another_by_now_is_no_fault(
    error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = FakeLedger(faults={"cart.v1.aa": error})
    ledger.put("cart.v1.aa", days=8)
    ledger.put("cart.v2.aa", days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)

    assert ledger.deleted == ["cart.v1.aa", "cart.v2.aa"]
    assert not [each for each in caplog.records if each.levelno > logging.INFO]


async def test_an_entry_that_cannot_be_deleted_keeps_none_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FakeLedger(faults={"r1.v1.aa": ApiError("DELETE r1.v1.aa", status=400)})
    for number in range(9):
        ledger.put(f"r{number}.v1.aa", days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)

    assert ledger.items.keys() == {"r1.v1.aa"}
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
    error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"r{number}.v1.aa" for number in range(40)]
    ledger = FakeLedger(faults=dict.fromkeys(names, error))
    for name in names:
        ledger.put(name, days=8)

    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert len(ledger.deletions) <= DELETIONS_AT_ONCE
        assert len(caplog.messages) == 1
        ledger.faults.clear()
        await asyncio.sleep(HOUR)

    assert ledger.items == {}


async def test_a_ledger_that_cannot_be_listed_is_one_line_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FakeLedger(list_faults=deque([NotFoundError("LIST releasetraces", status=404)]))
    ledger.put("cart.v1.aa", days=8)
    async with running(ledger):
        await asyncio.sleep(2 * MINUTE)
        assert len(caplog.messages) == 1
        assert ledger.deletions == []
        await asyncio.sleep(HOUR)

    assert ledger.deleted == ["cart.v1.aa"]


async def test_an_entry_without_a_time_stays_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ledger = FakeLedger()
    ledger.put("cart.v1.aa", days=8)
    ledger.put("cart.v2.aa", days=8)
    del ledger.items["cart.v1.aa"]["metadata"]["creationTimestamp"]

    assert await Given().sweeper(ledger).sweep() == 1

    assert ledger.items.keys() == {"cart.v1.aa"}
    assert "metadata.creationTimestamp" in caplog.text


async def test_many_new_entries_bring_the_next_sweep_near() -> None:
    ledger = FakeLedger()
    async with running(ledger) as sweeper:
        await asyncio.sleep(10 * MINUTE)
        for _ in range(MANY - 1):
            sweeper.nudge()
        await asyncio.sleep(10 * MINUTE)
        assert minutes(ledger) == [1]
        sweeper.nudge()
        await asyncio.sleep(HOUR + MINUTE)

    assert minutes(ledger) == [1, 20, 80]


async def test_a_flood_of_entries_brings_one_sweep_a_minute() -> None:
    ledger = FakeLedger()
    async with running(ledger) as sweeper:
        for _ in range(10 * MINUTE):
            for _ in range(MANY):
                sweeper.nudge()
            await asyncio.sleep(1)

    assert minutes(ledger) == list(range(1, 10))


async def test_a_change_of_limits_holds_from_the_next_sweep_on() -> None:
    ledger = FakeLedger()
    settings = Given()
    for number in range(1, 11):
        ledger.put(f"cart.v{number}.aa")
    async with running(ledger, settings):
        await asyncio.sleep(2 * MINUTE)
        assert len(ledger.items) == 10
        settings.limits = RetentionLimits(per_release=1)
        await asyncio.sleep(HOUR)

    assert ledger.items.keys() == {"cart.v10.aa"}


@pytest.mark.parametrize("after", [0.005, 0.015, 0.025])
async def test_it_ends_at_once_when_it_is_cancelled(after: float) -> None:
    """While listing, while deleting, and between two deletions."""
    ledger = FakeLedger()
    for number in range(40):
        ledger.put(f"r{number}.v1.aa", days=8)
    task = asyncio.create_task(Given().sweeper(ledger).sweep())
    await asyncio.sleep(after)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    asked = len(ledger.deletions)
    await asyncio.sleep(1)
    assert len(ledger.deletions) == asked
