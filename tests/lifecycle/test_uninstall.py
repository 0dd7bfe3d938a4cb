"""U `uninstalling` -> D all, ascending; or `uninstalled`, if the history is kept."""

from helmwake.facts.change import Origin
from helmwake.lifecycle.intents import ListWorkloads
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, ended, hook, install, kinds, namespace


def test_an_uninstall_ends_when_its_record_is_deleted() -> None:
    story, first = install()
    story.intents.clear()

    story.tell(first.is_("uninstalling", at=60))
    assert story.running == ["uninstall"]
    story.tell(first.goes(at=60.05))

    assert ended(story.only.outcome) == (Result.SUCCESS, None)
    assert (story.only.started, story.only.ended) == (after(60), after(60.05))
    assert "ListWorkloads" not in kinds(story.intents), "nothing rolls out"


def test_all_revisions_go_in_one_uninstall() -> None:
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"), first.is_("superseded", at=65))
    story.tell(second.is_("deployed", at=65))

    story.tell(second.is_("uninstalling", at=90), first.goes(at=91))
    assert story.running == ["uninstall"]
    story.tell(second.goes(at=91.5))

    assert story.ended[2:] == [("uninstall", 2, "success")]


def test_an_uninstall_that_keeps_the_history_ends_with_a_write() -> None:
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"), second.is_("failed", at=65))

    story.tell(second.is_("uninstalling", at=90), second.is_("uninstalled", at=91))
    story.tell(first.is_("superseded", at=91.2))

    assert story.ended[2:] == [("uninstall", 2, "success")]
    assert story.delivered[2].ended == after(91)


def test_purging_what_was_uninstalled_before_is_no_second_uninstall() -> None:
    story, first = install()
    story.tell(first.is_("uninstalling", at=60), first.is_("uninstalled", at=61))

    story.tell(first.goes(at=100))

    assert story.ended == [("install", 1, "success"), ("uninstall", 1, "success")]


def test_hooks_run_before_and_after_the_deletion() -> None:
    story, first = install()
    story.tell(first.is_("uninstalling", at=60))
    before = hook("drain", "pre-delete", started=60, ended=62)
    story.holds(first, deleted=after(60), hooks=(before,))
    story.tell(first.is_("uninstalling", at=62))
    late = hook("sweep", "post-delete", started=63, phase="Running")
    story.holds(first, deleted=after(60), hooks=(before, late))
    story.tell(first.is_("uninstalling", at=63))

    story.tell(first.goes(at=64))

    drain, sweep = story.delivered[1].hooks
    assert (drain.event, sweep.event) == ("pre-delete", "post-delete")
    assert (drain.started, drain.ended) == (after(60), after(62))
    assert sweep.ended == after(64), "a deletion carries no payload"


def test_what_ran_before_the_uninstall_is_none_of_its_hooks() -> None:
    story, first = install()
    story.holds(
        first, deleted=after(60), hooks=(hook("drain", "pre-delete", started=-5, ended=-4),)
    )

    story.tell(first.is_("uninstalling", at=60), first.goes(at=61))

    assert story.delivered[1].hooks == ()


def test_a_failed_deletion_stays_and_a_retry_is_an_operation_of_its_own() -> None:
    story, first = install()
    story.holds(first, deleted=after(60)).tell(first.is_("uninstalling", at=60))

    story.holds(first, deleted=after(200)).tell(first.is_("uninstalling", at=200))
    assert story.ended[1:] == [("uninstall", 1, "error")]
    story.tell(first.goes(at=201))

    failed, again = story.delivered[1:]
    assert ended(failed.outcome) == (Result.ERROR, ErrorType.ABANDONED)
    assert failed.ended == after(200)
    assert ended(again.outcome) == (Result.SUCCESS, None)
    assert (failed.id.start, again.id.start) == (None, after(200))
    assert (again.started, again.ended) == (after(200), after(201))


def test_another_write_of_the_same_attempt_is_no_retry() -> None:
    story, first = install()
    story.holds(first, deleted=after(60))
    story.tell(first.is_("uninstalling", at=60), first.is_("uninstalling", at=70))

    story.tell(first.goes(at=80))

    assert story.ended[1:] == [("uninstall", 1, "success")]


def test_the_payload_refines_the_start() -> None:
    story, first = install()
    story.holds(first, deleted=after(59.3))

    story.tell(first.is_("uninstalling", at=60), first.goes(at=61))

    assert story.delivered[1].started == after(59.3)


def test_a_payload_that_is_gone_is_lived_without() -> None:
    story, first = install()
    story.hears(first.is_("uninstalling", at=60)).hears(first.goes(at=60.02))

    story.answers()

    assert story.ended[1:] == [("uninstall", 1, "success")]


def test_a_release_that_vanishes_between_two_lists_was_uninstalled_between_bounds() -> None:
    story, first = install()

    story.tell(first.goes(at=500, origin=Origin.RELISTED))
    assert not story.ended[1:]  # the rest of the list may still tell of a higher revision
    story.passes(500.1)

    assert story.ended[1:] == [("uninstall", 1, "success")]
    assert story.delivered[1].bounded


def test_one_revision_of_several_that_vanishes_was_pruned() -> None:
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"), first.is_("superseded", at=65))
    story.tell(second.is_("deployed", at=65))

    story.tell(first.goes(at=500, origin=Origin.RELISTED))

    assert story.ended[2:] == []


def test_a_record_that_somebody_deletes_by_hand_ends_nothing() -> None:
    story, first = install()

    story.tell(first.goes(at=60))

    assert story.ended == [("install", 1, "success")]
    assert story.release.empty or story.live


def test_records_that_go_with_their_namespace_were_not_uninstalled() -> None:
    story, first = install()

    story.tell(namespace(at=60, terminating=True))
    story.tell(first.goes(at=61, origin=Origin.RELISTED))

    assert story.ended == [("install", 1, "success")]


def test_an_uninstall_whose_namespace_goes_has_no_known_outcome() -> None:
    story, first = install()

    story.tell(first.is_("uninstalling", at=60), namespace(at=61, terminating=True))
    story.tell(first.goes(at=62))

    assert ended(story.delivered[1].outcome) == (Result.ERROR, ErrorType.OTHER)


def test_a_jump_to_uninstalled_is_an_uninstall_with_bounds() -> None:
    story, first = install()

    story.tell(first.is_("uninstalled", at=500, written=480, origin=Origin.RELISTED))

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.SUCCESS, None)
    assert operation.bounded
    assert operation.ended == after(480)
    assert ListWorkloads("shop", operation.id) not in story.intents


def test_a_jump_from_pending_to_uninstalled_tells_of_both() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))

    story.tell(first.is_("uninstalled", at=500, written=480, origin=Origin.RELISTED))

    assert sorted(story.ended) == [("install", 1, "error"), ("uninstall", 1, "success")]
