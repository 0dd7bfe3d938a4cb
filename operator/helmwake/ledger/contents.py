"""Entry <-> the models of a ReleaseTrace, whatever their size."""

from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from helmwake.ledger.columns import length
from helmwake.ledger.conditions import conditions
from helmwake.ledger.entry import Entry
from helmwake.ledger.parts import (
    ClusterPart,
    DeliveredPart,
    DeliveryPart,
    HelmPart,
    Part,
    RecordPart,
    WaitingPart,
)
from helmwake.ledger.schema import RecordRefPart, ReleasePart, TraceFacts, TraceSpec, TraceStatus
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import Outcome, most_specific

OPERATIONS: Final = TypeAdapter(Operation)
PartT = TypeVar("PartT", bound=Part)


def spec_of(operation: Operation) -> TraceSpec:
    return TraceSpec(
        release=_made_of(ReleasePart, operation.release),
        revision=operation.revision,
        operation=operation.kind,
        record=RecordRefPart(driver=operation.record.driver, uid=operation.id.uid),
        start=operation.id.start,
    )


def status_of(entry: Entry, *, omitted: int = 0) -> TraceStatus:
    operation = entry.operation
    outcome = operation.outcome
    told = outcome or known_so_far(operation)
    facts = _made_of(TraceFacts, operation)
    return TraceStatus(
        **{**dict(facts), "record": _record(operation)},
        state=entry.state,
        trace_id=entry.trace_id,
        result=outcome.result if outcome else None,
        error=told.error if told else None,
        cause=told.message or None if told else None,
        duration=length(operation.ended - operation.started) if operation.ended else None,
        keptn=DeliveryPart(
            **dict(_made_of(DeliveryPart, operation.keptn))
            | {"inherited": operation.inherited_context}
        ),
        helm=_made_of(HelmPart, operation),
        waits_for=_made_of(WaitingPart, operation),
        omitted=omitted,
        version=entry.version,
        cluster=ClusterPart(uid=entry.cluster_uid, name=entry.cluster_name),
        delivered=_delivered(entry.delivered, entry.delivered_to),
        problem=entry.problem,
        conditions=conditions(entry),
    )


def entry_of(spec: TraceSpec, status: TraceStatus) -> Entry:
    """Make the entry anew. What no status says, its spec does, or nobody needs."""
    tags = status.tags.model_dump()
    record = _without_none(status.record.model_dump())
    payload = status.payload.model_dump() if status.payload else None
    if payload is not None:
        # A hook's last run is among the operation's hooks, and read anew while Helm runs.
        payload |= {"uid": spec.record.uid, "revision": spec.revision, "hooks": ()}
    told = {
        **status.model_dump(include=set(TraceFacts.model_fields)),
        **status.helm.model_dump(),
        **status.waits_for.model_dump(),
        "id": {"uid": spec.record.uid, "kind": spec.operation, "start": spec.start},
        "release": spec.release.model_dump(),
        "revision": spec.revision,
        "inherited_context": status.keptn.inherited,
        "record": {
            "status": status.helm.status,
            "tags": tags,
            **record,
            "release": spec.release.model_dump(),
            "revision": spec.revision,
            "driver": spec.record.driver,
            "uid": spec.record.uid,
        },
        "payload": payload,
        "outcome": _outcome(status),
    }
    return Entry(
        operation=OPERATIONS.validate_python(told),
        state=status.state,
        trace_id=status.trace_id,
        version=status.version,
        cluster_uid=status.cluster.uid,
        cluster_name=status.cluster.name,
        delivered=status.delivered.at if status.delivered else None,
        delivered_to=status.delivered.to if status.delivered else None,
        problem=status.problem,
    )


def known_so_far(operation: Operation) -> Outcome | None:
    """Say what a running operation's cause will be, by what is known of its parts."""
    causes = [rollout.outcome or rollout.cause for rollout in operation.rollouts]
    causes += [run.outcome for run in operation.hooks]
    own = operation.helm_outcome
    return most_specific(each for each in (own, *causes) if each is not None and each.bad)


def _made_of(part: type[PartT], source: object) -> PartT:
    # By name alone: an alias may be the name of another field of the source.
    return part.model_validate(source, by_alias=False, by_name=True)


def _record(operation: Operation) -> RecordPart:
    """Leave out what the record says as the operation does: it mostly does."""
    record = operation.record
    same: dict[str, Any] = {}
    if record.status is operation.status:
        same["status"] = None
    if record.tags == operation.tags:
        same["tags"] = None
    return _made_of(RecordPart, record).model_copy(update=same)


def _delivered(at: datetime | None, to: str | None) -> DeliveredPart | None:
    return DeliveredPart(at=at, to=to) if at else None


def _outcome(status: TraceStatus) -> Outcome | None:
    if status.result is None:
        return None
    return Outcome(result=status.result, error=status.error, message=status.cause or "")


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
