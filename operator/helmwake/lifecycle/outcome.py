"""How an operation, a hook run or a rollout ended, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from helmwake.facts.descriptions import (
    CANCELED,
    DEADLINE,
    HOOK_EVENT,
    HOOKS,
    INSTALL_HOOK,
    NOT_READY,
    OBJECT,
    REASONS,
    REFUSED,
    STALLED,
    UNLOCKED,
)


class Result(StrEnum):
    """How it ended. Source: semantic conventions, cicd.pipeline.result."""

    SUCCESS = "success"
    FAILURE = "failure"  # a workload, hook or test at fault
    TIMEOUT = "timeout"  # a deadline cut it short
    ERROR = "error"  # the client died, or nobody knows
    CANCELLATION = "cancellation"
    SKIP = "skip"  # nothing was to do


class ErrorType(StrEnum):
    """Why: a closed set, the most specific first."""

    IMAGE_PULL_FAILED = "image_pull_failed"
    OOM_KILLED = "oom_killed"
    CREATE_CONTAINER_CONFIG_ERROR = "create_container_config_error"
    CRASH_LOOP_BACK_OFF = "crash_loop_back_off"
    FAILED_SCHEDULING = "failed_scheduling"
    FAILED_CREATE = "failed_create"
    TEST_FAILED = "test_failed"
    HOOK_FAILED = "hook_failed"
    PROGRESS_DEADLINE_EXCEEDED = "progress_deadline_exceeded"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    OTHER = "_OTHER"


SPECIFICITY: Final = tuple(ErrorType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Final once set. `message` says in words a person can act on what `error` does not."""

    result: Result
    error: ErrorType | None = None
    message: str = ""

    @property
    def bad(self) -> bool:
        return self.result in {Result.FAILURE, Result.TIMEOUT, Result.ERROR}


SUCCESS: Final = Outcome(result=Result.SUCCESS)
UNKNOWN: Final = Outcome(
    result=Result.ERROR, error=ErrorType.OTHER, message="its record went away: outcome unknown"
)
UNDONE: Final = Outcome(
    result=Result.FAILURE,
    error=ErrorType.OTHER,
    message="the install failed and was taken back",
)


def abandoned(message: str) -> Outcome:
    return Outcome(result=Result.ERROR, error=ErrorType.ABANDONED, message=message)


DEADLINE_PASSED: Final = "Helm's deadline passed"

# What Helm's failure texts mean, the first match first. Helm's own text is never quoted
# whole: an apply error may quote a value of the manifest.
# Source: helm/helm, pkg/action/{install,upgrade,rollback,hooks}.go; pkg/kube/wait.go.
CAUSES: Final = (
    (
        UNLOCKED,
        Result.ERROR,
        ErrorType.ABANDONED,
        "its client died, and Flux unlocked the release",
    ),
    (DEADLINE, Result.TIMEOUT, ErrorType.TIMEOUT, DEADLINE_PASSED),
    (CANCELED, Result.CANCELLATION, ErrorType.CANCELLED, "its client was interrupted"),
    (HOOK_EVENT, Result.FAILURE, ErrorType.HOOK_FAILED, "a {event} hook failed"),
    (INSTALL_HOOK, Result.FAILURE, ErrorType.HOOK_FAILED, "a {event} hook failed"),
    (HOOKS, Result.FAILURE, ErrorType.HOOK_FAILED, "a hook failed"),
)


def classify_failure(description: str) -> Outcome:
    """Say what a `failed` record's description means.

    Texts differ between Helm 3 and 4, and none may quote more than names and known phrases.
    """
    waiting = NOT_READY.search(description)
    what = waiting["what"] if waiting else "a workload"
    stalled = STALLED.search(description) is not None
    for pattern, result, error, words in CAUSES:
        match = pattern.search(description)
        if match is None:
            continue
        message = words.format(**match.groupdict())
        if error is not ErrorType.TIMEOUT or waiting is None:
            return Outcome(result=result, error=error, message=message)
        return Outcome(
            result=result,
            error=ErrorType.PROGRESS_DEADLINE_EXCEEDED if stalled else error,
            message=f"{message} while {what} was not ready",
        )
    if stalled:
        return Outcome(
            result=Result.FAILURE,
            error=ErrorType.PROGRESS_DEADLINE_EXCEEDED,
            message=f"{what} made no progress before its deadline",
        )
    return Outcome(result=Result.FAILURE, error=ErrorType.OTHER, message=_refusal(description))


def most_specific(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return the outcome whose cause says most; the first of equals."""
    known = [outcome for outcome in outcomes if outcome.error is not None]
    return min(
        known,
        key=lambda outcome: SPECIFICITY.index(outcome.error or ErrorType.OTHER),
        default=None,
    )


def _refusal(description: str) -> str:
    reason = next((reason for reason in REASONS if reason in description), None)
    match = REFUSED.search(description)
    found = OBJECT.search(description)
    if match is None and found is not None:
        what = f"Helm could not apply {found['kind']} {found['name']}"
    elif match is None:
        what = "Helm failed"
    else:
        what = " ".join(
            part
            for part in ("Helm could not", match["verb"], match["kind"], match["name"])
            if part
        )
    return f"{what}: {reason}" if reason else f"{what}; `helm status` says why"
