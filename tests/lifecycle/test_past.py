"""What came before this process is asked once, and nothing is told that was told then."""

import pytest

from helmwake.facts.change import Origin
from helmwake.lifecycle.facts import Recalled
from helmwake.lifecycle.intents import Recall
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.state import Past, dump_release, load_release
from helmwake.lifecycle.step import step
from tests.lifecycle.making import CART, Revision, Story, after, hook, install, kinds

OLD = -86400.0


def questions(story: Story) -> int:
    return kinds(story.intents).count("Recall")


def installed_before() -> tuple[Revision, Operation]:
    """A revision that an earlier process saw, and what that process told of it."""
    story, first = install()
    return first, story.only


def revision_with_a_test(*, phase: str = "Succeeded") -> tuple[Revision, Story]:
    """The same, with a test that was told; its hook may say `Running` for ever."""
    story, first = install()
    started = hook("smoke", "test", started=60.25, phase="Running")
    story.holds(first, hooks=(started,)).tell(first.is_("deployed", at=61))
    if phase != "Running":
        ended = hook("smoke", "test", started=60.25, ended=64, phase=phase)
        story.holds(first, hooks=(ended,)).tell(first.is_("deployed", at=65))
    else:
        second = Revision(2, created=after(70))
        story.tell(second.is_("pending-upgrade"), second.goes(at=80))
    return first, story


def test_a_first_revision_has_nothing_before_it() -> None:
    story = Story().tell(Revision(1).is_("pending-install"))

    assert questions(story) == 0
    assert not story.release.operations[0].awaits_past


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback"])
def test_a_later_revision_is_linked_to_what_is_remembered(status: str) -> None:
    _, before = installed_before()
    second = Revision(2, created=after(600))
    story = Story(past=(before,)).tell(second.is_(status), second.is_("deployed", at=605))

    assert questions(story) == 1
    assert story.only.previous == before.as_predecessor()


def test_what_began_later_is_no_predecessor() -> None:
    _, before = installed_before()
    second = Revision(2, created=after(-600))

    story = Story(past=(before,)).tell(
        second.is_("pending-upgrade"), second.is_("deployed", at=-590)
    )

    assert story.only.previous is None


def test_an_upgrade_of_which_all_others_went_still_has_one_before_it() -> None:
    _, before = installed_before()
    second = Revision(2, created=after(600))

    story = Story(past=(before,)).tell(second.is_("pending-upgrade"))

    assert story.release.operations[0].previous == before.as_predecessor()


def test_an_operation_is_not_final_before_its_past_is_told() -> None:
    story, second = Story(), Revision(2)
    story.hears(second.is_("pending-upgrade")).hears(second.is_("deployed", at=5))
    recall = Recall(CART)
    assert recall in story.open
    story.open.remove(recall)
    story.answers()
    assert story.delivered == []

    story.hears(Recalled(operations=(), seen=after(9)))

    assert story.ended == [("upgrade", 2, "success")]
    assert story.only.ended == after(5), "the answer's time is not its end"


def test_the_past_is_asked_once() -> None:
    story = Story()
    for number in (2, 3, 4):
        revision = Revision(number, created=after(60 * number))
        story.tell(revision.is_("pending-upgrade"), revision.is_("deployed", at=60 * number + 5))

    assert questions(story) == 1


def test_a_second_answer_changes_nothing() -> None:
    _, before = installed_before()
    story = Story(past=(before,)).tell(Revision(2, created=after(60)).is_("pending-upgrade"))
    assert story.release.past is Past.TOLD

    assert step(story.release, Recalled(operations=(before,), seen=after(99))) == (
        story.release,
        (),
    )


def test_an_answer_that_nobody_asked_for_is_taken() -> None:
    _, before = installed_before()

    story = Story().tell(Recalled(operations=(before,), seen=after(20)))

    assert before.id in story.release.settled
    story.tell(Revision(2, created=after(60)).is_("pending-upgrade"))
    assert questions(story) == 0
    assert story.release.operations[0].previous == before.as_predecessor()


@pytest.mark.parametrize("status", ["deployed", "failed", "superseded"])
@pytest.mark.parametrize("origin", [Origin.RELISTED, Origin.HISTORY, Origin.INITIAL])
def test_a_record_whose_operation_was_told_makes_none(status: str, origin: Origin) -> None:
    first, before = installed_before()
    story = Story(past=(before,)).holds(first)

    story.tell(first.is_(status, at=900, written=66, origin=origin))

    assert (story.running, story.ended) == ([], [])


@pytest.mark.parametrize("status", ["pending-install", "uninstalling"])
def test_what_was_left_behind_and_told_does_not_begin_again(status: str) -> None:
    """A later revision abandoned it: its record says so never."""
    first, second = Revision(1), Revision(2, created=after(60))
    installed = installed_before()[1] if status == "uninstalling" else None
    told = Story().tell(first.is_(status), second.is_("pending-rollback"))
    assert [op.revision for op in told.delivered] == [1]
    past = (*told.delivered, *([installed] if installed else []))

    for origin in (Origin.RELISTED, Origin.INITIAL, Origin.HISTORY):
        story = Story(past=past)
        story.tell(first.is_(status, at=900, written=0, origin=origin))
        assert (story.running, story.ended) == ([], []), origin


