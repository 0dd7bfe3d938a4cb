"""What a write to a record means: the transitions of an operation.

Source: the write sequences of helm/helm, pkg/action.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status
from helmwake.facts.versions import is_newer
from helmwake.lifecycle.beginning import begin, start, touch
from helmwake.lifecycle.ending import FAILED, end_helm
from helmwake.lifecycle.gone import on_gone, on_survivor
from helmwake.lifecycle.intents import FetchPayload, Intent
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, OperationId, OperationKind
from helmwake.lifecycle.outcome import (
    SUCCESS,
    UNDONE,
    UNKNOWN,
    abandoned,
)
from helmwake.lifecycle.state import Baseline, Release, Step

PENDING_KINDS: Final = {
    Status.PENDING_INSTALL: OperationKind.INSTALL,
    Status.PENDING_UPGRADE: OperationKind.UPGRADE,
    Status.PENDING_ROLLBACK: OperationKind.ROLLBACK,
}
# What is over in a list with such an origin became of operations that are to be told.
FILLED_IN: Final = frozenset({Origin.RELISTED, Origin.HISTORY})
# It was so before anyone looked.
NOBODY_SAW: Final = frozenset({Origin.INITIAL, Origin.HISTORY})


class At(StrEnum):
    """What Helm was doing to the record, as far as known, when the write came."""

    DEPLOYING = "deploying"
    UNINSTALLING = "uninstalling"
    REST = "rest"  # nothing, or a test, which leaves the status as it is
    UNSEEN = "unseen"  # nobody knew the record


def on_record(release: Release, record: Record, limits: Limits) -> Step:
    """Take a write to a record, or its deletion."""
    known = release.records.get(record.revision)
    intents: tuple[Intent, ...] = ()
    if record.gone:
        if known is None or known.uid != record.uid:
            return release, ()
        return on_gone(release, replace(record, status=known.status, tags=known.tags), limits)
    if known is not None and known.uid != record.uid:
        if known.driver is record.driver and not _is_newer(record, known):
            return release, ()  # it had the name before
        # The name is taken anew: the one before is gone, though nobody said so.
        gone = replace(known, gone=True, seen=record.seen, origin=Origin.RELISTED)
        release, intents = on_gone(release, gone, limits)
        known = None
    if known is not None and not _is_newer(record, known):
        return release, intents
    release, more = on_survivor(release, record, limits)
    intents += more
    if known is None:
        release, more = _outdate(release, record, limits)
        intents += more
        release = _with_baseline(release, record)
    transition = TRANSITIONS.get((_at(release, record, known), record.status), on_other)
    if record.tags.opted_out:
        for operation in release.running(record.uid):
            release = release.without(operation)  # never half
        return release.with_record(record), intents
    after, more = transition(release, record, limits)
    return after.with_record(record), intents + more


def on_pending(release: Release, record: Record, limits: Limits) -> Step:
    """Begin an install, upgrade or rollback."""
    operation_id = OperationId(uid=record.uid, kind=PENDING_KINDS[record.status])
    if release.begun(operation_id):
        return release, ()
    return _begin(release, record, operation_id, limits)


def on_progress(release: Release, record: Record, limits: Limits) -> Step:
    """Helm starts a hook of a running operation."""
    return touch(release, _running(release, record), record, limits)


def on_deployed(release: Release, record: Record, limits: Limits) -> Step:
    return end_helm(release, _running(release, record), record, SUCCESS, limits)


def on_failed(release: Release, record: Record, limits: Limits) -> Step:
    return end_helm(release, _running(release, record), record, FAILED, limits)


def on_superseded(release: Release, record: Record, limits: Limits) -> Step:
    """Its end was not seen. Only what was deployed is superseded, but for one rare error.

    A rollback whose apply fails supersedes even a pending revision: the payload's
    description still says so.
    """
    return end_helm(release, _running(release, record), record, SUCCESS, limits)


def on_uninstalling(release: Release, record: Record, limits: Limits) -> Step:
    """Begin an uninstall; whatever else ran is abandoned."""
    # A higher revision was begun after it: that ended the uninstall, not the other way round.
    others = tuple(op for op in release.operations if op.revision <= record.revision)
    why = "an uninstall began while it was pending"
    release, intents = _abandon(release, record, others, why, limits)
    operation_id = OperationId(uid=record.uid, kind=OperationKind.UNINSTALL)
    if release.begun(operation_id):
        return release, (*intents, FetchPayload(record.ref))
    release, more = _begin(release, record, operation_id, limits)
    return release, intents + more


def on_undone(release: Release, record: Record, limits: Limits) -> Step:
    """End an install that its own client takes back (`--atomic`, `--rollback-on-failure`).

    That is an operation of its own, as the rollback of a failed upgrade is. A manual
    uninstall of an install whose client died looks the same, but for the silence before it.
    """
    operation = _running(release, record)
    if operation.kind is OperationKind.INSTALL and not operation.stuck:
        release, intents = end_helm(release, operation, record, UNDONE, limits)
        release, more = on_uninstalling(release, record, limits)
        return release, intents + more
    return on_uninstalling(release, record, limits)


def on_uninstalled(release: Release, record: Record, limits: Limits) -> Step:
    """An uninstall that keeps the history is over; its start may not have been seen."""
    operation_id = OperationId(uid=record.uid, kind=OperationKind.UNINSTALL)
    intents: tuple[Intent, ...] = ()
    known = release.records.get(record.revision)
    if known is not None and known.status is Status.UNINSTALLED:
        return release, ()
    for operation in release.running(record.uid):
        if operation.kind is OperationKind.UNINSTALL:
            return end_helm(release, operation, record, SUCCESS, limits)
        release, more = end_helm(release, operation, record, UNKNOWN, limits)
        intents += more
    if release.begun(operation_id):
        return release, intents
    operation = replace(begin(release, record, operation_id), bounded=True)
    release, more = end_helm(release.having(operation), operation, record, SUCCESS, limits)
    return release, intents + more


def on_unseen(release: Release, record: Record, limits: Limits) -> Step:
    """Helm's part was over when the record was first seen: history, or lost in a gap.

    Helm creates a record as pending. One that is watched coming into being in another state
    was restored from elsewhere; what a first list shows is history.
    """
    del limits
    if record.origin not in FILLED_IN:
        return release, ()
    if not _was_told(record):
        release = replace(release, unsorted=(*release.unsorted, record))
    return release, (FetchPayload(record.ref),)


def on_unseen_uninstalling(release: Release, record: Record, limits: Limits) -> Step:
    release, intents = on_unseen(release, record, limits)
    release, more = on_uninstalling(release, record, limits)
    return release, intents + more


def on_unseen_uninstalled(release: Release, record: Record, limits: Limits) -> Step:
    release, intents = on_unseen(release, record, limits)
    if record.origin not in FILLED_IN:
        return release, intents
    release, more = on_uninstalled(release, record, limits)
    return release, intents + more


def on_rewritten(release: Release, record: Record, limits: Limits) -> Step:
    """A write that leaves a settled status as it is may be a test's: the hooks tell."""
    del limits
    latest = release.latest
    known = release.records.get(record.revision)
    if latest is None or known is None:
        return release, ()
    # After a gap, a test may hide behind whatever came after it.
    hidden = record.origin is Origin.RELISTED
    if not hidden and (record.revision < latest.revision or known.status is not record.status):
        return release, ()
    return release, (FetchPayload(record.ref),)


