"""The consistent list of a namespace's workloads."""

from collections.abc import Mapping
from typing import Any

import pytest

from helmwake.cluster.errors import ApiError, ForbiddenError, GoneError
from helmwake.cluster.workloads import WorkloadLister
from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from tests.cluster.fake import FakeCluster
from tests.cluster.kit import virtual_now

pytestmark = pytest.mark.looptime


def name_of(change: Change) -> str | None:
    assert change.type is ChangeType.ADDED
    assert change.origin is Origin.RELISTED
    assert change.object["kind"] == "Deployment"
    assert change.object["apiVersion"] == "apps/v1"
    meta: Mapping[str, Any] = change.object["metadata"]
    if "bad" in meta["labels"]:
        raise BadObjectError(meta, path="metadata.labels.bad", wanted="there")
    return None if "ignored" in meta["labels"] else str(meta["name"])


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put("web")
    cluster.put("worker")
    return cluster


@pytest.fixture
def lister(cluster: FakeCluster) -> WorkloadLister:
    return WorkloadLister(cluster, now=virtual_now, jitter=lambda: 1.0)


async def test_a_namespaces_workloads_of_helm_are_listed(
    cluster: FakeCluster, lister: WorkloadLister
) -> None:
    assert await lister.list("shop", name_of) == ["web", "worker"]
    (request,) = cluster.requests
    assert request.path == "/apis/apps/v1/namespaces/shop/deployments"
    assert request.params == {"limit": "100", "labelSelector": "app.kubernetes.io/managed-by=Helm"}


async def test_the_bad_and_the_ignored_are_left_out(
    cluster: FakeCluster, lister: WorkloadLister
) -> None:
    cluster.put("web", bad="yes")
    cluster.put("worker", ignored="yes")
    cluster.put("api")
    assert await lister.list("shop", name_of) == ["api"]


@pytest.mark.parametrize(
    "error", [ApiError("LIST", status=503), GoneError("LIST", status=410)], ids=["503", "410"]
)
async def test_a_list_that_broke_off_starts_again(
    cluster: FakeCluster, lister: WorkloadLister, error: ApiError
) -> None:
    for n in range(150):
        cluster.put(f"more-{n}")
    cluster.get_faults.extend([1, error])
    assert len(await lister.list("shop", name_of)) == 152
    assert ["continue" in each.params for each in cluster.requests] == [False, True] * 2


async def test_a_list_that_stays_away_is_an_error(
    cluster: FakeCluster, lister: WorkloadLister
) -> None:
    cluster.get_faults.extend([ApiError("LIST", status=503)] * 6)
    with pytest.raises(ApiError, match="503"):
        await lister.list("shop", name_of)


async def test_a_missing_right_is_an_error_at_once(
    cluster: FakeCluster, lister: WorkloadLister
) -> None:
    cluster.get_faults.append(ForbiddenError("LIST", status=403))
    with pytest.raises(ForbiddenError):
        await lister.list("shop", name_of)
    assert len(cluster.requests) == 1
