"""Operations and entries to keep."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status, Tags
from helmwake.facts.identity import Driver, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import KeptnContext
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
from helmwake.telemetry.ids import trace_id
from tests.lifecycle.making import CART, NOON, after
from tests.telemetry.operations import (
    CONTEXT,
    NAMES,
    TAGS,
    UPSTREAM,
    a_test,
    failed_upgrade,
    good_upgrade,
    remedy,
    running,
    skewed,
    uninstalled,
)

LEDGER: Final = "helmwake-system"
BAD: Final = Outcome(
    result=Result.FAILURE, error=ErrorType.IMAGE_PULL_FAILED, message="no image shop/cart:3"
)


def entry(operation: Operation, *, state: State = State.UNDELIVERED, **fields: Any) -> Entry:
    """Keep an operation as the operator would; other fields of the entry may be set."""
    values: dict[str, Any] = {
        "trace_id": f"{trace_id(operation):032x}",
        "version": "0.1.0",
        "cluster_uid": "uid-of-kube-system",
        **fields,
    }
    return Entry(operation=operation, state=state, **values)


def told() -> tuple[Operation, ...]:
    """One of every kind, as the lifecycle makes them."""
    return (
        good_upgrade(),
        good_upgrade(tags=replace(TAGS, traceparent=UPSTREAM)),
        failed_upgrade(),
        *remedy(),
        a_test(),
        uninstalled(),
        running(),
        skewed(),
    )


def full() -> Operation:
    """An operation in which no field has its default."""
    tags = Tags(keptn=CONTEXT, traceparent=UPSTREAM, commit="4f3a", opted_out=True)
    skew = timedelta(days=-3, microseconds=7)
    return Operation(
        id=OperationId(uid="uid-2", kind=OperationKind.TEST, start=after(0.000001)),
        release=CART,
        revision=2,
        record=Record(
            release=CART,
            revision=2,
            driver=Driver.CONFIG_MAP,
            uid="uid-2",
            resource_version="100",
            status=Status.DEPLOYED,
            created=NOON,
            written=after(3),
            tags=replace(tags, commit="another"),
            seen=after(3.25),
            origin=Origin.RELISTED,
            gone=True,
        ),
        started=after(0.1),
        last_write=after(4.2),
        tags=tags,
        inherited_context=True,
        stale_parent=True,
        namespace=KeptnContext(context="c-2", project="p", stage="s", service="t"),
        payload=Payload(
            uid="uid-2",
            resource_version="99",
            revision=2,
            namespace="elsewhere",
            status="deployed",
            description="Upgrade complete",
            first_deployed=after(-7),
            last_deployed=after(-6),
            deleted=after(-5),
            rollback_revision=1,
            chart=Chart(name="cart", version="1.2.0", app_version="7"),
            hooks=(),
            keptn=KeptnContext(context="c-3", project="q", stage="u", service="v"),
            seen=after(2),
        ),
        clock_offset=skew,
        stuck=True,
        bounded=True,
        history=True,
        awaits_payload="101",
        awaits_listing="elsewhere",
        awaits_past=True,
        announced=True,
        hooks=(
            HookRunState(
                name="smoke",
                kind="Job",
                event="test",
                weight=-5,
                started_at=after(1) + skew,
                started=after(1),
                ended=after(2),
                phase=HookPhase.FAILED,
                outcome=BAD,
            ),
        ),
        rollouts=(rollout("cart", cause=BAD, outcome=BAD),),
        helm_ended=after(5),
        applied_until=after(5.5),
        helm_outcome=replace(BAD, error=ErrorType.TIMEOUT, message="Helm's deadline passed"),
        status=Status.SUPERSEDED,
        ended=after(6),
        outcome=BAD,
        previous=Predecessor(
            id=OperationId(uid="uid-1", kind=OperationKind.UNINSTALL, start=after(-30)),
            parent=UPSTREAM,
            revision=1,
            failed=True,
            started=after(-29),
        ),
    )


def rollout(name: str, **fields: Any) -> Rollout:
    """A rollout that is over."""
    values: dict[str, Any] = {
        "key": WorkloadKey(WorkloadKind.DEPLOYMENT, "shop", name),
        "uid": f"uid-of-{name}",
        "template": "b" * 64,
        "started": after(2),
        "wanted": 5,
        "updated": 4,
        "available": 3,
        "old": 2,
        "ended": after(6),
        "outcome": Outcome(result=Result.SUCCESS),
        "keptn": CONTEXT,
        "names": NAMES,
        **fields,
    }
    return Rollout(**values)
