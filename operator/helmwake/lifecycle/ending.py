"""How Helm's own part of an operation ends, and when that was."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status
from helmwake.lifecycle.intents import FetchPayload, Intent, ListWorkloads, WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import SUCCESS, ErrorType, Outcome, Result
from helmwake.lifecycle.rollouts import limit_wakes
from helmwake.lifecycle.state import Release, Step

# Until the payload tells more.
FAILED: Final = Outcome(
    result=Result.FAILURE, error=ErrorType.OTHER, message="Helm failed; its reason is lost"
)


def end_helm(
    release: Release,
    operation: Operation,
    record: Record,
    outcome: Outcome,
    limits: Limits,
    *,
    at: datetime | None = None,
    payload_known: bool = False,
) -> Step:
    """Close Helm's own part. The operation goes on until its last rollout ended.

    `at` is when it ended, where the record does not tell.
    """
    # The record's own write ends it, and that is not its last where a later one superseded it.
    own = at is None and not record.gone and record.status is not Status.SUPERSEDED
    at = at or _end_time(release, operation, record)
    ended = replace(
        operation,
        record=record,
        status=record.status,
        last_write=record.seen,
        stuck=False,
        helm_ended=max(at, operation.started),
        applied_until=record.written if own else _next_began(release, record) or at,
        helm_outcome=outcome,
        # It was pending when somebody first looked: its end is news.
        history=operation.history and record.origin is Origin.HISTORY,
    )
    intents: list[Intent] = []
    if not record.gone and not payload_known:
        ended = replace(ended, awaits_payload=record.resource_version)
        intents.append(FetchPayload(record.ref))
    if operation.kind.deploys:
        # Streams race: list the workloads before anyone says that nothing rolls out.
        namespace = release.release_namespace or release.key.namespace
        ended = replace(ended, awaits_listing=namespace)
        intents.append(ListWorkloads(namespace, operation.id))
    intents += limit_wakes(ended, limits)
    if outcome != SUCCESS and ended.helm_ended is not None:
        intents.append(WakeAt(ended.helm_ended + limits.after_failure))
    return release.having(ended), tuple(intents)


def _next_began(release: Release, record: Record) -> datetime | None:
    """Say when the revision after a superseded one began: before that Helm was done with it."""
    if record.gone or record.status is not Status.SUPERSEDED:
        return None
    higher = [other for n, other in release.records.items() if n > record.revision]
    return min(higher, key=lambda other: other.revision).created if higher else None


def _end_time(release: Release, operation: Operation, record: Record) -> datetime:
    """Date the end of Helm's part: as watched, else as the records tell, to a second."""
    if record.origin is Origin.WATCHED or record.gone:
        return record.seen
    if record.status is not Status.SUPERSEDED:
        return min(record.written, record.seen)
    # Its last write is a later operation's. But it superseded another one itself.
    born = operation.record.created
    superseded = [
        other.written
        for n, other in release.records.items()
        if n < record.revision and other.status is Status.SUPERSEDED and other.written >= born
    ]
    if superseded:
        return min(superseded)
    return max([run.ended for run in operation.hooks if run.ended], default=operation.started)
