"""A hook has one slot for its last run, written before it starts."""

import pytest

from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, ended, hook


def test_a_hook_with_several_events_overwrites_its_slot_and_both_runs_are_kept() -> None:
    first = Revision(1)
    both = ("pre-install", "post-install")
    story = Story().tell(first.is_("pending-install"))
    story.hears(first.is_("pending-install", at=1))
    story.holds(first, hooks=(hook("check", *both, started=1, phase="Running"),)).answers()
    story.hears(first.is_("pending-install", at=5))
    story.holds(first, hooks=(hook("check", *both, started=5, phase="Running"),)).answers()
    story.hears(first.is_("deployed", at=8))
    story.holds(first, hooks=(hook("check", *both, started=5, ended=7),)).answers()

    before, later = story.only.hooks
    assert (before.event, before.started) == ("pre-install", after(1))
    assert (later.event, later.started, later.ended) == ("post-install", after(5), after(7))


def test_events_of_other_operations_do_not_count() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, hooks=(hook("check", "pre-upgrade", "crd-install", started=1, ended=2),))

    story.tell(first.is_("deployed", at=8))

    assert story.only.hooks == ()


def test_runs_are_in_the_order_in_which_they_started() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(
        first,
        hooks=(
            hook("last", "post-install", started=6, ended=7, weight=-9),
            hook("first", "pre-install", started=1, ended=2),
        ),
    )

    story.tell(first.is_("deployed", at=8))

    assert [run.name for run in story.only.hooks] == ["first", "last"]


def failed_with(description: str, *, phase: str) -> Operation:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))
    story.stored["uid-2"] = second.holds(
        status="failed",
        description=description,
        hooks=(hook("migrate", "pre-upgrade", started=1, phase=phase),),
    )
    return story.tell(second.is_("failed", at=60)).only


@pytest.mark.parametrize(
    ("description", "phase", "hooks", "whole"),
    [
        (
            "pre-upgrade hooks failed: job failed: BackoffLimitExceeded",
            "Failed",
            (Result.FAILURE, ErrorType.HOOK_FAILED),
            (Result.FAILURE, ErrorType.HOOK_FAILED),
        ),
        (
            "pre-upgrade hooks failed: context deadline exceeded",
            "Failed",
            (Result.TIMEOUT, ErrorType.TIMEOUT),
            (Result.TIMEOUT, ErrorType.TIMEOUT),
        ),
        (
            "pre-upgrade hooks failed: context deadline exceeded",
            "Running",
            (Result.TIMEOUT, ErrorType.TIMEOUT),
            (Result.TIMEOUT, ErrorType.TIMEOUT),
        ),
        (
            "context canceled",
            "Unknown",
            (Result.CANCELLATION, ErrorType.CANCELLED),
            (Result.CANCELLATION, ErrorType.CANCELLED),
        ),
    ],
)
def test_a_hook_ends_as_its_operation_did(
    description: str,
    phase: str,
    hooks: tuple[Result, ErrorType],
    whole: tuple[Result, ErrorType],
) -> None:
    operation = failed_with(f'Upgrade "cart" failed: {description}', phase=phase)

    [run] = operation.hooks
    assert ended(run.outcome) == hooks
    assert ended(operation.outcome) == whole


def test_a_failure_names_the_hook_and_its_event() -> None:
    operation = failed_with('Upgrade "cart" failed: pre-upgrade hooks failed: x', phase="Failed")

    assert operation.outcome is not None
    assert "pre-upgrade hook" in operation.outcome.message


def test_a_run_ends_no_sooner_than_it_starts() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, hooks=(hook("odd", "pre-install", started=4, ended=1),))

    story.tell(first.is_("deployed", at=8))

    [run] = story.only.hooks
    assert run.ended == run.started == after(4)


def test_a_hook_after_which_helm_went_on_succeeded_though_nobody_saw_it_end() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, hooks=(hook("one", "pre-install", started=1, phase="Running"),))
    story.tell(first.is_("pending-install", at=1))
    story.holds(first, hooks=(hook("two", "pre-install", started=4, phase="Running"),))
    story.tell(first.is_("pending-install", at=4))
    story.stored.clear()

    one, two = story.tell(first.is_("failed", at=9)).only.hooks

    assert (ended(one.outcome), one.ended) == ((Result.SUCCESS, None), after(4))
    assert ended(two.outcome) == (Result.FAILURE, ErrorType.HOOK_FAILED)
