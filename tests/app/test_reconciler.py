"""What is in force and what is written, with the apiserver behind a fake."""

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helmwake.app.observer import DeliveryState
from helmwake.app.observer.reconciler import Reconciler
from helmwake.cluster.errors import ApiError, NotFoundError, UnavailableError
from helmwake.settings.sources import ObserverOverrides

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNKNOWN = DeliveryState(delivering=None, reason="NothingSent", message="Nothing was sent yet.")
DELIVERING = DeliveryState(delivering=True, reason="Delivered", message="All was sent.")
BROKEN = DeliveryState(delivering=False, reason="Refused", message="collector: 401")


@dataclass
class World:
    """The apiserver, the delivery and the clock, as far as a Reconciler sees them."""

    now: datetime = NOON
    delivery: DeliveryState = UNKNOWN
    applied: list[Any] = field(default_factory=list)
    written: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    failure: ApiError | None = None
    gate: asyncio.Event | None = None

    async def apply(self, overrides: ObserverOverrides | None) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.applied.append(overrides.values if overrides else None)

    async def write_status(self, name: str, status: Mapping[str, Any]) -> None:
        if self.failure is not None:
            raise self.failure
        self.written.append((name, copy.deepcopy(status)))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reconciler(world: World) -> Reconciler:
    return Reconciler(
        apply=world.apply,
        delivery=lambda: world.delivery,
        writer=world,
        now=lambda: world.now,
    )


def observer(
    limit: str = "10m", *, name: str = "default", uid: str = "a", generation: int = 1, **more: Any
) -> dict[str, Any]:
    meta = {"name": name, "uid": uid, "generation": generation}
    return {"metadata": meta, "spec": {"rolloutLimit": limit}, **more}


def last(world: World, kind: str) -> Mapping[str, Any]:
    _, status = world.written[-1]
    (found,) = (each for each in status["conditions"] if each["type"] == kind)
    condition: Mapping[str, Any] = found
    return condition


async def test_another_name_is_told_that_it_is_not_in_force(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer(name="second"))
    await reconciler.write_statuses()

    assert world.applied == []
    assert last(world, "Ready")["reason"] == "NotDefault"
    _, status = world.written[-1]
    assert len(status["conditions"]) == 1
    assert "default" in status["lastError"]


async def test_the_end_of_an_older_one_of_the_same_name_changes_nothing(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer(uid="old"))
    await reconciler.seen(observer("20m", uid="new"))
    await reconciler.gone(observer(uid="old"))

    assert world.applied == [{"rolloutLimit": "10m"}, {"rolloutLimit": "20m"}]


async def test_what_a_list_lacks_is_gone(world: World, reconciler: Reconciler) -> None:
    await reconciler.seen(observer())
    await reconciler.listed([])
    await reconciler.listed([])

    assert world.applied == [{"rolloutLimit": "10m"}, None]


async def test_the_same_generation_is_applied_once(world: World, reconciler: Reconciler) -> None:
    for _ in range(3):
        await reconciler.seen(observer())
    await reconciler.seen(observer("20m", generation=2))
    await reconciler.seen(observer())  # late: a list that was older than the watch

    assert world.applied == [{"rolloutLimit": "10m"}, {"rolloutLimit": "20m"}]


async def test_a_status_that_is_already_there_is_not_written(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer())
    await reconciler.write_statuses()
    ((_, status),) = world.written
    another = Reconciler(
        apply=world.apply, delivery=lambda: UNKNOWN, writer=world, now=lambda: NOON + timedelta(1)
    )
    await another.seen(observer(status=dict(status)))
    await another.write_statuses()
    await reconciler.write_statuses()

    assert len(world.written) == 1


async def test_the_time_of_a_condition_is_that_of_its_status(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer())
    await reconciler.write_statuses()
    world.now += timedelta(hours=1)
    world.delivery = BROKEN
    await reconciler.write_statuses()

    assert last(world, "Ready")["lastTransitionTime"] == "2026-01-01T12:00:00Z"
    assert last(world, "Delivering")["lastTransitionTime"] == "2026-01-01T13:00:00Z"


async def test_the_last_error_comes_and_goes(world: World, reconciler: Reconciler) -> None:
    await reconciler.seen(observer())
    world.delivery = BROKEN
    await reconciler.write_statuses()
    assert world.written[-1][1]["lastError"] == "collector: 401"

    world.delivery = DELIVERING
    await reconciler.write_statuses()
    # A merge patch takes away by null.
    assert world.written[-1][1]["lastError"] is None

    await reconciler.write_statuses()
    assert len(world.written) == 2


async def test_a_status_that_could_not_be_written_is_written_later(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer())
    world.failure = UnavailableError("PATCH")
    with pytest.raises(UnavailableError):
        await reconciler.write_statuses()
    world.failure = None
    await reconciler.write_statuses()

    assert len(world.written) == 1


async def test_the_status_of_one_that_is_gone_is_nobodys_loss(
    world: World, reconciler: Reconciler
) -> None:
    await reconciler.seen(observer())
    world.failure = NotFoundError("PATCH", status=404)

    await reconciler.write_statuses()


async def test_nothing_is_said_of_one_before_it_is_in_force(
    world: World, reconciler: Reconciler
) -> None:
    world.gate = asyncio.Event()
    taking = asyncio.create_task(reconciler.seen(observer()))
    await asyncio.sleep(0)
    await reconciler.write_statuses()
    assert world.written == []

    world.gate.set()
    await taking
    await reconciler.write_statuses()
    assert last(world, "Ready")["status"] == "True"


async def test_one_that_was_cancelled_half_way_is_taken_in_again(
    world: World, reconciler: Reconciler
) -> None:
    world.gate = asyncio.Event()
    taking = asyncio.create_task(reconciler.seen(observer()))
    await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait([taking])
    world.gate.set()

    await reconciler.listed([observer()])

    assert world.applied == [{"rolloutLimit": "10m"}]


@pytest.mark.parametrize("status", [{"conditions": "?"}, {"conditions": ["?"]}, {"a": 1}])
async def test_a_foreign_status_is_written_over(
    world: World, reconciler: Reconciler, status: dict[str, Any]
) -> None:
    await reconciler.seen(observer(status=status))
    await reconciler.write_statuses()

    assert last(world, "Ready")["status"] == "True"


async def test_words_of_any_length_fit_the_schema(world: World, reconciler: Reconciler) -> None:
    world.delivery = DeliveryState(delivering=False, reason="Refused", message="x" * 5000)
    await reconciler.seen(observer())
    await reconciler.write_statuses()

    assert len(last(world, "Delivering")["message"]) == 1024
    assert len(world.written[-1][1]["lastError"]) == 1024
