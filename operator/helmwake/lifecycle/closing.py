"""When an operation is final, and how the whole of it ended."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.namespaces import Namespace
from helmwake.lifecycle.hooks import close_hook
from helmwake.lifecycle.intents import Deliver, Intent
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import (
    DEADLINE_PASSED,
    SUCCESS,
    UNDONE,
    UNKNOWN,
    ErrorType,
    Outcome,
    Result,
    most_specific,
)
from helmwake.lifecycle.rollouts import counts, end_all, overdue
from helmwake.lifecycle.state import MAX_SETTLED, Release, Step

# A deleted namespace's objects were deleted before it, but may be told after it.
LAST_WORDS: Final = timedelta(seconds=5)


def settle(release: Release, now: datetime, limits: Limits) -> Step:
    """Let time pass: mark what is stuck, end what is overdue, deliver what is final."""
    intents: list[Intent] = []
    for known in release.operations:
        operation = orphan(known, now) if _bereft(release.namespace, known, now) else known
        if operation.helm_runs:
            silent = now - operation.last_write >= limits.stuck_after
            operation = replace(operation, stuck=silent)
        rollouts = operation.rollouts
        if operation.awaits_listing is None:  # after a gap, they may have ended in time
            rollouts = tuple(overdue(rollout, operation, now, limits) for rollout in rollouts)
        if rollouts != operation.rollouts:
            operation = replace(operation, rollouts=rollouts)
        if not final(operation):
            if operation != known:
                release = release.having(operation)
            continue
        operation = close(operation)
        release = _settled(release.without(operation), operation)
        intents.append(Deliver(operation))
    return release, tuple(intents)


def final(operation: Operation) -> bool:
    """Helm's part has ended, all that was asked for has come, and each rollout is over."""
    return (
        not operation.helm_runs
        and operation.awaits_listing is None
        and operation.awaits_payload is None
        and not operation.awaits_past
        and not any(rollout.running for rollout in operation.rollouts)
    )


def _bereft(namespace: Namespace | None, operation: Operation, now: datetime) -> bool:
    """Tell whether its namespace is gone, and not one of that name from before it."""
    return (
        namespace is not None
        and namespace.gone
        and operation.record.created <= namespace.seen
        and now >= namespace.seen + LAST_WORDS
    )


def orphan(operation: Operation, now: datetime) -> Operation:
    """End an operation whose namespace is gone: nothing more will be told of it."""
    if operation.helm_runs:
        operation = replace(operation, helm_ended=now, helm_outcome=UNKNOWN, stuck=False)
    operation = replace(operation, awaits_listing=None, awaits_payload=None, awaits_past=False)
    return end_all(operation, now)


def close(operation: Operation) -> Operation:
    """Give the operation its end and its outcome, which are final."""
    helm_ended = operation.helm_ended or operation.started
    hooks = tuple(close_hook(run, operation, helm_ended) for run in operation.hooks)
    operation = replace(operation, hooks=hooks)
    ends = [helm_ended, *(rollout.ended or helm_ended for rollout in operation.rollouts)]
    return replace(operation, ended=max(ends), outcome=overall(operation))


def overall(operation: Operation) -> Outcome:
    """Join Helm's outcome with what was found below it.

    Helm's `failed` stays one whatever a rollout does later, and its `deployed` with a failed
    rollout is a failure. The cause is the most specific one found.
    """
    own = _explained(operation.helm_outcome or SUCCESS, operation)
    below = [rollout.outcome for rollout in operation.rollouts if rollout.outcome]
    below += [run.outcome for run in operation.hooks if run.outcome]
    bad = [outcome for outcome in below if outcome.bad]
    if own.result is Result.SUCCESS:
        # A hook that failed without failing its operation was deliberately ignored.
        failed = [
            rollout.outcome
            for rollout in operation.rollouts
            if rollout.outcome and rollout.outcome.bad
        ]
        return most_specific(failed) or SUCCESS
    if own.error is not ErrorType.TIMEOUT:
        # What was not ready when Helm had given up for another reason is no cause of that.
        bad = [outcome for outcome in bad if outcome.error is not ErrorType.TIMEOUT]
    if own.result in {Result.FAILURE, Result.TIMEOUT}:
        # The hook itself has a name; Helm's text tells its event at best.
        found = [*bad, own] if own.error is ErrorType.HOOK_FAILED else [own, *bad]
        cause = most_specific(found)
        if cause is not None:
            return replace(own, error=cause.error, message=cause.message or own.message)
    return own


def _explained(own: Outcome, operation: Operation) -> Outcome:
    """Say what Helm was waiting for when it gave up: at best Helm 4 stores it."""
    if operation.helm_ended is None or (own.error is not ErrorType.TIMEOUT and own != UNDONE):
        return own
    gave_up = own.message if own == UNDONE else DEADLINE_PASSED
    for rollout in operation.rollouts:
        if rollout.ended is None or rollout.ended > operation.helm_ended:
            words = f"{gave_up} while {rollout.key} was not ready: {counts(rollout)}"
            return replace(own, message=words)
    return own


def _settled(release: Release, operation: Operation) -> Release:
    previous = release.previous
    if previous is None or previous.started <= operation.started:
        previous = operation.as_predecessor()
    settled = (*release.settled, operation.id)[-MAX_SETTLED:]
    return replace(release, settled=settled, previous=previous)
