"""A client that died leaves its record pending for ever; something else may follow."""

import pytest

from helmwake.facts.helm import Status
from helmwake.lifecycle.facts import Tick
from helmwake.lifecycle.intents import ListWorkloads, WakeAt
from helmwake.lifecycle.limits import DEFAULT_LIMITS
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, install, namespace

STUCK = DEFAULT_LIMITS.stuck_after.total_seconds()


def test_a_silent_upgrade_is_stuck_and_may_still_end_late() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))
    assert WakeAt(after(STUCK)) in story.intents

    story.tell(Tick(after(STUCK)))
    assert story.release.operations[0].stuck
    assert not story.delivered

    story.hears(second.is_("deployed", at=2 * STUCK))
    [operation] = story.release.operations
    assert not operation.stuck
    assert ListWorkloads("shop", operation.id) in story.open
    story.answers()
    assert ended(story.only.outcome) == (Result.SUCCESS, None)


def test_every_write_puts_the_threshold_off() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"), second.is_("pending-upgrade", at=500))

    story.tell(Tick(after(STUCK)))
    assert not story.release.operations[0].stuck

    story.passes(500 + STUCK)
    assert story.release.operations[0].stuck


def test_a_stuck_uninstall_is_stuck_too() -> None:
    story, first = install()
    story.tell(first.is_("uninstalling", at=60)).passes(60 + STUCK)

    assert story.release.operations[0].stuck


def test_an_operation_that_only_rolls_out_is_not_stuck() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        first.is_("deployed", at=2),
    )

    story.passes(STUCK + 10)

    assert [op.stuck for op in story.release.operations] == [False]


@pytest.mark.parametrize("begins", ["pending-rollback", "pending-upgrade", "pending-install"])
def test_a_newer_revision_abandons_a_pending_one(begins: str) -> None:
    second, third = Revision(2), Revision(3, created=after(100))
    story = Story().tell(second.is_("pending-upgrade"))

    story.tell(third.is_(begins))

    [operation] = story.delivered
    assert ended(operation.outcome) == (Result.ERROR, ErrorType.ABANDONED)
    assert operation.ended == after(100)
    assert operation.outcome is not None
    assert "revision 3" in operation.outcome.message


def test_an_uninstall_abandons_a_pending_one() -> None:
    first, second = Revision(1), Revision(2, created=after(10))
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.tell(second.is_("pending-upgrade"))

    story.tell(second.is_("uninstalling", at=100), first.goes(at=101), second.goes(at=101))

    assert sorted(story.ended) == [
        ("install", 1, "success"),
        ("uninstall", 2, "success"),
        ("upgrade", 2, "error"),
    ]


def test_a_rollback_abandons_an_uninstall_that_never_ended() -> None:
    story, first = install()
    second = Revision(2, created=after(100))

    story.tell(first.is_("uninstalling", at=60), second.is_("pending-rollback"))

    assert ended(story.delivered[1].outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_flux_unlocks_a_stale_release_and_its_operation_was_abandoned() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))
    story.stored["uid-2"] = second.holds(
        status="failed", description="Release unlocked from stale 'pending-upgrade' state"
    )

    story.tell(second.is_("failed", at=3000))

    assert ended(story.only.outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_a_running_record_that_is_deleted_is_an_orphan() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"), second.goes(at=30))

    assert ended(story.only.outcome) == (Result.ERROR, ErrorType.OTHER)
    assert story.only.outcome is not None
    assert "outcome unknown" in story.only.outcome.message


def test_an_operation_whose_namespace_goes_is_an_orphan() -> None:
    second = Revision(2)
    story = Story().tell(
        second.is_("pending-upgrade"),
        namespace(at=20, terminating=True),
        second.goes(at=30),
        namespace(at=31, gone=True),
    )

    assert ended(story.only.outcome) == (Result.ERROR, ErrorType.OTHER)


@pytest.mark.parametrize("status", ["superseded", "failed"])
def test_a_settled_record_that_is_deleted_while_a_higher_one_stays_was_pruned(
    status: str,
) -> None:
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"), first.is_(status, at=65))
    story.tell(second.is_("deployed", at=65))
    told = len(story.intents)

    story.tell(first.goes(at=70))

    assert story.intents[told:] == []
    assert Status.DEPLOYED in {record.status for record in story.release.records.values()}
