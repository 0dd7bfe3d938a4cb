"""What a ReleaseObserver's status says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helmwake.settings.status import (
    MAX_ERROR_LENGTH,
    MAX_MESSAGE_LENGTH,
    Condition,
    ConditionStatus,
    ObserverStatus,
)

READY: Final = "Ready"
DELIVERING: Final = "Delivering"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """How delivery goes. `message` is for people, and has no secret in it."""

    delivering: bool | None  # None: nothing was sent yet
    reason: str  # one word in CamelCase, as of a condition
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a resource is in force."""

    ready: bool
    reason: str
    message: str


IN_FORCE: Final = Readiness(ready=True, reason="Applied", message="The spec is in force.")
NOT_DEFAULT: Final = Readiness(
    ready=False,
    reason="NotDefault",
    message="Only the ReleaseObserver named default is in force. Delete this one.",
)


def not_applied(error: Exception) -> Readiness:
    # Its type alone: what its words hold, nobody here knows.
    message = f"It could not be put in force: {type(error).__name__}; see the operator's log."
    return Readiness(ready=False, reason="NotApplied", message=message)


def invalid(error: str) -> Readiness:
    message = f"{error}. What was in force before stays so."
    return Readiness(ready=False, reason="InvalidSpec", message=message)


def make_status(
    *,
    previous: Mapping[str, Any],
    generation: int,
    readiness: Readiness,
    delivery: DeliveryState | None,
    now: datetime,
) -> dict[str, Any]:
    """Make a merge patch's `status`; equal to `previous` where there is nothing to write."""
    times = _transitions(previous)

    def condition(kind: str, *, status: ConditionStatus, reason: str, message: str) -> Condition:
        # The time is that of the last change of the status alone, says metav1.Condition.
        written = times.get((kind, status)) or f"{now:%Y-%m-%dT%H:%M:%SZ}"
        return Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message[:MAX_MESSAGE_LENGTH],
            last_transition_time=written,
            observed_generation=generation,
        )

    conditions = [
        condition(
            READY,
            status=_status(readiness.ready),
            reason=readiness.reason,
            message=readiness.message,
        )
    ]
    error = None if readiness.ready else readiness.message
    if delivery is not None:
        conditions.append(
            condition(
                DELIVERING,
                status=_status(delivery.delivering),
                reason=delivery.reason,
                message=delivery.message,
            )
        )
        if delivery.delivering is False:
            error = error or delivery.message
    status = ObserverStatus(
        observed_generation=generation,
        conditions=tuple(conditions),
        last_error=error[:MAX_ERROR_LENGTH] if error else None,
    )
    patch = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    if error is None and "lastError" in previous:
        patch["lastError"] = None  # in a merge patch: take it away
    return patch


def _status(value: bool | None, /) -> ConditionStatus:  # noqa: FBT001 - three values, no switch
    if value is None:
        return ConditionStatus.UNKNOWN
    return ConditionStatus.TRUE if value else ConditionStatus.FALSE


def _transitions(previous: Mapping[str, Any]) -> dict[tuple[Any, Any], Any]:
    # Anyone with the right may have written anything there.
    conditions = previous.get("conditions")
    return {
        (each.get("type"), each.get("status")): each.get("lastTransitionTime")
        for each in (conditions if isinstance(conditions, list) else ())
        if isinstance(each, Mapping)
    }
