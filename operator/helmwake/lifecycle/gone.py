"""What the end of a record means: an uninstall, a prune, or a loss."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status
from helmwake.lifecycle.beginning import begin
from helmwake.lifecycle.ending import end_helm
from helmwake.lifecycle.intents import Intent, WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import OperationId, OperationKind
from helmwake.lifecycle.outcome import SUCCESS, UNKNOWN
from helmwake.lifecycle.state import Release, Step

AFTER_THE_LIST: Final = timedelta(milliseconds=1)


def on_gone(release: Release, record: Record, limits: Limits) -> Step:
    """A record is deleted: by an uninstall, an undone install, a prune, or somebody."""
    release = release.without_record(record)
    settled = not record.status.pending and record.status is not Status.UNINSTALLING
    running = release.running(record.uid)
    intents: tuple[Intent, ...] = ()
    # A namespace that is deleted takes its records along.
    foul = release.terminating and (
        record.origin is Origin.WATCHED
        or (release.namespace is not None and release.namespace.gone)
    )
    for operation in running:
        done = operation.kind is OperationKind.UNINSTALL and not foul
        outcome = SUCCESS if done else UNKNOWN
        release, more = end_helm(release, operation, record, outcome, limits)
        intents += more
    for operation in release.operations:
        if operation.id.uid == record.uid and not operation.record.gone:
            # Whoever takes it up later must not find out once more.
            last = replace(operation.record, gone=True)
            release = release.having(replace(operation, record=last))
    if release.records:
        pruned = release.pruned
        if pruned is None or pruned.revision < record.revision:
            release = replace(release, pruned=record)
        return release, intents
    vanished = (
        record.origin is Origin.RELISTED
        and settled
        and record.status is not Status.UNINSTALLED
        and not record.tags.opted_out
    )
    if not vanished or any(op.kind.deploys for op in running):
        return replace(release, pruned=None), intents
    # A list tells first what is gone: what is there now comes next, and at once.
    release = replace(release, pruned=None, vanished=record)
    return release, (*intents, WakeAt(record.seen + AFTER_THE_LIST))


def conclude_vanished(release: Release, now: datetime, limits: Limits) -> Step:
    """All of a release went between two lists: an uninstall, with bounds for times."""
    record = release.vanished
    if record is None or now <= record.seen:
        return release, ()
    release = replace(release, vanished=None)
    operation_id = OperationId(uid=record.uid, kind=OperationKind.UNINSTALL)
    if release.terminating or release.begun(operation_id):
        return release, ()
    operation = replace(begin(release, record, operation_id), bounded=True)
    return end_helm(release.having(operation), operation, record, SUCCESS, limits)


def on_survivor(release: Release, record: Record, limits: Limits) -> Step:
    """Say what a record that is there tells of the one that vanished before it was seen."""
    vanished = release.vanished
    if vanished is None:
        return release, ()
    if _outlived(record, vanished):
        # Another revision is left: the others were pruned.
        return replace(release, vanished=None, pruned=vanished), ()
    return conclude_vanished(release, vanished.seen + AFTER_THE_LIST, limits)


def _outlived(record: Record, vanished: Record) -> bool:
    """Tell whether it is of the release that the vanished one was of, not of the next."""
    higher = record.revision > vanished.revision
    lower = record.revision < vanished.revision and record.created <= vanished.created
    return higher or lower
