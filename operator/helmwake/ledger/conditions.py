"""Conditions of a ReleaseTrace, as kubectl and other programs look for them."""

from datetime import datetime
from typing import Any, Final

from helmwake.ledger.entry import Entry, State
from helmwake.ledger.parts import ConditionPart, ConditionStatus

READABLE: Final = "Readable"
DELIVERED: Final = "Delivered"
NOT_DELIVERED: Final = {
    State.SET_ASIDE: "the backend will never take it",
    State.GIVEN_UP: "it was followed no more before its end",
}


def conditions(entry: Entry) -> tuple[ConditionPart, ...]:
    """Say what became of it; nothing while it runs or waits for its backend.

    By the convention of Kubernetes a condition's time is that of its last change between
    true and false: what was never delivered is so from its end on, whatever the reason.
    """
    operation = entry.operation
    ended = operation.ended or operation.last_write
    if entry.state is State.DELIVERED:
        told = f"{entry.delivered_to or 'the backend'} has it"
        at = entry.delivered or ended
        return (_condition(DELIVERED, ConditionStatus.TRUE, entry.state, told, at),)
    if entry.state is State.UNREADABLE:
        problem = entry.problem or ""
        return (_condition(READABLE, ConditionStatus.FALSE, entry.state, problem, ended),)
    if entry.state in NOT_DELIVERED:
        problem = entry.problem or NOT_DELIVERED[entry.state]
        return (_condition(DELIVERED, ConditionStatus.FALSE, entry.state, problem, ended),)
    return ()


def unreadable_status(problem: str, *, now: datetime) -> dict[str, Any]:
    """Return what to merge into a status of which nothing can be made.

    `problem` is a BadEntryError's line. All else is left as it is, for who wants to look.
    """
    condition = _condition(READABLE, ConditionStatus.FALSE, State.UNREADABLE, problem, now)
    return {
        "state": State.UNREADABLE.value,
        "problem": condition.message,
        "conditions": [condition.model_dump(mode="json", by_alias=True)],
    }


def _condition(
    kind: str, status: ConditionStatus, reason: str, message: str, at: datetime
) -> ConditionPart:
    return ConditionPart(
        type=kind,
        status=status,
        reason=str(reason),
        message=message,
        last_transition_time=at,
    )
