"""Which change of a pod template belongs to which operation."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.versions import is_newer
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.intents import Intent
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, OperationId, Rollout
from helmwake.lifecycle.rollouts import SERVER_TICK, deleted, judge, limit_wakes, superseded
from helmwake.lifecycle.state import MAX_CHANGES, Release, Step, TemplateChange

FRESH: Final = timedelta(seconds=2)


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
                deleted(rollout, at=workload.seen) if rollout.uid == workload.uid else rollout
            ),
        ), ()
    same = known is not None and known.uid == workload.uid
    if known and same and not is_newer(workload.resource_version, known.resource_version):
        return release, ()
    others = tuple(other for other in release.workloads if other.key != workload.key)
    release = replace(release, workloads=(*others, workload))
    intents: tuple[Intent, ...] = ()
    if known is None or known.uid != workload.uid or known.template != workload.template:
        release = _each_rollout(release, lambda rollout: superseded(rollout, workload))
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
