"""What was there before anyone looked is history, unless it still runs."""

import pytest

from helmwake.facts.change import Origin
from tests.lifecycle.making import Revision, Story, after, deployment, hook

OLD = -86400.0


def initial(revision: Revision, status: str, *, written: float = OLD) -> Story:
    return Story().tell(revision.is_(status, at=0, written=written, origin=Origin.INITIAL))


@pytest.mark.parametrize("status", ["deployed", "failed", "superseded", "uninstalled", "unknown"])
def test_what_is_settled_makes_no_operation_and_costs_no_request(status: str) -> None:
    story = initial(Revision(3, created=after(OLD)), status)

    assert (story.intents, story.release.operations) == ([], ())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("pending-install", "install"),
        ("pending-upgrade", "upgrade"),
        ("pending-rollback", "rollback"),
    ],
)
def test_what_still_runs_is_an_operation_since_its_creation(status: str, kind: str) -> None:
    revision = Revision(3, created=after(-30))
    story = initial(revision, status, written=-30)
    assert story.running == [kind]

    story.tell(revision.is_("deployed", at=5))

    assert story.ended == [(kind, 3, "success")]
    assert (story.only.started, story.only.ended) == (after(-30), after(5))


def test_an_uninstall_that_still_runs_started_with_the_last_write() -> None:
    revision = Revision(3, created=after(OLD))
    story = initial(revision, "uninstalling", written=-20)

    story.tell(revision.goes(at=5))

    assert story.ended == [("uninstall", 3, "success")]
    assert story.only.started == after(-20)


def test_a_pending_revision_below_a_newer_one_is_history() -> None:
    second, third = Revision(2, created=after(OLD)), Revision(3, created=after(OLD + 60))
    story = initial(second, "pending-upgrade")

    story.tell(third.is_("deployed", at=0, written=OLD + 70, origin=Origin.INITIAL))

    assert (story.running, story.delivered) == ([], [])


def test_the_order_of_history_does_not_matter() -> None:
    second, third = Revision(2, created=after(OLD)), Revision(3, created=after(OLD + 60))
    story = initial(third, "deployed", written=OLD + 70)

    story.tell(second.is_("pending-upgrade", at=0, written=OLD, origin=Origin.INITIAL))

    assert (story.running, story.delivered) == ([], [])


def test_what_follows_on_history_is_traced() -> None:
    first, second = Revision(1, created=after(OLD)), Revision(2, created=after(10))
    story = initial(first, "deployed")
    story.tell(deployment("a", at=0, applied=OLD, origin=Origin.INITIAL))

    story.tell(second.is_("pending-upgrade"), deployment("b", at=11, applied=10, generation=2))
    story.tell(first.is_("superseded", at=12), second.is_("deployed", at=12))

    assert story.ended == [("upgrade", 2, "success")]
    assert [rollout.template for rollout in story.only.rollouts] == ["b"]


def test_a_test_that_ran_before_is_history_and_one_that_runs_is_not() -> None:
    first = Revision(1, created=after(OLD))
    story = initial(first, "deployed", written=-100)
    old = hook("smoke", "test", started=-110, ended=-101)

    story.holds(first, hooks=(old, hook("load", "test", started=30, phase="Running")))
    story.tell(first.is_("deployed", at=30))
    story.holds(first, hooks=(old, hook("load", "test", started=30, ended=35)))
    story.tell(first.is_("deployed", at=36))

    assert story.ended == [("test", 1, "success")]
    assert [run.name for run in story.only.hooks] == ["load"]


def test_an_uninstall_of_history_is_traced() -> None:
    first, second = Revision(1, created=after(OLD)), Revision(2, created=after(OLD + 60))
    story = initial(first, "superseded")
    story.tell(second.is_("deployed", at=0, written=OLD + 65, origin=Origin.INITIAL))

    story.tell(second.is_("uninstalling", at=50), first.goes(at=51), second.goes(at=51))

    assert story.ended == [("uninstall", 2, "success")]


def test_a_record_that_appears_settled_was_restored_from_elsewhere() -> None:
    story = Story().tell(Revision(3).is_("deployed", at=0))

    assert (story.running, story.delivered) == ([], [])
