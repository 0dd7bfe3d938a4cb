"""How an operation begins, and what it inherits."""

from dataclasses import replace
from datetime import datetime

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.lifecycle.changes import claim_changes
from helmwake.lifecycle.intents import FetchPayload, WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, OperationId, OperationKind
from helmwake.lifecycle.state import Past, Release, Step


def begin(release: Release, record: Record, operation_id: OperationId) -> Operation:
    """Make the operation as the record shows it; nothing is asked for yet.

    Labels are inherited from the revision before, so a caller's `traceparent` that was
    there already is stale, and a context that was there may be an older delivery's.
    """
    kind = operation_id.kind
    before = release.before(record) if kind is OperationKind.UPGRADE else None
    # A rollback has its target's labels; a test and an uninstall their revision's.
    carried = kind not in {OperationKind.INSTALL, OperationKind.UPGRADE}
    context = record.tags.keptn.context
    # A first revision has nothing before it, as far as its release goes.
    had_any = kind is not OperationKind.INSTALL or record.revision > 1
    previous = release.predecessor if had_any else None
    return Operation(
        id=operation_id,
        release=record.release,
        revision=record.revision,
        record=record,
        # A revision is born with its operation; a test or uninstall only writes to it.
        started=record.created if kind.deploys else _write_time(record),
        last_write=record.seen,
        tags=record.tags,
        inherited_context=context is not None
        and (carried or (before is not None and before.tags.keptn.context == context)),
        stale_parent=carried
        or (before is not None and before.tags.traceparent == record.tags.traceparent),
        namespace=release.context,
        status=record.status,
        previous=previous,
        # Of a release that was restored, what ended before is not known yet.
        awaits_past=had_any
        and (release.past is Past.ASKED or (release.past is Past.UNASKED and previous is None)),
        history=record.origin is Origin.HISTORY,
    )


def start(release: Release, operation: Operation, limits: Limits) -> Step:
    """Enter a running operation: its payload is wanted, and its rollouts may be there."""
    release = claim_changes(release.having(operation), operation.id)
    return release, (
        FetchPayload(operation.record.ref),
        WakeAt(operation.last_write + limits.stuck_after),
    )


def touch(release: Release, operation: Operation, record: Record, limits: Limits) -> Step:
    """Note another write of Helm's: it is alive, and the payload says what it does."""
    touched = replace(
        operation, record=record, status=record.status, last_write=record.seen, stuck=False
    )
    release = release.having(touched)
    return release, (
        FetchPayload(record.ref),
        WakeAt(touched.last_write + limits.stuck_after),
    )


def _write_time(record: Record) -> datetime:
    return record.seen if record.origin is Origin.WATCHED else record.written
