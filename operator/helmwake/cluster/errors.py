"""What can go wrong between us and the apiserver.

Every foreign error is mapped where it enters. A message says what was asked and how it was
answered: never a header, a body or a query, which may hold secrets.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

# A proxy that says "come back tomorrow" must not silence us until then.
MAX_RETRY_AFTER: Final = timedelta(minutes=5)
# A machine-readable word such as Forbidden or Expired. Anything else could be content.
REASON: Final = re.compile(r"[A-Za-z]{1,64}")
# Where in an object a fault is, as `status.hooks[3].name`: never a value.
FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,127}")
# 401: the token may just have run out, and is read again before the next request.
TRANSIENT_STATUSES: Final = frozenset({401, 408, 429, 500, 502, 503, 504})
HTTP_TIMEOUT: Final = 504


class ApiError(Exception):
    """A request to the apiserver that brought nothing.

    `what` is the request, as `GET /api/v1/secrets`. `status` is the HTTP status, or the code of
    a Status object; None where no answer came.
    `retry_after` is how long the server wants to be left alone.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int | None = None,
        reason: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        self.what = what
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        how = " ".join(str(part) for part in (status, reason) if part)
        super().__init__(f"{what}: {how or 'failed'}")

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anyone's help."""
        return self.status in TRANSIENT_STATUSES


class UnauthorizedError(ApiError):
    """401: the apiserver does not know us, or the token has run out."""


class ForbiddenError(ApiError):
    """403: a rule is missing in our role."""


class NotFoundError(ApiError):
    """404: no such object, or no such kind."""


class ConflictError(ApiError):
    """409: the name is taken, or the object has changed since the version that was named."""


class InvalidError(ApiError):
    """422: the object is not what its schema wants; the message says where."""


class GoneError(ApiError):
    """410: the version or the page token is older than what the server keeps."""


class VersionTooLargeError(ApiError):
    """504 with the cause ResourceVersionTooLarge: this server has not seen our version yet.

    It lags behind another one, or its etcd was restored from a backup.
    """


class UnavailableError(ApiError):
    """No answer: name resolution, connection, TLS or time ran out."""

    @property
    def transient(self) -> bool:
        return True


class CredentialsError(ApiError):
    """The kubeconfig, its plugin or the mounted token gives no credentials."""

    @property
    def transient(self) -> bool:
        return True


class BadAnswerError(ApiError):
    """An answer of 200 that is not what the API promises, as a proxy's error page."""

    @property
    def transient(self) -> bool:
        return True


class AnswerTooLargeError(ApiError):
    """An answer with more bytes than we are ready to hold."""


class StreamBrokenError(UnavailableError):
    """A watch that was cut between or within its lines."""


class SilentWatchError(ApiError):
    """A watch that said nothing for so long that nobody can tell if it still lives."""


class BadLineError(ApiError):
    """A line of a watch that is not an event: what it said is lost."""


class ErrorEventError(ApiError):
    """An ERROR event within a watch, other than those that have a class of their own."""


BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    422: InvalidError,
}


def error_of_answer(
    what: str, *, status: int, body: object = None, retry_after: str | None = None
) -> ApiError:
    """Map an answer that is not a success.

    `body` is the parsed Status object if there is one, `retry_after` the header's value.
    """
    kind = VersionTooLargeError if _is_version_too_large(status, body) else BY_STATUS.get(status)
    return (kind or ApiError)(
        what,
        status=status,
        reason=_reason(body, field=_field(body) if kind is InvalidError else ""),
        retry_after=_retry_after(retry_after) or _retry_after(_detail(body, "retryAfterSeconds")),
    )


def error_of_event(what: str, status_object: Mapping[str, Any]) -> ApiError:
    """Map the object of an ERROR event, which is a Status."""
    code = status_object.get("code")
    error = error_of_answer(
        what, status=code if isinstance(code, int) else 500, body=status_object
    )
    if isinstance(error, GoneError | VersionTooLargeError):
        return error
    return ErrorEventError(
        f"{what}: ERROR event",
        status=error.status,
        reason=error.reason,
        retry_after=error.retry_after,
    )


def _is_version_too_large(status: int, body: object) -> bool:
    # Source: k8s.io/apiserver, pkg/storage/errors.go, NewTooLargeResourceVersionError.
    causes = _detail(body, "causes")
    return (
        status == HTTP_TIMEOUT
        and isinstance(causes, list)
        and any(
            isinstance(cause, Mapping) and cause.get("reason") == "ResourceVersionTooLarge"
            for cause in causes
        )
    )


def _reason(body: object, *, field: str = "") -> str:
    reason = body.get("reason") if isinstance(body, Mapping) else None
    known = reason if isinstance(reason, str) and REASON.fullmatch(reason) else ""
    return f"{known or 'Invalid'} at {field}" if field else known


def _field(body: object) -> str:
    """Say where the first fault is that can be named without quoting anything."""
    causes = _detail(body, "causes")
    fields = (
        cause.get("field")
        for cause in (causes if isinstance(causes, list) else ())
        if isinstance(cause, Mapping)
    )
    return next((each for each in fields if isinstance(each, str) and FIELD.fullmatch(each)), "")


def _detail(body: object, key: str) -> object:
    details = body.get("details") if isinstance(body, Mapping) else None
    return details.get(key) if isinstance(details, Mapping) else None


def _retry_after(value: object) -> timedelta | None:
    """Read seconds, as Kubernetes writes them; the header's other form, a date, is ignored."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len("86400")):
        return None
    return min(timedelta(seconds=int(text)), MAX_RETRY_AFTER)
