"""Fetching the payload of a record."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from helmwake.cluster.errors import (
    AnswerTooLargeError,
    ApiError,
    BadAnswerError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from helmwake.cluster.payloads import MAX_RECORD_BYTES, PayloadFetcher, PayloadFetchError
from helmwake.facts.errors import PayloadError
from helmwake.facts.identity import Driver, RecordRef
from tests.cluster.fake import FakeCluster

pytestmark = pytest.mark.looptime


def ref(number: int = 1, *, driver: Driver = Driver.SECRET, version: str = "101") -> RecordRef:
    return RecordRef(
        driver=driver,
        namespace="shop",
        name=f"cart-{number}",
        uid=f"uid-{number}",
        resource_version=version,
    )


def decode(record: Mapping[str, Any]) -> str:
    return f"payload of {record['metadata']['name']}"


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    for n in range(1, 21):
        cluster.put(f"cart-{n}")
    return cluster


@pytest.fixture
def payloads(cluster: FakeCluster) -> PayloadFetcher[str]:
    return PayloadFetcher(cluster, decode, jitter=lambda: 1.0)


@pytest.mark.parametrize(
    ("driver", "path"),
    [
        (Driver.SECRET, "/api/v1/namespaces/shop/secrets/cart-1"),
        (Driver.CONFIG_MAP, "/api/v1/namespaces/shop/configmaps/cart-1"),
    ],
)
async def test_a_payload_is_read_from_where_the_driver_keeps_it(
    cluster: FakeCluster, payloads: PayloadFetcher[str], driver: Driver, path: str
) -> None:
    assert await payloads.fetch(ref(driver=driver)) == "payload of cart-1"
    (request,) = cluster.requests
    assert request.path == path
    assert request.accept == "application/json"
    assert request.max_bytes == MAX_RECORD_BYTES


async def test_all_who_ask_for_one_version_share_one_request(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    answers = await asyncio.gather(*(payloads.fetch(ref()) for _ in range(5)))
    assert answers == ["payload of cart-1"] * 5
    assert len(cluster.requests) == 1


async def test_another_version_is_another_request(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    await asyncio.gather(payloads.fetch(ref()), payloads.fetch(ref(version="102")))
    assert len(cluster.requests) == 2


async def test_no_more_than_eight_are_read_at_once(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    answers = await asyncio.gather(*(payloads.fetch(ref(n)) for n in range(1, 21)))
    assert len(answers) == 20
    starts = [round(each.at, 6) for each in cluster.requests]
    assert [starts.count(each) for each in sorted(set(starts))] == [8, 8, 4]


async def test_a_record_that_is_gone_is_none(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    cluster.get_faults.append(NotFoundError("GET", status=404))
    assert await payloads.fetch(ref()) is None


async def test_another_record_of_the_same_name_is_none(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    cluster.delete("cart-1")
    cluster.put("cart-1")
    assert await payloads.fetch(ref()) is None


@pytest.mark.parametrize(
    "error",
    [
        ApiError("GET", status=503),
        ApiError("GET", status=429),
        ApiError("GET", status=401),
        UnavailableError("GET"),
        BadAnswerError("GET"),
    ],
)
async def test_a_transient_error_is_retried(
    cluster: FakeCluster, payloads: PayloadFetcher[str], error: ApiError
) -> None:
    cluster.get_faults.extend([error, error])
    assert await payloads.fetch(ref()) == "payload of cart-1"
    assert [round(each.at) for each in cluster.requests] == [0, 1, 3]


async def test_a_servers_wish_for_patience_is_honoured(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    cluster.get_faults.append(ApiError("GET", status=429, retry_after=timedelta(seconds=40)))
    await payloads.fetch(ref())
    assert round(cluster.requests[1].at) == 40


async def test_retries_end_with_an_error_that_names_the_record(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    cluster.get_faults.extend([ApiError("GET x", status=503)] * 6)
    with pytest.raises(PayloadFetchError) as caught:
        await payloads.fetch(ref())
    assert str(caught.value) == "shop/cart-1: the payload was not fetched: GET x: 503"
    assert len(cluster.requests) == 6


@pytest.mark.parametrize("error", [ForbiddenError("GET", status=403), AnswerTooLargeError("GET")])
async def test_what_no_retry_mends_is_not_retried(
    cluster: FakeCluster, payloads: PayloadFetcher[str], error: ApiError
) -> None:
    cluster.get_faults.append(error)
    with pytest.raises(PayloadFetchError):
        await payloads.fetch(ref())
    assert len(cluster.requests) == 1


@pytest.mark.parametrize("answer", [None, [], {}, {"metadata": None}])
async def test_an_answer_that_is_no_object_is_retried(
    cluster: FakeCluster, payloads: PayloadFetcher[str], answer: object
) -> None:
    cluster.answers.append(answer)
    assert await payloads.fetch(ref()) == "payload of cart-1"


async def test_who_waits_to_try_again_is_in_nobodys_way(cluster: FakeCluster) -> None:
    payloads = PayloadFetcher(cluster, decode, concurrency=1, jitter=lambda: 1.0)
    cluster.get_faults.append(ApiError("GET", status=503))
    slow = asyncio.create_task(payloads.fetch(ref(1)))
    await asyncio.sleep(0.1)
    assert await payloads.fetch(ref(2)) == "payload of cart-2"
    assert not slow.done()
    assert await slow == "payload of cart-1"


async def test_a_payload_that_cannot_be_decoded_fails_for_all_who_asked(
    cluster: FakeCluster,
) -> None:
    def broken(_: Mapping[str, Any]) -> str:
        raise PayloadError("the gzip is broken")

    payloads = PayloadFetcher(cluster, broken)
    answers = await asyncio.gather(
        payloads.fetch(ref()), payloads.fetch(ref()), return_exceptions=True
    )
    assert all(isinstance(each, PayloadError) for each in answers)
    assert len(cluster.requests) == 1


async def test_nothing_is_kept_of_what_was_fetched(
    cluster: FakeCluster, payloads: PayloadFetcher[str]
) -> None:
    await payloads.fetch(ref())
    cluster.get_faults.append(NotFoundError("GET", status=404))
    assert await payloads.fetch(ref()) is None
    assert len(payloads._shared) == 0
