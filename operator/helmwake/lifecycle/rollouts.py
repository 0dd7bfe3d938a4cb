"""Which change of a pod template belongs to which operation, and when its rollout is over."""

from collections.abc import Callable, Container
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.versions import is_newer
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.intents import Intent, WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, OperationId, Rollout
from helmwake.lifecycle.outcome import SUCCESS, ErrorType, Outcome, Result
from helmwake.lifecycle.state import MAX_CHANGES, Release, Step, TemplateChange

SERVER_TICK: Final = timedelta(seconds=1)  # the server's times are whole seconds
FRESH: Final = timedelta(seconds=2)
MAX_QUOTED_CHARACTERS: Final = 160


def on_workload(release: Release, workload: Workload, limits: Limits) -> Step:
    """Follow one workload: its template may have changed, its rollout gone on or ended."""
    known = release.workload(workload.key)
    if workload.gone:
        if known is None or known.uid != workload.uid:
            return release, ()
        kept = tuple(other for other in release.workloads if other.key != workload.key)
        return _each_rollout(
            replace(release, workloads=kept),
            lambda rollout: (
                _deleted(rollout, at=workload.seen) if rollout.uid == workload.uid else rollout
            ),
        ), ()
    same = known is not None and known.uid == workload.uid
    if known and same and not is_newer(workload.resource_version, known.resource_version):
        return release, ()
    others = tuple(other for other in release.workloads if other.key != workload.key)
    release = replace(release, workloads=(*others, workload))
    intents: tuple[Intent, ...] = ()
    if known is None or known.uid != workload.uid or known.template != workload.template:
        release = _each_rollout(release, lambda rollout: _superseded(rollout, workload))
        if _changed_by_helm(release, known, workload):
            release, intents = _attach(release, _change(workload), limits)
    return _each_rollout(release, lambda rollout: judge(rollout, workload)), intents


def claim_changes(release: Release, operation_id: OperationId) -> Release:
    """Give an operation the changes that were seen before it was."""
    operation = next(op for op in release.operations if op.id == operation_id)
    if not operation.kind.deploys:
        return release
    mine = tuple(change for change in release.changes if belongs(operation, change))
    for change in mine:
        operation = _with_rollout(operation, change)
    kept = tuple(
        change
        for change in release.changes
        if change not in mine and change.applied >= operation.record.created - SERVER_TICK
    )
    return replace(release, changes=kept).having(operation)


def belongs(operation: Operation, change: TemplateChange) -> bool:
    """Tell whether Helm applied the change between the operation's start and its end."""
    if not operation.kind.deploys or change.applied < operation.record.created:
        return False
    until = operation.applied_until
    return until is None or change.applied <= until + SERVER_TICK


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


def _attach(release: Release, change: TemplateChange, limits: Limits) -> Step:
    fitting = [op for op in release.operations if belongs(op, change)]
    if not fitting:
        return replace(release, changes=(*release.changes, change)[-MAX_CHANGES:]), ()
    # The one in which Helm is at work, else the one that ended last.
    operation = max(fitting, key=lambda op: (op.helm_runs, op.helm_ended or op.started))
    operation = _with_rollout(operation, change)
    return release.having(operation), limit_wakes(operation, limits)


def _with_rollout(operation: Operation, change: TemplateChange) -> Operation:
    rollout = change.rollout
    started = max(rollout.started, operation.started)
    if rollout.ended is not None:
        rollout = replace(rollout, ended=max(rollout.ended, started))
    rollout = replace(rollout, started=started)
    known = next((each for each in operation.rollouts if each.uid == rollout.uid), None)
    if known is not None and known.template == rollout.template:
        return operation  # seen before, by the process before this one
    # Templates may change twice in one operation: the later rollout is the one that counts.
    others = tuple(known for known in operation.rollouts if known.uid != rollout.uid)
    return replace(operation, rollouts=(*others, rollout))


def _change(workload: Workload) -> TemplateChange:
    applied = workload.applied or workload.created
    fresh = workload.seen - applied < FRESH
    return TemplateChange(
        applied=applied,
        rollout=Rollout(
            key=workload.key,
            uid=workload.uid,
            template=workload.template,
            # The server's time is a whole second: as it was watched is more exact.
            started=workload.seen if fresh else applied,
        ),
    )


def _changed_by_helm(release: Release, known: Workload | None, workload: Workload) -> bool:
    """Tell Helm's change from `kubectl edit`, `rollout restart` and the like."""
    if known is None or known.uid != workload.uid:
        return not _was_at_rest(workload) and not _was_followed(release, workload)
    if workload.applied is None:
        return False
    if known.applied is None or workload.applied > known.applied:
        return True
    # Twice within one second, and nobody after Helm.
    return workload.seen - workload.applied < FRESH and workload.written == workload.applied


def _was_at_rest(workload: Workload) -> bool:
    """Tell a workload whose last rollout was over before Helm's last write to it.

    Each change of a template renews the condition: this write changed none.
    """
    condition = workload.progressing
    return (
        workload.origin is not Origin.WATCHED
        and workload.observed_generation >= workload.generation
        and workload.applied is not None
        and condition is not None
        and condition.reason == "NewReplicaSetAvailable"
        and condition.updated is not None
        and condition.updated < workload.applied - SERVER_TICK
    )


def _was_followed(release: Release, workload: Workload) -> bool:
    """Tell a template that has its rollout, or that somebody put in the place of one.

    Where another process saw the workload before, its rollouts are all that is known of that.
    """
    rollouts = [rollout for op in release.operations for rollout in op.rollouts]
    mine = [rollout for rollout in rollouts if rollout.uid == workload.uid]
    if not mine or workload.applied is None or workload.written is None:
        return bool(mine)
    if any(rollout.template == workload.template for rollout in mine):
        return True
    applied = workload.applied
    return workload.written > applied and any(rollout.started >= applied for rollout in mine)


def _each_rollout(release: Release, follow: Callable[[Rollout], Rollout]) -> Release:
    for operation in release.operations:
        rollouts = tuple(follow(rollout) for rollout in operation.rollouts)
        if rollouts != operation.rollouts:
            release = release.having(replace(operation, rollouts=rollouts))
    if not release.changes:
        return release
    changes = tuple(replace(change, rollout=follow(change.rollout)) for change in release.changes)
    return replace(release, changes=changes)


def _superseded(rollout: Rollout, workload: Workload) -> Rollout:
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
        _deleted(rollout, at=at)
        if rollout.key.namespace == namespace and rollout.uid not in uids
        else rollout
        for rollout in operation.rollouts
    )
    return replace(operation, rollouts=rollouts)


def _deleted(rollout: Rollout, *, at: datetime) -> Rollout:
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
    rollouts = tuple(_deleted(rollout, at=at) for rollout in operation.rollouts)
    return replace(operation, rollouts=rollouts)
