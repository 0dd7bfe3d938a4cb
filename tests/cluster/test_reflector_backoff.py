"""How a reflector bears an apiserver that is away, and how it says so."""

import logging
from datetime import timedelta

import pytest

from helmwake.cluster.errors import (
    ApiError,
    BadAnswerError,
    CredentialsError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
)
from tests.cluster.fake import FakeCluster
from tests.cluster.kit import NOON, running, settle

pytestmark = pytest.mark.looptime

TRANSIENT = [
    ApiError("LIST", status=500),
    ApiError("LIST", status=503),
    ApiError("LIST", status=429),
    UnavailableError("LIST"),
    UnauthorizedError("LIST", status=401),
    ForbiddenError("LIST", status=403),
    CredentialsError("LIST"),
    BadAnswerError("LIST"),
    NotFoundError("LIST", status=404),
    ApiError("LIST", status=418),
]
ids = [f"{type(each).__name__} {each.status or ''}".strip() for each in TRANSIENT]


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put("cart-1")
    return cluster


@pytest.mark.parametrize("error", TRANSIENT, ids=ids)
async def test_a_list_is_tried_for_ever_with_growing_delays(
    cluster: FakeCluster, error: ApiError
) -> None:
    cluster.get_faults.extend([error] * 10)
    async with running(cluster) as run:
        await run.pass_time(seconds=200)
        starts = [round(each.at) for each in cluster.lists]
        assert starts == [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181]
        assert run.take() == ["ADDED cart-1 initial"]


@pytest.mark.parametrize("error", TRANSIENT[:8], ids=ids[:8])
async def test_a_watch_is_tried_for_ever_and_resumed(
    cluster: FakeCluster, error: ApiError
) -> None:
    cluster.stream_faults.extend([error] * 6)
    async with running(cluster) as run:
        await run.pass_time(seconds=2)
        cluster.put("cart-2")
        await run.pass_time(seconds=100)
        assert [round(each.at) for each in cluster.watches] == [0, 1, 3, 7, 15, 31, 61]
        assert run.take() == ["ADDED cart-1 initial", "ADDED cart-2 watched"]
        assert run.state.lists == 1


async def test_a_request_the_server_calls_wrong_is_made_anew_from_a_list(
    cluster: FakeCluster,
) -> None:
    cluster.stream_faults.append(ApiError("WATCH", status=400))
    async with running(cluster) as run:
        await run.pass_time(seconds=1)
        assert run.state.lists == 2
        assert run.is_ready()


async def test_a_servers_wish_is_honoured_above_our_cap(cluster: FakeCluster) -> None:
    cluster.get_faults.append(ApiError("LIST", status=429, retry_after=timedelta(seconds=100)))
    async with running(cluster) as run:
        await run.pass_time(seconds=99)
        assert len(cluster.lists) == 1
        await run.pass_time(seconds=2)
        assert run.is_ready()


async def test_delays_are_short_again_after_something_was_heard(cluster: FakeCluster) -> None:
    cluster.stream_faults.extend([ApiError("WATCH", status=503)] * 5)
    async with running(cluster) as run:
        await run.pass_time(seconds=40)
        cluster.bookmark()
        await settle()
        cluster.stream_faults.append(ApiError("WATCH", status=503))
        cluster.end_streams()
        await run.pass_time(seconds=2)
        refused, again = cluster.watches[-2:]
        assert round(again.at - refused.at) == 1


async def test_a_list_that_succeeds_does_not_shorten_the_delays(cluster: FakeCluster) -> None:
    cluster.stream_faults.extend([ApiError("WATCH", status=400)] * 5)
    async with running(cluster) as run:
        await run.pass_time(seconds=40)
        assert [round(each.at) for each in cluster.lists] == [0, 1, 3, 7, 15, 31]


async def test_staleness_has_a_beginning_a_reason_and_an_end(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        assert not run.is_ready()
        await settle()
        assert run.is_ready()
        cluster.stream_faults.extend([ForbiddenError("WATCH secrets", status=403)] * 3)
        cluster.end_streams()
        await run.pass_time(seconds=5)
        state = run.state
        assert not state.ready
        assert state.synced
        assert state.stale_since is not None
        assert state.stale_since - NOON < timedelta(seconds=1)
        assert state.failure == "WATCH secrets: 403"
        await run.pass_time(seconds=5)
        assert run.is_ready()
        assert run.state.failure is None


async def test_changes_of_readiness_are_announced(cluster: FakeCluster) -> None:
    cluster.get_faults.append(UnavailableError("LIST"))
    async with running(cluster) as run:
        await run.pass_time(seconds=2)
        cluster.put("cart-2")
        await settle()
        assert [(each.synced, each.ready) for each in run.states] == [
            (False, False),
            (False, False),
            (True, False),
            (True, True),
        ]
        assert run.reflector.synced_event.is_set()


async def test_a_regular_end_of_a_watch_is_not_stale(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(cluster) as run:
        await settle()
        announced = len(run.states)
        for _ in range(3):
            cluster.bookmark()
            cluster.end_streams()
            await settle()
        assert len(run.states) == announced
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_each_refusal_is_said_in_one_clear_line(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    error = ForbiddenError("GET /api/v1/secrets", status=403, reason="Forbidden")
    cluster.get_faults.append(error)
    async with running(cluster) as run:
        with caplog.at_level(logging.INFO):
            await run.pass_time(seconds=2)
    assert [each.getMessage() for each in caplog.records] == [
        "secrets: GET /api/v1/secrets: 403 Forbidden; will list in 1.0 s",
        "secrets: listed 1, of them 1 changed",
        "secrets: in sync after 0:00:01.003000",
    ]


async def test_the_last_time_anything_was_heard_is_known(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        assert run.states == []
        await settle()
        await run.pass_time(seconds=60)
        cluster.bookmark()
        await settle()
        heard = run.state.last_heard
        assert heard is not None
        assert heard - NOON >= timedelta(seconds=60)
