"""What statuses mean, by OTLP's specification and where we go further."""

from datetime import UTC, datetime

import pytest

from helmwake.delivery.outcome import (
    Answer,
    Doubtful,
    Poisoned,
    Refused,
    Retry,
    TooLarge,
    grpc_answer,
    http_answer,
)
from helmwake.delivery.retry_after import parse_retry_after

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("meaning", "statuses"),
    [
        (Retry, [408, 429, 502, 503, 504]),
        (Refused, [300, 301, 302, 304, 307, 308, 399, 401, 403, 404, 405, 407, 415, 421, 501]),
        (Poisoned, [400, 422]),
        (TooLarge, [413]),
        (Doubtful, [402, 409, 418, 500, 505, 599]),
    ],
)
def test_http_statuses(meaning: type[Answer], statuses: list[int]) -> None:
    assert {type(http_answer(status, why="")) for status in statuses} == {meaning}


def test_a_400_that_is_not_in_otlp_is_no_proof_of_bad_data() -> None:
    assert http_answer(400, why="w", in_otlp=False) == Doubtful(why="w")


def test_retry_after_is_kept() -> None:
    assert http_answer(429, why="w", after_s=3) == Retry(why="w", after_s=3)


@pytest.mark.parametrize(
    ("meaning", "codes"),
    [
        (
            Retry,
            [
                "CANCELLED",
                "DEADLINE_EXCEEDED",
                "ABORTED",
                "OUT_OF_RANGE",
                "UNAVAILABLE",
                "DATA_LOSS",
            ],
        ),
        (Refused, ["UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "NOT_FOUND"]),
        (Poisoned, ["INVALID_ARGUMENT"]),
        (Doubtful, ["INTERNAL", "UNKNOWN", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"]),
    ],
)
def test_grpc_codes(meaning: type[Answer], codes: list[str]) -> None:
    assert {type(grpc_answer(code, why="")) for code in codes} == {meaning}


def test_exhausted_resources_are_retried_only_if_the_backend_says_when() -> None:
    exhausted = "RESOURCE_EXHAUSTED"

    assert grpc_answer(exhausted, why="w", after_s=0) == Retry(why="w", after_s=0)
    assert grpc_answer(
        exhausted, why="w", detail="grpc: received message larger than max (5 vs. 4)"
    ) == TooLarge(why="w")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("-3", 0),
        ("1.5", 1.5),
        ("inf", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, now=NOW) == seconds
