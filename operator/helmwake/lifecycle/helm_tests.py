"""Tests: a settled revision whose test hooks ran again."""

from dataclasses import replace
from datetime import datetime, timedelta

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.payload import Hook, HookPhase, HookRun, Payload
from helmwake.facts.versions import is_newer
from helmwake.lifecycle.beginning import begin
from helmwake.lifecycle.ending import end_helm
from helmwake.lifecycle.hooks import CLOCKS_AGREE, account, hook_run
from helmwake.lifecycle.intents import Announce, Intent, WakeAt
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import HookRunState, Operation, OperationId, OperationKind
from helmwake.lifecycle.outcome import SUCCESS, ErrorType, Outcome, Result, abandoned
from helmwake.lifecycle.state import Release, Step


def on_test_hooks(release: Release, payload: Payload, uid: str, limits: Limits) -> Step:
    """Begin, follow or end a test of a settled revision, as its hooks' last runs tell."""
    record = _tested(release, uid)
    if record is None:
        return release, ()
    # The record that was restored may be older than what is read of it now.
    newer = is_newer(payload.resource_version, record.resource_version)
    seen = payload.seen if newer else record.seen
    runs = _runs(payload)
    fresh = fresh_runs(release, payload, uid)
    release = account(release, uid, [(hook.name, run.started_at) for hook, run in fresh])
    running = next((op for op in release.running(uid) if op.kind is OperationKind.TEST), None)
    intents: tuple[Intent, ...] = ()
    if running is not None and _again(running, runs, fresh):
        release, intents = end_helm(
            release,
            running,
            record,
            abandoned("another test began while it ran"),
            limits,
            payload_known=True,
        )
        running = None
    if running is None:
        if not fresh:
            return release, intents
        started_at = min(run.started_at for _, run in fresh)
        operation_id = OperationId(uid=uid, kind=OperationKind.TEST, start=started_at)
        if release.begun(operation_id):
            return release, intents
        offset = _offset(record, fresh)
        running = replace(
            begin(release, record, operation_id),
            started=min(started_at - offset, seen),
            clock_offset=offset,
            announced=True,
        )
        intents += (Announce(running), WakeAt(seen + limits.stuck_after))
    running = replace(running, payload=payload, last_write=seen, stuck=False)
    running = replace(running, hooks=_merged(running, runs))
    release = release.having(running)
    if any(run.phase is HookPhase.RUNNING for run in running.hooks):
        release, more = _outdate(release, running, record, limits)
        return release, intents + more
    at = _end_time(running, record, payload)
    release, more = end_helm(
        release, running, record, _outcome(running), limits, at=at, payload_known=True
    )
    return release, intents + more


def _outdate(release: Release, running: Operation, record: Record, limits: Limits) -> Step:
    """End a test that was found when a higher revision was there already."""
    higher = [known for n, known in release.records.items() if n > record.revision]
    if not higher:
        return release, ()
    by = min(higher, key=lambda known: known.revision)
    outcome = abandoned(f"revision {by.revision} began while it ran")
    return end_helm(release, running, record, outcome, limits, at=by.created, payload_known=True)


def fresh_runs(release: Release, payload: Payload, uid: str) -> list[tuple[Hook, HookRun]]:
    """Return the runs that no operation has yet, and that are news."""
    if _tested(release, uid) is None:
        return []
    known = {(run.hook, run.started_at) for run in release.test_runs if run.uid == uid}
    baseline = release.baseline
    since = baseline.written if baseline and baseline.uid == uid else None
    return [
        (hook, run)
        for hook, run in _runs(payload)
        if (hook.name, run.started_at) not in known
        # What ended before anyone looked is history.
        and (since is None or run.phase is HookPhase.RUNNING or run.started_at >= since)
    ]


def _tested(release: Release, uid: str) -> Record | None:
    """Return the record if a test of it may run, and is to be told."""
    record = next((known for known in release.records.values() if known.uid == uid), None)
    if record is None or record.tags.opted_out:
        return None
    return None if record.status.pending else record


def _runs(payload: Payload) -> list[tuple[Hook, HookRun]]:
    """Return the test hooks' runs that are this revision's."""
    deployed, deleted = payload.last_deployed, payload.deleted
    return [
        (hook, run)
        for hook in payload.hooks
        if hook.tests
        and (run := hook.last_run) is not None
        and (deployed is None or run.started_at >= deployed)
        # After a gap, a test may hide behind an uninstall, which may run its hook too.
        and (deleted is None or run.started_at < deleted)
    ]


def _again(
    running: Operation, runs: list[tuple[Hook, HookRun]], fresh: list[tuple[Hook, HookRun]]
) -> bool:
    """Tell another test from the running one's next hook.

    One test runs each hook once, and one after another: when a hook starts, the one before
    has ended, and is stored so, unless its client died.
    """
    ran = {run.name for run in running.hooks}
    if any(hook.name in ran for hook, _ in fresh):
        return True
    known = [run for run in _merged(running, runs) if run.name in ran]
    return bool(fresh) and any(run.phase is HookPhase.RUNNING for run in known)


def _merged(running: Operation, runs: list[tuple[Hook, HookRun]]) -> tuple[HookRunState, ...]:
    merged = {(run.name, run.started_at): run for run in running.hooks}
    begun = running.id.start
    for hook, run in runs:
        if begun is not None and run.started_at >= begun:
            merged[hook.name, run.started_at] = hook_run(hook, run, "test", running.clock_offset)
    return tuple(sorted(merged.values(), key=lambda run: run.started_at))


def _offset(record: Record, fresh: list[tuple[Hook, HookRun]]) -> timedelta:
    """Learn how far the client's clock is off: a hook that starts has just been written."""
    for _, run in fresh:
        offset = run.started_at - record.written
        if run.phase is HookPhase.RUNNING and abs(offset) > CLOCKS_AGREE:
            return offset
    return timedelta(0)


def _end_time(running: Operation, record: Record, payload: Payload) -> datetime:
    if record.origin is Origin.WATCHED and record.resource_version == payload.resource_version:
        return record.seen
    return max([run.ended for run in running.hooks if run.ended], default=record.seen)


def _outcome(running: Operation) -> Outcome:
    failed = [run.name for run in running.hooks if run.phase is HookPhase.FAILED]
    if failed:
        return Outcome(
            result=Result.FAILURE,
            error=ErrorType.TEST_FAILED,
            message=f"test {', '.join(failed)} failed",
        )
    if any(run.phase is HookPhase.UNKNOWN for run in running.hooks):
        return Outcome(
            result=Result.ERROR, error=ErrorType.OTHER, message="a test's result is unknown"
        )
    return SUCCESS
