"""How the apiserver's refusals are read."""

from datetime import timedelta

import pytest

from helmwake.cluster.errors import MAX_RETRY_AFTER, ApiError, GoneError, error_of_answer

MARKER = "hunter2"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("99999", MAX_RETRY_AFTER),
        ("9" * 10_000, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("\u0667", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_within_reason(header: str | None, wait: timedelta | None) -> None:
    assert error_of_answer("GET x", status=429, retry_after=header).retry_after == wait


@pytest.mark.parametrize(
    "body",
    [
        None,
        MARKER,
        [MARKER],
        {"reason": f"{MARKER} {MARKER}", "message": MARKER},
        {"reason": [MARKER], "details": MARKER},
        {"details": {"causes": MARKER, "retryAfterSeconds": MARKER}},
        {"details": {"causes": [MARKER, None]}},
    ],
)
def test_a_body_of_any_shape_is_never_quoted(body: object) -> None:
    error = error_of_answer("GET x", status=504, body=body)
    assert str(error) == "GET x: 504"
    assert type(error) is ApiError


def test_an_error_without_a_status_says_that_it_failed() -> None:
    assert str(ApiError("GET x")) == "GET x: failed"


def test_gone_is_not_transient() -> None:
    assert not GoneError("GET x", status=410).transient
