"""Helm's failure texts become an error type and words of ours; nothing else is quoted."""

import pytest

from helmwake.lifecycle.outcome import (
    ErrorType,
    Outcome,
    Result,
    classify_failure,
    most_specific,
)

MARKER = "marker-c0ffee"


@pytest.mark.parametrize(
    ("text", "result", "error"),
    [
        ("context deadline exceeded", Result.TIMEOUT, ErrorType.TIMEOUT),
        ("timed out waiting for the condition", Result.TIMEOUT, ErrorType.TIMEOUT),
        (
            ("resource Deployment/shop/cart not ready. status: InProgress, message: Available: 0/2"
            "\ncontext deadline exceeded"),
            Result.TIMEOUT,
            ErrorType.TIMEOUT,
        ),
        ("context canceled", Result.CANCELLATION, ErrorType.CANCELLED),
        (
            "pre-upgrade hooks failed: job migrate failed: BackoffLimitExceeded",
            Result.FAILURE,
            ErrorType.HOOK_FAILED,
        ),
        (
            "post-install hooks failed: timed out waiting for the condition",
            Result.TIMEOUT,
            ErrorType.TIMEOUT,
        ),
        ('cannot patch "cart" with kind Service', Result.FAILURE, ErrorType.OTHER),
        ("something new", Result.FAILURE, ErrorType.OTHER),
        ("", Result.FAILURE, ErrorType.OTHER),
    ],
)  # fmt: skip
def test_a_text_has_a_result_and_an_error_type(
    text: str, result: Result, error: ErrorType
) -> None:
    outcome = classify_failure(f'Upgrade "cart" failed: {text}' if text else text)

    assert (outcome.result, outcome.error) == (result, error)
    assert outcome.message


def test_an_unlocked_release_was_abandoned() -> None:
    outcome = classify_failure("Release unlocked from stale 'pending-install' state")

    assert (outcome.result, outcome.error) == (Result.ERROR, ErrorType.ABANDONED)


def test_what_was_waited_for_is_named() -> None:
    text = "resource Deployment/shop/cart not ready. status: x\ncontext deadline exceeded"

    assert "Deployment/shop/cart was not ready" in classify_failure(text).message


def test_what_could_not_be_applied_is_named() -> None:
    text = (
        'cannot patch "cart" with kind Service: Service "cart" is invalid: '
        f'spec.ports[0].name: Invalid value: "{MARKER}"'
    )

    message = classify_failure(f'Upgrade "cart" failed: {text}').message

    assert message == "Helm could not patch Service cart: is invalid"


@pytest.mark.parametrize(
    "text",
    [
        f"unable to build kubernetes objects: error validating data: {MARKER}",
        f"{MARKER} hooks failed: {MARKER}",
        f"context deadline exceeded: {MARKER}",
        f"context canceled {MARKER}",
        f"resource Deployment/shop/cart not ready. {MARKER}\ncontext deadline exceeded",
        f'failed to create resource: Secret "x" is invalid: data[{MARKER}]: Invalid value',
        f"Release unlocked from stale {MARKER}",
        f"progress deadline exceeded {MARKER}",
        MARKER,
    ],
)
def test_no_text_of_helms_is_quoted_whole(text: str) -> None:
    assert MARKER not in classify_failure(f'Upgrade "cart" failed: {text}').message


def test_the_most_specific_cause_wins_and_the_first_of_equals() -> None:
    pull = Outcome(result=Result.FAILURE, error=ErrorType.IMAGE_PULL_FAILED)
    deadline = Outcome(result=Result.FAILURE, error=ErrorType.PROGRESS_DEADLINE_EXCEEDED)
    timeout = Outcome(result=Result.TIMEOUT, error=ErrorType.TIMEOUT, message="first")
    again = Outcome(result=Result.TIMEOUT, error=ErrorType.TIMEOUT, message="second")
    fine = Outcome(result=Result.SUCCESS)

    assert most_specific([timeout, deadline, pull]) == pull
    assert most_specific([timeout, deadline]) == deadline
    assert most_specific([timeout, again]) == timeout
    assert most_specific([fine]) is None


def test_the_error_types_are_a_closed_set() -> None:
    assert {error.value for error in ErrorType} == {
        "timeout",
        "progress_deadline_exceeded",
        "image_pull_failed",
        "crash_loop_back_off",
        "oom_killed",
        "create_container_config_error",
        "failed_scheduling",
        "failed_create",
        "hook_failed",
        "test_failed",
        "cancelled",
        "abandoned",
        "_OTHER",
    }
