"""Hook runs, and how each ended."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.payload import Hook, HookPhase, HookRun
from helmwake.lifecycle.operation import HookRunState, Operation, OperationKind
from helmwake.lifecycle.outcome import SUCCESS, ErrorType, Outcome, Result
from helmwake.lifecycle.state import Release, TestRun

MAX_TEST_RUNS: Final = 200
CLOCKS_AGREE: Final = timedelta(seconds=2)


def hook_run(hook: Hook, run: HookRun, event: str, offset: timedelta) -> HookRunState:
    """Make a hook run, its times moved to the server's clock."""
    started = run.started_at - offset
    over = run.phase is not HookPhase.RUNNING
    return HookRunState(
        name=hook.name,
        kind=hook.kind,
        event=event,
        weight=hook.weight,
        started_at=run.started_at,
        started=started,
        ended=max(run.completed_at - offset, started) if over and run.completed_at else None,
        phase=run.phase,
    )


def account(release: Release, uid: str, runs: Iterable[tuple[str, datetime]]) -> Release:
    """Remember test hooks' runs as some operation's: they begin no other one."""
    known = {(run.hook, run.started_at) for run in release.test_runs if run.uid == uid}
    added = tuple(
        TestRun(uid=uid, hook=hook, started_at=started_at)
        for hook, started_at in runs
        if (hook, started_at) not in known
    )
    if not added:
        return release
    return replace(release, test_runs=(*release.test_runs, *added)[-MAX_TEST_RUNS:])


def close_hook(run: HookRunState, operation: Operation, end: datetime) -> HookRunState:
    """Say how a run ended, by its phase and by what became of the operation.

    A run's completion is stored with Helm's next write only. So a hook that ended its
    operation may say `Running` for ever, and one that Helm was waiting for when it was
    interrupted says `Unknown`.
    """
    went_on = _went_on(run, operation)
    if run.phase is HookPhase.RUNNING and went_on is not None:
        return replace(run, ended=max(went_on, run.started), outcome=SUCCESS)
    ended = run.ended or max(end, run.started)
    return replace(run, ended=ended, outcome=_outcome(run, operation))


def _went_on(run: HookRunState, operation: Operation) -> datetime | None:
    """Return when Helm went on after the run, which it does only after a success."""
    after = [other.started for other in operation.hooks if other.started > run.started]
    if run.event.startswith("pre-"):
        after += [rollout.started for rollout in operation.rollouts]
    return min(after, default=None)


# What it means for a hook that never reported an end.
UNFINISHED: Final = {
    Result.TIMEOUT: "was not done before Helm's deadline",
    Result.CANCELLATION: "was interrupted",
    Result.ERROR: "was left running",
}


def _outcome(run: HookRunState, operation: Operation) -> Outcome:
    own = operation.helm_outcome or SUCCESS
    if run.phase is HookPhase.SUCCEEDED:
        return SUCCESS
    if run.phase is HookPhase.RUNNING and own.result is Result.SUCCESS:
        # Only an uninstall leaves no trace of its last hook's end. A failure of it changes
        # nothing that is stored: like the uninstall itself it counts as done.
        return SUCCESS
    cut_short = own.result is Result.TIMEOUT or run.phase is not HookPhase.FAILED
    words = UNFINISHED.get(own.result)
    if words is not None and cut_short:
        return Outcome(result=own.result, error=own.error, message=f"{_name(run)} {words}")
    # Hooks run one after another: Helm failed while it waited for this one.
    if run.phase is HookPhase.FAILED or own.result is Result.FAILURE:
        return _failed(run, operation)
    return Outcome(
        result=Result.ERROR, error=ErrorType.OTHER, message=f"{_name(run)}: outcome unknown"
    )


def _failed(run: HookRunState, operation: Operation) -> Outcome:
    test = operation.kind is OperationKind.TEST
    return Outcome(
        result=Result.FAILURE,
        error=ErrorType.TEST_FAILED if test else ErrorType.HOOK_FAILED,
        message=f"{_name(run)} failed",
    )


def _name(run: HookRunState) -> str:
    return f"{run.event} hook {run.kind.lower()}/{run.name}"
