"""Entries of a ledger for every way an operation can be: running, ended, given up."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any, Final

from helmwake.facts.helm import Tags
from helmwake.facts.keptn import KeptnContext
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result
from helmwake.telemetry.ids import trace_id
from tests.lifecycle.making import Revision, Story, after, deployment, hook
from tests.telemetry import operations

CONTEXT: Final = "6c1f7c1e-95ab-4d6d-8b5f-0d7a4c3e2b10"
KEPTN: Final = KeptnContext(
    context=CONTEXT, project="sockshop", stage="production", service="carts"
)
IMAGE: Final = "image shop/cart:3 cannot be pulled (pod cart-6d4f8b7c9-x2x7q)"
PULL: Final = Outcome(result=Result.FAILURE, error=ErrorType.IMAGE_PULL_FAILED, message=IMAGE)


def entry(operation: Operation, state: State | None = None, **fields: Any) -> Entry:
    state = state or (State.DELIVERED if operation.ended else State.RUNNING)
    return Entry(
        operation=operation,
        state=state,
        trace_id=f"{trace_id(operation):032x}",
        version="0.1.0",
        cluster_uid="uid-of-kube-system",
        **fields,
    )


@cache
def begun() -> Entry:
    """An upgrade of which nothing more is known yet."""
    second = Revision(2, tags=Tags(keptn=KEPTN))
    return entry(Story().tell(second.is_("pending-upgrade")).release.operations[0])


@cache
def rolling(ready: int = 1, *, cause: Outcome | None = None) -> Entry:
    """The same upgrade, with so many of three replicas ready."""
    second = Revision(2, tags=Tags(keptn=KEPTN))
    story = Story().tell(second.is_("pending-upgrade"))
    story.tell(deployment("b", at=1, applied=1, ready=ready, wanted=3))
    [operation] = story.release.operations
    [rollout] = operation.rollouts
    return entry(replace(operation, rollouts=(replace(rollout, cause=cause),)))


@cache
def failed() -> Entry:
    """The same upgrade, ended."""
    operation = rolling(1, cause=PULL).operation
    [rollout] = operation.rollouts
    return entry(
        replace(
            operation,
            helm_ended=after(5),
            helm_outcome=Outcome(result=Result.SUCCESS),
            status=operations.good_upgrade().status,
            rollouts=(replace(rollout, ended=after(42), outcome=PULL),),
            ended=after(42),
            outcome=PULL,
        )
    )


@cache
def good() -> Entry:
    return entry(operations.good_upgrade(Tags(keptn=KEPTN)))


@cache
def given_up() -> Entry:
    return entry(rolling().operation, State.GIVEN_UP, problem="its namespace is observed no more")


@cache
def hooked() -> Entry:
    """An upgrade whose first hook is over, and whose second one runs."""
    second = Revision(2, tags=Tags(keptn=KEPTN))
    story = Story().tell(second.is_("pending-upgrade"))
    runs = (
        hook("backup", "pre-upgrade", started=1, ended=3),
        hook("migrate", "pre-upgrade", started=4, phase="Running", weight=1),
    )
    story.holds(second, hooks=runs).tell(second.is_("pending-upgrade", at=4))
    return entry(story.release.operations[0])


def delivery() -> list[Entry]:
    """A good upgrade, a rollback, a test and an uninstall: none of them runs."""
    failing, back = operations.remedy()
    return [good(), entry(failing), entry(back), entry(operations.a_test()), uninstalled()]


@cache
def uninstalled() -> Entry:
    return entry(operations.uninstalled())


def named(operation: Operation, name: str, *, uid: str = "", revision: int = 0) -> Operation:
    """The same operation of another release, or of another record."""
    return replace(
        operation,
        id=replace(operation.id, uid=uid or f"uid-of-{name}"),
        release=replace(operation.release, name=name),
        revision=revision or operation.revision,
    )


def moved(known: Entry, by: timedelta) -> Entry:
    """The same entry at another time."""
    operation = known.operation
    return replace(
        known,
        operation=replace(
            operation,
            started=operation.started + by,
            last_write=operation.last_write + by,
            helm_ended=operation.helm_ended + by if operation.helm_ended else None,
            ended=operation.ended + by if operation.ended else None,
            hooks=(),
            rollouts=tuple(
                replace(
                    each,
                    started=each.started + by,
                    ended=each.ended + by if each.ended else None,
                )
                for each in operation.rollouts
            ),
        ),
    )