def test_an_uninstall_that_was_told_is_not_told_again_when_its_record_is_rewritten() -> None:
    told, first = install()
    told.tell(first.is_("uninstalling", at=60), first.is_("uninstalled", at=62))
    story = Story(past=tuple(told.delivered))

    story.tell(first.is_("uninstalled", at=900, written=70, origin=Origin.RELISTED))

    assert (story.running, story.ended) == ([], [])


def test_facts_wait_in_their_order_until_the_past_is_told() -> None:
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story = Story()
    facts = (
        second.is_("pending-upgrade", at=900, written=60, origin=Origin.RELISTED),
        third.is_("pending-rollback", at=900, written=120, origin=Origin.RELISTED),
        third.is_("deployed", at=901),
    )
    for fact in (*facts, facts[0]):
        story.hears(fact)
    assert story.release.held == facts
    assert not story.release.empty
    assert story.running == []

    story.answers()

    assert story.ended == [("upgrade", 2, "error"), ("rollback", 3, "success")]


def test_what_is_watched_begins_at_once() -> None:
    story = Story().hears(Revision(2).is_("pending-upgrade"))

    assert story.running == ["upgrade"]


def test_each_of_several_payloads_that_waited_is_an_answer() -> None:
    """They may come in another order than they were asked for."""
    told_first, told = revision_with_a_test()
    story = Story().hears(told_first.is_("uninstalling", at=900, origin=Origin.RELISTED))
    story.hears(Recalled(operations=tuple(told.delivered), seen=after(900)))
    story.holds(told_first)
    story.answers()
    story.tell(told_first.goes(at=901))

    assert story.ended == [("uninstall", 1, "success")]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed", "Running"])
def test_a_test_that_was_told_is_not_told_again(phase: str) -> None:
    first, told = revision_with_a_test(phase=phase)
    assert [op.kind for op in told.delivered][:2] == ["install", "test"]
    ended = None if phase == "Running" else 64.0
    story = Story(past=tuple(told.delivered))
    story.holds(first, hooks=(hook("smoke", "test", started=60.25, ended=ended, phase=phase),))

    for at, origin in ((900, Origin.RELISTED), (901, Origin.WATCHED)):
        story.tell(first.is_("deployed", at=at, written=899, origin=origin))

    assert (story.running, story.ended) == ([], [])


def test_the_next_test_is_told_with_its_own_runs_alone() -> None:
    first, told = revision_with_a_test(phase="Running")
    story = Story(past=tuple(told.delivered))
    story.tell(first.is_("deployed", at=0, written=OLD, origin=Origin.INITIAL))
    smoke = hook("smoke", "test", started=60.25, phase="Running")
    load = hook("load", "test", started=900.5, ended=905)

    story.holds(first, hooks=(smoke, load)).tell(first.is_("deployed", at=906))

    [test] = story.delivered
    assert [run.name for run in test.hooks] == ["load"]
    assert test.id.start == after(900.5)


def test_runs_of_one_revision_leave_those_of_another_known() -> None:
    first, told = revision_with_a_test()
    second = Revision(2, created=after(600))
    told.tell(second.is_("pending-upgrade")).holds(
        second, hooks=(hook("migrate", "pre-upgrade", started=601, ended=602),)
    )
    told.tell(second.is_("deployed", at=605), first.is_("superseded", at=605))
    story = Story(past=tuple(told.delivered))
    story.holds(first, hooks=(hook("smoke", "test", started=60.25, ended=64),)).holds(second)

    story.tell(
        first.is_("superseded", at=900, written=605, origin=Origin.RELISTED),
        second.is_("deployed", at=900, written=605, origin=Origin.RELISTED),
        first.is_("superseded", at=950, written=949, origin=Origin.RELISTED),
    )

    assert story.ended == []


@pytest.mark.parametrize("status", ["deployed", "failed", "superseded", "uninstalled"])
def test_what_is_settled_and_no_news_asks_nothing(status: str) -> None:
    story = Story().tell(Revision(3).is_(status, at=0, written=OLD, origin=Origin.INITIAL))

    assert story.intents == []


def test_a_release_that_waits_for_its_past_is_the_same_after_a_round_trip() -> None:
    first, told = revision_with_a_test()
    second = Revision(2, created=after(600))
    story = Story(past=tuple(told.delivered)).holds(first)
    story.hears(second.is_("pending-upgrade", at=900, origin=Origin.RELISTED))
    story.hears(first.fetched(first.holds(), at=901))
    assert len(story.release.held) == 2

    restored = load_release(dump_release(story.release))

    assert restored == story.release
    answer = Recalled(operations=tuple(told.delivered), seen=after(902))
    assert step(restored, answer) == step(story.release, answer)
