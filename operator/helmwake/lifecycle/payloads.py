"""What a record's payload adds: better times, the chart, hook runs, tests, the reason."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.descriptions import FAILED as FAILED_TEXT
from helmwake.facts.helm import Record, Status
from helmwake.facts.payload import Payload
from helmwake.facts.versions import is_newer
from helmwake.lifecycle.beginning import begin
from helmwake.lifecycle.changes import claim_changes
from helmwake.lifecycle.ending import FAILED, end_helm
from helmwake.lifecycle.facts import PayloadFetched
from helmwake.lifecycle.helm_tests import on_test_hooks
from helmwake.lifecycle.hooks import CLOCKS_AGREE, account, hook_run
from helmwake.lifecycle.intents import Announce, Intent, ListWorkloads
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import HookRunState, Operation, OperationId, OperationKind
from helmwake.lifecycle.outcome import SUCCESS, UNKNOWN, Outcome, abandoned, classify_failure
from helmwake.lifecycle.rollouts import limit_wakes
from helmwake.lifecycle.state import Release, Step

# What Helm writes when it creates a record; success texts may be the user's own.
# Source: helm/helm, pkg/action/{install,upgrade}.go.
UNFINISHED: Final = ("Initial install underway", "Preparing upgrade")
EVENTS: Final = {
    OperationKind.INSTALL: ("pre-install", "post-install"),
    OperationKind.UPGRADE: ("pre-upgrade", "post-upgrade"),
    OperationKind.ROLLBACK: ("pre-rollback", "post-rollback"),
    OperationKind.UNINSTALL: ("pre-delete", "post-delete"),
}


def on_payload(release: Release, fetched: PayloadFetched, limits: Limits) -> Step:
    """Take a payload, or learn that it is gone."""
    payload, uid = fetched.payload, fetched.ref.uid
    intents: tuple[Intent, ...] = ()
    if payload is not None and payload.namespace != release.key.namespace:
        release, more = _elsewhere(release, payload.namespace)
        intents += more
    release, more = _sort(release, uid, payload, limits)
    intents += more
    for operation in tuple(release.operations):
        if operation.id.uid != uid:
            continue
        # The same again tells more once Helm's part has ended: it was read before that was seen.
        if payload is not None and _is_not_older(payload, operation):
            release, more = _absorb(release, operation, payload, limits)
            intents += more
        release, more = _answered(release, operation.id, fetched)
        intents += more
    if payload is not None:
        release, more = on_test_hooks(release, payload, uid, limits)
        intents += more
    return release, intents


def _is_not_older(payload: Payload, operation: Operation) -> bool:
    """Tell whether it is to be absorbed; a test's is, by the rules of tests."""
    known = operation.payload
    if operation.kind is OperationKind.TEST:
        return False
    return (
        known is None
        or payload.resource_version == known.resource_version
        or is_newer(payload.resource_version, known.resource_version)
    )


def _elsewhere(release: Release, namespace: str) -> Step:
    """Learn that the release lives in another namespace than its records (Flux)."""
    if release.release_namespace == namespace:
        return release, ()
    release = replace(release, release_namespace=namespace)
    intents: tuple[Intent, ...] = ()
    for operation in release.operations:
        if operation.awaits_listing is not None:
            release = release.having(replace(operation, awaits_listing=namespace))
            intents += (ListWorkloads(namespace, operation.id),)
    return release, intents


def _answered(release: Release, operation_id: OperationId, fetched: PayloadFetched) -> Step:
    """Note the answer. What an operation's names are is known now: it can be announced."""
    asked = next((op for op in release.operations if op.id == operation_id), None)
    if asked is None:
        return release, ()
    operation = replace(asked, announced=True)
    if operation.awaits_payload == fetched.ref.resource_version:
        operation = replace(operation, awaits_payload=None)
    intents = () if asked.announced else (Announce(operation),)
    return release.having(operation), intents


def _absorb(release: Release, operation: Operation, payload: Payload, limits: Limits) -> Step:
    if operation.kind is OperationKind.UNINSTALL:
        return _absorb_uninstall(release, operation, payload, limits)
    operation = _dated(operation, payload)
    runs = _merge(operation, payload, floor=payload.last_deployed)
    operation = replace(
        operation,
        payload=payload,
        hooks=runs,
        helm_outcome=_told(operation, payload),
    )
    shared = [
        (run.name, run.started_at)
        for run in runs
        if any(hook.tests for hook in payload.hooks if hook.name == run.name)
    ]
    # Such a hook's slot shows this run until a test replaces it: it is no test's.
    return account(release.having(operation), operation.id.uid, shared), ()


