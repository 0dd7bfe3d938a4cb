"""The entries that the files in `fixtures/` say, written down by hand.

Those files are what v1alpha1 looked like when it was first written. They are in clusters: they
never change, and neither does what they mean.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status, Tags
from helmwake.facts.identity import Driver, ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import KeptnContext, KeptnWorkload, TraceParent
from helmwake.facts.payload import Chart, HookPhase, Payload
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import (
    HookRunState,
    Operation,
    OperationId,
    OperationKind,
    Predecessor,
    Rollout,
)
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result

FIXTURES: Final = Path(__file__).parent / "fixtures"
RELEASE: Final = ReleaseKey("shop", "cart")
DELIVERY: Final = KeptnContext(
    context="5cf6a8ae-4a0d-4b8f-9b6b-8f1f6f1d3a11",
    project="sockshop",
    stage="prod",
    service="cart",
)


def at(minute: int, second: int, microsecond: int = 0) -> datetime:
    return datetime(2026, 11, 23, 12, minute, second, microsecond, tzinfo=UTC)


def stored(name: str) -> dict[str, Any]:
    text = (FIXTURES / f"v1alpha1-{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


RUNNING: Final = Entry(
    state=State.RUNNING,
    trace_id="0af7651916cd43dd8448eb211c80319c",
    version="0.1.0",
    cluster_uid="f5c5fcb4-6e53-4bd4-8a1f-0f6f2f0f5a10",
    cluster_name="prod-eu",
    operation=Operation(
        id=OperationId(uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b02", kind=OperationKind.UPGRADE),
        release=RELEASE,
        revision=2,
        record=Record(
            release=RELEASE,
            revision=2,
            driver=Driver.SECRET,
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b02",
            resource_version="70011",
            status=Status.PENDING_UPGRADE,
            created=at(0, 0),
            written=at(0, 1),
            tags=Tags(
                keptn=DELIVERY,
                traceparent=TraceParent(
                    trace_id="0af7651916cd43dd8448eb211c80319c",
                    span_id="b7ad6b7169203331",
                    sampled=True,
                ),
                commit="4f3a1c9",
            ),
            seen=at(0, 1, 250001),
        ),
        started=at(0, 0, 125000),
        last_write=at(0, 1, 250001),
        tags=Tags(
            keptn=DELIVERY,
            traceparent=TraceParent(
                trace_id="0af7651916cd43dd8448eb211c80319c",
                span_id="b7ad6b7169203331",
                sampled=True,
            ),
            commit="4f3a1c9",
        ),
        payload=Payload(
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b02",
            resource_version="70011",
            revision=2,
            namespace="shop",
            status="pending-upgrade",
            description="Preparing upgrade",
            first_deployed=at(0, 0) - timedelta(days=1),
            last_deployed=at(0, 0, 125000),
            deleted=None,
            rollback_revision=None,
            chart=Chart(name="cart", version="1.2.0", app_version="7"),
            hooks=(),
            keptn=KeptnContext(),
            seen=at(0, 1, 300000),
        ),
        stuck=True,
        awaits_payload="70012",
        awaits_listing="shop",
        awaits_past=True,
        announced=True,
        hooks=(
            HookRunState(
                name="migrate",
                kind="Job",
                event="pre-upgrade",
                weight=-5,
                started_at=at(0, 1, 100000),
                started=at(0, 1, 100000),
                ended=None,
                phase=HookPhase.RUNNING,
            ),
        ),
        rollouts=(
            Rollout(
                key=WorkloadKey(WorkloadKind.DEPLOYMENT, "shop", "cart"),
                uid="1c1f1a5e-6a6f-4a3e-8c3b-7d6f0b9a2e03",
                template="6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
                started=at(0, 4, 500000),
                wanted=3,
                updated=2,
                available=1,
                old=1,
                cause=Outcome(
                    result=Result.FAILURE,
                    error=ErrorType.FAILED_CREATE,
                    message="deployment/cart cannot create pods: exceeded quota",
                ),
                names=KeptnWorkload(app="shop", workload="shop-cart", version="7"),
            ),
        ),
        status=Status.PENDING_UPGRADE,
    ),
)

FAILURE: Final = Entry(
    omitted=3,
    state=State.DELIVERED,
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    version="0.1.0",
    cluster_uid="f5c5fcb4-6e53-4bd4-8a1f-0f6f2f0f5a10",
    delivered=at(3, 12, 345678),
    delivered_to="http://collector.observability:4317",
    operation=Operation(
        id=OperationId(uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b03", kind=OperationKind.ROLLBACK),
        release=RELEASE,
        revision=3,
        record=Record(
            release=RELEASE,
            revision=3,
            driver=Driver.CONFIG_MAP,
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b03",
            resource_version="70300",
            status=Status.SUPERSEDED,
            created=at(1, 0),
            written=at(2, 0),
            tags=Tags(keptn=DELIVERY, opted_out=True),
            seen=at(2, 0, 7),
            origin=Origin.RELISTED,
            gone=True,
        ),
        started=at(1, 0, 500000),
        last_write=at(2, 0, 7),
        tags=Tags(
            keptn=KeptnContext(context=DELIVERY.context),
            traceparent=TraceParent(
                trace_id="0af7651916cd43dd8448eb211c80319c",
                span_id="b7ad6b7169203331",
                sampled=False,
            ),
        ),
        inherited_context=True,
        stale_parent=True,
        namespace=KeptnContext(stage="prod"),
        payload=Payload(
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b03",
            resource_version="70299",
            revision=3,
            namespace="shop-prod",
            status="failed",
            description='Release "cart" failed: context deadline exceeded',
            first_deployed=at(0, 0) - timedelta(days=1),
            last_deployed=at(1, 7, 500000),
            deleted=at(2, 7, 500000),
            rollback_revision=1,
            chart=Chart(name="cart", version="1.1.0", app_version=None),
            hooks=(),
            keptn=KeptnContext(project="sockshop", service="cart"),
            seen=at(2, 1),
        ),
        clock_offset=timedelta(seconds=7),
        bounded=True,
        history=True,
        announced=True,
        hooks=(
            HookRunState(
                name="migrate",
                kind="Job",
                event="pre-rollback",
                weight=0,
                started_at=at(1, 8),
                started=at(1, 1),
                ended=at(1, 3),
                phase=HookPhase.SUCCEEDED,
                outcome=Outcome(result=Result.SUCCESS),
            ),
            HookRunState(
                name="notify",
                kind="Pod",
                event="post-rollback",
                weight=5,
                started_at=at(1, 57),
                started=at(1, 50),
                ended=at(2, 0),
                phase=HookPhase.FAILED,
                outcome=Outcome(
                    result=Result.FAILURE,
                    error=ErrorType.HOOK_FAILED,
                    message="post-rollback hook pod/notify failed",
                ),
            ),
        ),
        rollouts=(
            Rollout(
                key=WorkloadKey(WorkloadKind.DEPLOYMENT, "shop-prod", "cart"),
                uid="1c1f1a5e-6a6f-4a3e-8c3b-7d6f0b9a2e03",
                template="d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
                started=at(1, 4),
                wanted=2,
                updated=2,
                ended=at(3, 11, 999999),
                outcome=Outcome(
                    result=Result.FAILURE,
                    error=ErrorType.PROGRESS_DEADLINE_EXCEEDED,
                    message="deployment/cart made no progress before its deadline: "
                    "0 of 2 replicas available",
                ),
                keptn=KeptnContext(context="another"),
                names=KeptnWorkload(app="shop", workload="shop-cart", version=None),
            ),
            Rollout(
                key=WorkloadKey(WorkloadKind.DEPLOYMENT, "shop-prod", "cart-db"),
                uid="1c1f1a5e-6a6f-4a3e-8c3b-7d6f0b9a2e04",
                template="4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce",
                started=at(1, 4),
                wanted=1,
                updated=1,
                available=1,
                ended=at(1, 9),
                outcome=Outcome(result=Result.SUCCESS),
            ),
        ),
        helm_ended=at(2, 0, 7),
        applied_until=at(2, 0),
        helm_outcome=Outcome(
            result=Result.TIMEOUT, error=ErrorType.TIMEOUT, message="Helm's deadline passed"
        ),
        status=Status.FAILED,
        ended=at(3, 11, 999999),
        outcome=Outcome(
            result=Result.TIMEOUT,
            error=ErrorType.HOOK_FAILED,
            message="post-rollback hook pod/notify failed",
        ),
        previous=Predecessor(
            id=OperationId(
                uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b02",
                kind=OperationKind.TEST,
                start=at(0, 30, 1),
            ),
            parent=TraceParent(
                trace_id="0af7651916cd43dd8448eb211c80319c",
                span_id="b7ad6b7169203331",
                sampled=True,
            ),
            revision=2,
            failed=True,
            started=at(0, 30),
        ),
    ),
)

MINIMAL: Final = Entry(
    state=State.UNDELIVERED,
    trace_id="00000000000000000000000000000001",
    version="0.1.0",
    operation=Operation(
        id=OperationId(
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b04",
            kind=OperationKind.UNINSTALL,
            start=at(10, 0, 999),
        ),
        release=RELEASE,
        revision=4,
        record=Record(
            release=RELEASE,
            revision=4,
            driver=Driver.SECRET,
            uid="9d3a7a4e-0f5b-4c36-9a58-0c8f5e0f7b04",
            resource_version="80000",
            status=Status.UNKNOWN,
            created=at(9, 0),
            written=at(10, 0),
            seen=at(10, 0),
        ),
        started=at(10, 0),
        last_write=at(10, 0),
    ),
)

KEPT: Final[dict[str, Entry]] = {"running": RUNNING, "failure": FAILURE, "minimal": MINIMAL}