def on_other(release: Release, record: Record, limits: Limits) -> Step:
    """Anything else is a later operation's doing, and changes no outcome."""
    del record, limits
    return release, ()


def _is_newer(record: Record, known: Record) -> bool:
    return is_newer(record.resource_version, known.resource_version)


def _begin(release: Release, record: Record, operation_id: OperationId, limits: Limits) -> Step:
    """Enter an operation, unless a higher revision shows that it was abandoned."""
    higher = [known for n, known in release.records.items() if n > record.revision]
    if higher and record.origin in NOBODY_SAW:
        return release, ()
    release, intents = start(release, begin(release, record, operation_id), limits)
    if higher and record.origin is Origin.RELISTED:
        by = min(higher, key=lambda known: known.revision)
        begun = tuple(op for op in release.operations if op.id == operation_id)
        release, more = _abandon(release, by, begun, _outdated_by(by), limits)
        intents += more
    return release, intents


def _outdate(release: Release, record: Record, limits: Limits) -> Step:
    """A new revision: what still ran on a lower one was abandoned."""
    lower = tuple(op for op in release.operations if op.revision < record.revision)
    if record.origin in NOBODY_SAW:
        wanted = record.origin is Origin.HISTORY
        for operation in lower:  # nobody saw it run
            if operation.helm_runs and not (wanted and operation.history):
                release = release.without(operation)
        lower = tuple(op for op in lower if wanted and op.history)
    return _abandon(release, record, lower, _outdated_by(record), limits)


