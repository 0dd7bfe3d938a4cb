"""What a backend's answer to one request means, and what became of a trace in the end.

Senders return an `Answer`; the tables below turn statuses into them. The queue acts on answers
and reports an `Outcome` for each trace.

Sources: opentelemetry-proto, docs/specification.md, "OTLP/gRPC Response", "OTLP/HTTP Response".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The backend took the request.

    `rejected` spans of it were not taken all the same (partial success). OTLP forbids to send
    them again, and does not say which ones they were: all traces of a request share the answer.
    A `message` without rejected spans is a warning.
    """

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The backend is away or busy. The same request may be sent again, `after_s` at least."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """The answer does not tell whether the backend fails at everything or at this request."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """The request is larger than the backend takes. A smaller part of it may pass."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """The backend says that the data is bad. It will never be taken."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The endpoint or the credentials are wrong: someone must change the configuration."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The queue was full, and this was the oldest trace in it."""

    why: str


Answer = Delivered | Retry | Doubtful | TooLarge | Poisoned | Refused
Outcome = Delivered | Poisoned | Dropped


class Meaning(Enum):
    RETRY = "retry"
    DOUBTFUL = "doubtful"
    TOO_LARGE = "too large"
    POISONED = "poisoned"
    REFUSED = "refused"


# OTLP: only 429, 502, 503 and 504 may be retried. We go further where an answer says nothing
# about the data, since a trace that is given up is gone.
HTTP_MEANINGS: Final[Mapping[int, Meaning]] = {
    400: Meaning.POISONED,
    401: Meaning.REFUSED,
    403: Meaning.REFUSED,
    404: Meaning.REFUSED,
    405: Meaning.REFUSED,
    407: Meaning.REFUSED,
    408: Meaning.RETRY,  # the body came too slowly: the network's fault, not the data's
    413: Meaning.TOO_LARGE,
    415: Meaning.REFUSED,  # no OTLP is spoken there
    421: Meaning.REFUSED,
    422: Meaning.POISONED,
    429: Meaning.RETRY,
    # Crashes of proxies and collectors look like this, and so does a collector that cannot
    # take this one request (codes.Internal becomes 500).
    500: Meaning.DOUBTFUL,
    501: Meaning.REFUSED,
    502: Meaning.RETRY,
    503: Meaning.RETRY,
    504: Meaning.RETRY,
}

GRPC_MEANINGS: Final[Mapping[str, Meaning]] = {
    "ABORTED": Meaning.RETRY,
    "CANCELLED": Meaning.RETRY,
    "DATA_LOSS": Meaning.RETRY,
    "DEADLINE_EXCEEDED": Meaning.RETRY,
    "INVALID_ARGUMENT": Meaning.POISONED,
    "NOT_FOUND": Meaning.REFUSED,
    "OUT_OF_RANGE": Meaning.RETRY,
    "PERMISSION_DENIED": Meaning.REFUSED,
    "UNAUTHENTICATED": Meaning.REFUSED,
    "UNAVAILABLE": Meaning.RETRY,
    "UNIMPLEMENTED": Meaning.REFUSED,  # another service answers there
}

# How servers word a request over their limit, grpc-go and gRPC's C core.
_LARGER_THAN_MAX: Final = "larger than max"


def http_answer(
    status: int, *, why: str, after_s: float | None = None, in_otlp: bool = True
) -> Answer:
    """The meaning of an HTTP status that is no success.

    `in_otlp` says whether the body was an OTLP error (protobuf or JSON). A 400 without one may
    come from anything that is not an OTLP receiver, such as a TLS port spoken to in plain text.
    """
    if 300 <= status < 400:  # noqa: PLR2004  # a redirect never delivered anything
        return Refused(why=why)
    # OTLP: other 4xx and 5xx must not be retried as they are. They are no proof of bad data.
    meaning = HTTP_MEANINGS.get(status, Meaning.DOUBTFUL)
    if meaning is Meaning.POISONED and not in_otlp:
        meaning = Meaning.DOUBTFUL
    return _answer(meaning, why=why, after_s=after_s)


def grpc_answer(code: str, *, why: str, after_s: float | None = None, detail: str = "") -> Answer:
    """The meaning of a gRPC status code's name that is not OK.

    `after_s` is RetryInfo's delay, None where there was none: RESOURCE_EXHAUSTED may be retried
    only with one. Without, it means either a request that is too large or a used-up quota.
    """
    if code == "RESOURCE_EXHAUSTED":
        if after_s is not None:
            return Retry(why=why, after_s=after_s)
        too_large = _LARGER_THAN_MAX in detail
        return _answer(Meaning.TOO_LARGE if too_large else Meaning.DOUBTFUL, why=why)
    return _answer(GRPC_MEANINGS.get(code, Meaning.DOUBTFUL), why=why, after_s=after_s)


def _answer(meaning: Meaning, *, why: str, after_s: float | None = None) -> Answer:
    match meaning:
        case Meaning.RETRY:
            return Retry(why=why, after_s=after_s)
        case Meaning.DOUBTFUL:
            return Doubtful(why=why)
        case Meaning.TOO_LARGE:
            return TooLarge(why=why)
        case Meaning.POISONED:
            return Poisoned(why=why)
        case Meaning.REFUSED:
            return Refused(why=why)
