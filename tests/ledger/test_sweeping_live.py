"""A sweep of a real ledger, with the rights that are shipped and no more."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helmwake.cluster.credentials import Credentials
from helmwake.cluster.writing import Writable, WritingClient
from helmwake.ledger.documents import to_object
from helmwake.ledger.entry import State
from helmwake.ledger.resource import RELEASE_TRACES
from helmwake.ledger.retention import RetentionLimits
from helmwake.ledger.sweeping import Sweeper
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import wait_for
from tests.e2e.installing import USER, install_operator
from tests.ledger.making import entry
from tests.telemetry.operations import good_upgrade

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces"
DELIVERED = 130  # more than two pages
LIMITS = RetentionLimits(age=timedelta(days=7), per_release=20, total=10)


@pytest.fixture
async def client(control_plane: ControlPlane, namespace: str) -> AsyncIterator[WritingClient]:
    """The operator's own login; its Role holds in this test's namespace too."""
    login = install_operator(control_plane)
    shipped = control_plane.api.get(f"{RBAC}/helmwake-system/roles/helmwake-ledger")
    role = {"metadata": {"name": "ledger"}, "rules": shipped["rules"]}
    control_plane.api.create(f"{RBAC}/{namespace}/roles", role)
    binding: dict[str, Any] = {
        "metadata": {"name": "ledger"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ledger"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
    }
    control_plane.api.create(f"{RBAC}/{namespace}/rolebindings", binding)
    can = ("auth", "can-i", "delete", "releasetraces", "--as", USER, "-n", namespace)
    wait_for(
        "the binding", lambda: control_plane.kubectl(*can, check=False).stdout.strip() == "yes"
    )
    writable = [Writable(resource=RELEASE_TRACES.within(namespace))]
    async with WritingClient(Credentials(kubeconfig=str(login)), writable=writable) as client:
        yield client


def keep(cluster: ControlPlane, namespace: str, *, revision: int, state: State) -> str:
    operation = good_upgrade()
    identity = replace(operation.id, uid=f"uid-{revision}")
    kept = entry(replace(operation, id=identity, revision=revision), state=state)
    made = to_object(kept, namespace=namespace)
    cluster.api.create(RELEASE_TRACES.within(namespace).path, made)
    return str(made["metadata"]["name"])


def in_days(days: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(days=days)


async def test_too_many_go_then_too_old_ones_then_those_that_nobody_took(
    control_plane: ControlPlane, namespace: str, client: WritingClient
) -> None:
    def left() -> set[str]:
        items = control_plane.api.items(RELEASE_TRACES.within(namespace).path)
        return {each["metadata"]["name"] for each in items}

    def sweeper(now: Callable[[], datetime]) -> Sweeper:
        return Sweeper(client, namespace, limits=lambda: LIMITS, now=now)

    undelivered = {
        keep(control_plane, namespace, revision=revision, state=State.UNDELIVERED)
        for revision in range(1, 4)
    }
    delivered = [
        keep(control_plane, namespace, revision=revision, state=State.DELIVERED)
        for revision in range(4, 4 + DELIVERED)
    ]

    assert await sweeper(in_days(0)).sweep() == DELIVERED - 7
    assert left() == undelivered | set(delivered[-7:])

    # Nothing more to do, and nothing is asked for.
    assert await sweeper(in_days(0)).sweep() == 0

    assert await sweeper(in_days(8)).sweep() == 7
    assert left() == undelivered

    assert await sweeper(in_days(31)).sweep() == 3
    assert left() == set()


async def test_an_entry_that_was_made_anew_meanwhile_stays(
    control_plane: ControlPlane, namespace: str, client: WritingClient
) -> None:
    name = keep(control_plane, namespace, revision=1, state=State.DELIVERED)
    path = f"{RELEASE_TRACES.within(namespace).path}/{name}"

    def made_anew() -> datetime:
        """Asked for between the list and the deletions."""
        control_plane.api.delete(path)
        keep(control_plane, namespace, revision=1, state=State.DELIVERED)
        return in_days(8)()

    await Sweeper(client, namespace, limits=lambda: LIMITS, now=made_anew).sweep()

    assert control_plane.api.find(path) is not None