def _absorb_uninstall(
    release: Release, operation: Operation, payload: Payload, limits: Limits
) -> Step:
    """An uninstall's `info.deleted` starts it; another one means another attempt."""
    deleted = payload.deleted
    known = operation.payload.deleted if operation.payload else None
    if not operation.helm_runs and known is None and deleted is None:
        return release.having(replace(operation, payload=payload)), ()
    if deleted is None:
        return release, ()
    if known is not None and deleted > known and operation.helm_runs:
        record = operation.record
        release, intents = end_helm(
            release,
            operation,
            record,
            abandoned("another attempt to uninstall began"),
            limits,
            at=record.seen,
            payload_known=True,
        )
        operation_id = replace(operation.id, start=deleted)
        if release.begun(operation_id):
            return release, intents
        again = replace(begin(release, record, operation_id), started=record.seen)
        release, more = _absorb_uninstall(release.having(again), again, payload, limits)
        return release, intents + more
    if known is not None and deleted != known:
        return release, ()
    started = operation.started
    if operation.bounded or abs(deleted - started) <= CLOCKS_AGREE:
        started = deleted
    elif operation.record.origin is not Origin.WATCHED:
        started = min(deleted, started)
    operation = replace(operation, payload=payload, started=started)
    operation = replace(operation, hooks=_merge(operation, payload, floor=deleted))
    if operation.helm_ended is not None:
        operation = replace(operation, helm_ended=max(operation.helm_ended, started))
    return release.having(operation), ()


def _dated(operation: Operation, payload: Payload) -> Operation:
    """Refine the start by the client's clock, or learn how far that clock is off."""
    if payload.last_deployed is None:
        return operation
    offset = payload.last_deployed - operation.record.created
    if abs(offset) > CLOCKS_AGREE:
        return replace(operation, clock_offset=offset)
    started = payload.last_deployed
    if operation.helm_ended is not None:
        started = min(started, operation.helm_ended)
    return replace(operation, started=started)


def _told(operation: Operation, payload: Payload) -> Outcome | None:
    """Let the stored reason replace what the status alone said."""
    if operation.helm_outcome == FAILED and payload.status == Status.FAILED:
        return classify_failure(payload.description)
    if operation.helm_outcome == SUCCESS and operation.status is Status.SUPERSEDED:
        if payload.description in UNFINISHED:
            return abandoned("a later operation superseded it while it was pending")
        # With nothing deployed, an upgrade supersedes the failed revision before it.
        if FAILED_TEXT.match(payload.description):
            return classify_failure(payload.description)
    return operation.helm_outcome


def _merge(
    operation: Operation, payload: Payload, *, floor: datetime | None
) -> tuple[HookRunState, ...]:
    """Add the payload's hook runs to those known.

    A rollback copies its target's hooks with their old runs: what began before the
    operation is not its own. A hook with several events has one slot for all its runs.
    """
    runs = {(run.name, run.started_at): run for run in operation.hooks}
    for hook in payload.hooks:
        run = hook.last_run
        events = [event for event in EVENTS[operation.kind] if event in hook.events]
        if run is None or not events or (floor is not None and run.started_at < floor):
            continue
        started = run.started_at - operation.clock_offset
        if operation.helm_ended is not None and started > operation.helm_ended + CLOCKS_AGREE:
            continue  # the slot now holds a later run, a test's
        before = {known.started_at for known in operation.hooks if known.name == hook.name}
        nth = len({time for time in before if time < run.started_at})
        event = events[min(nth, len(events) - 1)]
        runs[hook.name, run.started_at] = hook_run(hook, run, event, operation.clock_offset)
    return tuple(sorted(runs.values(), key=lambda run: run.started_at))


def _sort(release: Release, uid: str, payload: Payload | None, limits: Limits) -> Step:
    """Say what an unsorted record was: its payload tells, or else its revision."""
    intents: tuple[Intent, ...] = ()
    for record in release.unsorted:
        if record.uid != uid:
            continue
        kept = tuple(other for other in release.unsorted if other.uid != uid)
        release = replace(release, unsorted=kept)
        operation_id = OperationId(uid=uid, kind=_kind(record, payload))
        if release.begun(operation_id):
            continue
        operation = begin(release, record, operation_id)
        if payload is not None:
            operation = _dated(operation, payload)
        release, more = end_helm(
            release.having(operation),
            operation,
            record,
            _outcome(record),
            limits,
            payload_known=True,
        )
        # What Helm changed after its end was for a later one.
        release = claim_changes(release, operation_id)
        operation = next(op for op in release.operations if op.id == operation_id)
        intents += (*more, *limit_wakes(operation, limits))
    return release, intents


def _kind(record: Record, payload: Payload | None) -> OperationKind:
    if payload is None:
        return OperationKind.INSTALL if record.revision == 1 else OperationKind.UPGRADE
    if payload.rollback_revision is not None:
        return OperationKind.ROLLBACK
    if payload.first_deployed == payload.last_deployed:
        return OperationKind.INSTALL
    # Helm 3 has no field for it, and of a failure only the text's first word is left.
    if payload.description.startswith(('Rollback "', 'Release "')):
        return OperationKind.ROLLBACK
    return OperationKind.UPGRADE


def _outcome(record: Record) -> Outcome:
    match record.status:
        case Status.DEPLOYED | Status.SUPERSEDED:
            return SUCCESS
        case Status.FAILED:
            return FAILED
        case _:
            return UNKNOWN
