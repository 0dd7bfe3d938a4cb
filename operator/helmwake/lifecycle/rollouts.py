"""How far a rollout is, and how it ended."""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.intents import WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, Rollout
from helmwake.lifecycle.outcome import SUCCESS, ErrorType, Outcome, Result

SERVER_TICK: Final = timedelta(seconds=1)  # the server's times are whole seconds
MAX_QUOTED_CHARACTERS: Final = 160


def judge(rollout: Rollout, workload: Workload) -> Rollout:
    """Say how far the rollout is, as `kubectl rollout status` does.

    Source: kubernetes/kubectl, pkg/polymorphichelpers/rollout_status.go.
    """
    if rollout.uid != workload.uid or rollout.template != workload.template:
        return rollout
    rollout = replace(rollout, keptn=workload.keptn, names=workload.names)
    # Until the controller has seen the change, its status speaks of the rollout before.
    if not rollout.running or workload.observed_generation < workload.generation:
        return rollout
    rollout = replace(
        rollout,
        wanted=workload.wanted,
        updated=workload.updated,
        available=workload.available,
        old=max(workload.replicas - workload.updated, 0),
        cause=_cause(workload),
    )
    if workload.wanted == 0 or workload.paused:
        why = "it is paused" if workload.paused else "it is scaled to zero"
        return _end(rollout, _end_time(workload), Outcome(result=Result.SKIP, message=why))
    if _deadline_exceeded(workload):
        return _end(
            rollout,
            _end_time(workload),
            rollout.cause
            or Outcome(
                result=Result.FAILURE,
                error=ErrorType.PROGRESS_DEADLINE_EXCEEDED,
                message=f"{rollout.key} made no progress before its deadline: {counts(rollout)}",
            ),
        )
    done = (
        workload.updated >= workload.wanted
        and workload.replicas <= workload.updated
        and (workload.available >= workload.updated or _was_complete(rollout, workload))
    )
    return _end(rollout, _end_time(workload), SUCCESS) if done else rollout


def overdue(rollout: Rollout, operation: Operation, now: datetime, limits: Limits) -> Rollout:
    """End a rollout that nothing else ends: Helm gave up on it, or it is too old."""
    if not rollout.running:
        return rollout
    if operation.helm_ended is not None and operation.helm_outcome != SUCCESS:
        if rollout.cause is not None:
            return _end(rollout, max(now, operation.helm_ended), rollout.cause)
        closing = operation.helm_ended + limits.after_failure
        if now >= closing:
            return _end(rollout, closing, _timed_out(rollout, "when Helm had given up"))
    too_old = _limit(rollout, operation, limits)
    if too_old is not None and now >= too_old:
        minutes = limits.rollout / timedelta(minutes=1)
        return _end(
            rollout,
            too_old,
            rollout.cause or _timed_out(rollout, f"after {minutes:g} minutes"),
        )
    return rollout


def limit_wakes(operation: Operation, limits: Limits) -> tuple[WakeAt, ...]:
    """Ask to be woken when a rollout of the operation is too old."""
    times = [
        _limit(rollout, operation, limits) for rollout in operation.rollouts if rollout.running
    ]
    return tuple(WakeAt(time) for time in times if time is not None)


def _limit(rollout: Rollout, operation: Operation, limits: Limits) -> datetime | None:
    """Say until when it may go on; `None`: Helm is at work, and has a deadline of its own."""
    if operation.helm_ended is None:
        return None
    return rollout.started + limits.rollout


def superseded(rollout: Rollout, workload: Workload) -> Rollout:
    same = rollout.uid == workload.uid and rollout.template == workload.template
    if rollout.key != workload.key or same or not rollout.running:
        return rollout
    return _end(
        rollout,
        workload.seen,
        Outcome(
            result=Result.CANCELLATION,
            error=ErrorType.CANCELLED,
            message=f"a newer pod template of {rollout.key} took its place",
        ),
    )


def missing(operation: Operation, namespace: str, uids: Container[str], at: datetime) -> Operation:
    """End the rollouts of workloads that a complete list no longer has."""
    rollouts = tuple(
        deleted(rollout, at=at)
        if rollout.key.namespace == namespace and rollout.uid not in uids
        else rollout
        for rollout in operation.rollouts
    )
    return replace(operation, rollouts=rollouts)


def deleted(rollout: Rollout, *, at: datetime) -> Rollout:
    if not rollout.running:
        return rollout
    return _end(
        rollout,
        at,
        rollout.cause
        or Outcome(
            result=Result.CANCELLATION,
            error=ErrorType.CANCELLED,
            message=f"{rollout.key} was deleted before its rollout was complete",
        ),
    )


def _end(rollout: Rollout, at: datetime, outcome: Outcome) -> Rollout:
    return replace(rollout, ended=max(at, rollout.started), outcome=outcome)


def _end_time(workload: Workload) -> datetime:
    """Date the end: as it was watched, else as the controller says, to a second."""
    condition = workload.progressing
    if workload.origin is Origin.WATCHED or condition is None or condition.updated is None:
        return workload.seen
    return min(condition.updated, workload.seen)


def _deadline_exceeded(workload: Workload) -> bool:
    condition = workload.progressing
    return condition is not None and condition.reason == "ProgressDeadlineExceeded"


def _was_complete(rollout: Rollout, workload: Workload) -> bool:
    """Tell whether it was complete once, though pods became unavailable since.

    Source: kubernetes/kubernetes, pkg/controller/deployment/progress.go, syncRolloutStatus.
    """
    condition = workload.progressing
    return (
        condition is not None
        and condition.reason == "NewReplicaSetAvailable"
        and condition.updated is not None
        # The reason may still be the last rollout's.
        and condition.updated >= rollout.started - SERVER_TICK
    )


def _cause(workload: Workload) -> Outcome | None:
    failure = workload.replica_failure
    if failure is None or not failure.true:
        return None
    return Outcome(
        result=Result.FAILURE,
        error=ErrorType.FAILED_CREATE,
        message=f"pods of {workload.key} cannot be created: "
        f"{failure.message[:MAX_QUOTED_CHARACTERS]}",
    )


def _timed_out(rollout: Rollout, when: str) -> Outcome:
    return Outcome(
        result=Result.TIMEOUT,
        error=ErrorType.TIMEOUT,
        message=f"{rollout.key} was not ready {when}: {counts(rollout)}",
    )


def counts(rollout: Rollout) -> str:
    """Say how far a rollout is, by what `kubectl rollout status` would be waiting for."""
    if rollout.updated < rollout.wanted:
        return f"{rollout.updated} of {rollout.wanted} replicas updated"
    if rollout.available < rollout.wanted or not rollout.old:
        return f"{rollout.available} of {rollout.wanted} replicas available"
    return f"{rollout.old} old replica{'s' if rollout.old > 1 else ''} not replaced yet"


def end_all(operation: Operation, at: datetime) -> Operation:
    """End what still rolls out in a namespace that is gone."""
    rollouts = tuple(deleted(rollout, at=at) for rollout in operation.rollouts)
    return replace(operation, rollouts=rollouts)
