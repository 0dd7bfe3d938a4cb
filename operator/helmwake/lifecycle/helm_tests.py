"""Tests: a settled revision whose test hooks ran again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

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

Run = tuple[Hook, HookRun]
UNSEEN: Final = Outcome(
    result=Result.ERROR,
    error=ErrorType.OTHER,
    message="another test ran before its end was seen: outcome unknown",
)


def on_test_hooks(release: Release, payload: Payload, uid: str, limits: Limits) -> Step:
    """Begin, follow or end a test of a settled revision, as its hooks' last runs tell."""
    record = _tested(release, uid)
    if record is None:
        return release, ()
    runs = _runs(payload)
    fresh = fresh_runs(release, payload, uid)
    release = account(release, uid, [(hook.name, run.started_at) for hook, run in fresh])
    running = next((op for op in release.running(uid) if op.kind is OperationKind.TEST), None)
    intents: tuple[Intent, ...] = ()
    for one in _each_test(fresh):
        if running is not None and not _goes_on(running, one[0], runs):
            running = _updated(running, runs)
            release, more = _overtaken(release.having(running), running, record, payload, limits)
            intents += more
            running = None
        if running is None:
            running = _begun(release, record, payload, one)
            if running is None:
                continue
            intents += (Announce(running), WakeAt(running.last_write + limits.stuck_after))
        running = _having(running, one)
        release = release.having(running)
    if running is None:
        return release, intents
    seen = _seen(record, payload)
    running = replace(_updated(running, runs), payload=payload, last_write=seen, stuck=False)
    release = release.having(running)
    if _last_runs(running):
        release, more = _outdate(release, running, record, limits)
        return release, intents + more
    at = _end_time(running, record, payload)
    release, more = end_helm(
        release, running, record, _outcome(running), limits, at=at, payload_known=True
    )
    return release, intents + more


def _seen(record: Record, payload: Payload) -> datetime:
    """Say when the payload's state was seen: a restored record may be older than that."""
    newer = is_newer(payload.resource_version, record.resource_version)
    return payload.seen if newer else record.seen


def _begun(
    release: Release, record: Record, payload: Payload, runs: list[Run]
) -> Operation | None:
    """Make the operation of a test's first known runs; `None` where it was begun before."""
    started_at = runs[0][1].started_at
    operation_id = OperationId(uid=record.uid, kind=OperationKind.TEST, start=started_at)
    if release.begun(operation_id):
        return None
    seen, offset = _seen(record, payload), _offset(record, payload, runs)
    return replace(
        begin(release, record, operation_id),
        payload=payload,
        started=min(started_at - offset, seen),
        last_write=seen,
        clock_offset=offset,
        announced=True,
    )


def _overtaken(
    release: Release, running: Operation, record: Record, payload: Payload, limits: Limits
) -> Step:
    """End a test after which another one was found."""
    if not _last_runs(running):
        outcome, at = _outcome(running), _end_time(running, record, payload)
        return end_helm(release, running, record, outcome, limits, at=at, payload_known=True)
    watched = (
        record.origin is Origin.WATCHED and record.resource_version == payload.resource_version
    )
    outcome = abandoned("another test began while it ran") if watched else UNSEEN
    return end_helm(release, running, record, outcome, limits, payload_known=True)


def _outdate(release: Release, running: Operation, record: Record, limits: Limits) -> Step:
    """End a test that was found when a higher revision was there already."""
    higher = [known for n, known in release.records.items() if n > record.revision]
    if not higher:
        return release, ()
    by = min(higher, key=lambda known: known.revision)
    outcome = abandoned(f"revision {by.revision} began while it ran")
    return end_helm(release, running, record, outcome, limits, at=by.created, payload_known=True)


def fresh_runs(release: Release, payload: Payload, uid: str) -> list[Run]:
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


def _runs(payload: Payload) -> list[Run]:
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


def _each_test(runs: list[Run]) -> list[list[Run]]:
    """Part runs by the test they belong to.

    One test runs its hooks one after another, by weight and name: what ran after a hook that
    comes later in that order is another test's.

    Source: helm/helm, pkg/action/hooks.go, execHook and hookByWeight.
    """
    tests: list[list[Run]] = []
    for hook, run in sorted(runs, key=lambda each: each[1].started_at):
        if tests and _place(tests[-1][-1][0]) < _place(hook):
            tests[-1].append((hook, run))
        else:
            tests.append([(hook, run)])
    return tests


def _place(hook: Hook | HookRunState) -> tuple[int, str]:
    return (hook.weight, hook.name)


def _goes_on(running: Operation, following: Run, runs: list[Run]) -> bool:
    """Tell the running test's next hook from another test's first.

    When a hook starts, the one before has ended, and is stored so, unless its client died.
    """
    last = _updated(running, runs).hooks[-1]
    shown = any(_is(last, each) and each[1].phase is HookPhase.RUNNING for each in runs)
    return _place(last) < _place(following[0]) and not shown


def _is(known: HookRunState, run: Run) -> bool:
    return (known.name, known.started_at) == (run[0].name, run[1].started_at)


def _updated(running: Operation, runs: list[Run]) -> Operation:
    """Take what is new of the runs that are known."""
    known = [each for each in runs if any(_is(run, each) for run in running.hooks)]
    return _having(running, known)


def _having(running: Operation, runs: list[Run]) -> Operation:
    merged = {(run.name, run.started_at): run for run in running.hooks}
    for hook, run in runs:
        merged[hook.name, run.started_at] = hook_run(hook, run, "test", running.clock_offset)
    hooks = tuple(sorted(merged.values(), key=lambda run: run.started_at))
    return replace(running, hooks=hooks)


def _last_runs(running: Operation) -> bool:
    """Tell whether its last hook does: the ones before have ended, or it had not begun."""
    return running.hooks[-1].phase is HookPhase.RUNNING


def _offset(record: Record, payload: Payload, runs: list[Run]) -> timedelta:
    """Learn how far the client's clock is off: a hook that starts has just been written."""
    if record.resource_version != payload.resource_version:
        return timedelta(0)  # nobody knows when this was written
    for _, run in runs:
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