def _outdated_by(record: Record) -> str:
    return f"revision {record.revision} began while it was pending"


def _abandon(
    release: Release,
    record: Record,
    operations: tuple[Operation, ...],
    why: str,
    limits: Limits,
) -> Step:
    # Its own record says nothing new; only the time is the later one's.
    at = record.seen if record.origin is Origin.WATCHED else record.created
    intents: tuple[Intent, ...] = ()
    for operation in operations:
        if operation.helm_runs:
            own, payload = operation.record, operation.payload
            if record.origin is not Origin.HISTORY:  # somebody looks, and it ends now
                operation = replace(operation, history=False)  # noqa: PLW2901
            # What was read of this very version is not fetched again.
            read = payload is not None and payload.resource_version == own.resource_version
            release, more = end_helm(
                release, operation, own, abandoned(why), limits, at=at, payload_known=read
            )
            intents += more
    return release, intents


def _was_told(record: Record) -> bool:
    """Tell whether it is the later operations on it alone that may be news."""
    return record.told_until is not None and record.created < record.told_until


def _with_baseline(release: Release, record: Record) -> Release:
    latest = release.latest
    if record.told_until is not None and _was_told(record):
        return replace(release, baseline=Baseline(uid=record.uid, written=record.told_until))
    if record.origin in FILLED_IN or (latest and latest.revision > record.revision):
        return release
    if record.status.pending:
        return release
    return replace(release, baseline=Baseline(uid=record.uid, written=record.written))


def _at(release: Release, record: Record, known: Record | None) -> At:
    for operation in release.running(record.uid):
        if operation.kind.deploys:
            return At.DEPLOYING
        if operation.kind is OperationKind.UNINSTALL:
            return At.UNINSTALLING
    return At.UNSEEN if known is None else At.REST


def _running(release: Release, record: Record) -> Operation:
    return next(op for op in release.running(record.uid) if op.kind is not OperationKind.TEST)


Transition = Callable[[Release, Record, Limits], Step]

# (what Helm was doing, the status it writes); a missing pair changes nothing.
TRANSITIONS: Final[Mapping[tuple[At, Status], Transition]] = {
    (At.UNSEEN, Status.PENDING_INSTALL): on_pending,
    (At.UNSEEN, Status.PENDING_UPGRADE): on_pending,
    (At.UNSEEN, Status.PENDING_ROLLBACK): on_pending,
    (At.UNSEEN, Status.DEPLOYED): on_unseen,
    (At.UNSEEN, Status.FAILED): on_unseen,
    (At.UNSEEN, Status.SUPERSEDED): on_unseen,
    (At.UNSEEN, Status.UNINSTALLING): on_unseen_uninstalling,
    (At.UNSEEN, Status.UNINSTALLED): on_unseen_uninstalled,
    (At.DEPLOYING, Status.PENDING_INSTALL): on_progress,
    (At.DEPLOYING, Status.PENDING_UPGRADE): on_progress,
    (At.DEPLOYING, Status.PENDING_ROLLBACK): on_progress,
    (At.DEPLOYING, Status.DEPLOYED): on_deployed,
    (At.DEPLOYING, Status.FAILED): on_failed,
    (At.DEPLOYING, Status.SUPERSEDED): on_superseded,
    (At.DEPLOYING, Status.UNINSTALLING): on_undone,
    (At.DEPLOYING, Status.UNINSTALLED): on_uninstalled,
    (At.UNINSTALLING, Status.UNINSTALLING): on_progress,
    (At.UNINSTALLING, Status.UNINSTALLED): on_uninstalled,
    (At.REST, Status.DEPLOYED): on_rewritten,
    (At.REST, Status.FAILED): on_rewritten,
    (At.REST, Status.SUPERSEDED): on_rewritten,
    (At.REST, Status.UNINSTALLING): on_uninstalling,
    (At.REST, Status.UNINSTALLED): on_uninstalled,
}
