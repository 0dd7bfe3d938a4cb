"""History that is wanted becomes operations: told, and not counted."""

from dataclasses import replace

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, hook

OLD = -3600.0


def old(number: int = 1) -> Revision:
    return Revision(number, created=after(OLD + 60 * number))


def filled_in(revision: Revision, status: str, *, written: float | None = None) -> Record:
    """A first list shows it, and it is within the window."""
    written = OLD + 60 * revision.number + 5 if written is None else written
    return revision.is_(status, at=0, written=written, origin=Origin.HISTORY)


@pytest.mark.parametrize(
    ("status", "result"),
    [("deployed", "success"), ("failed", "failure"), ("superseded", "success")],
)
def test_what_is_settled_is_told_as_history(status: str, result: str) -> None:
    first = old()
    story = Story().holds(first).tell(filled_in(first, status))

    assert story.ended == [("install", 1, result)]
    assert story.only.history
    assert story.only.started == first.created


def test_it_ends_with_its_last_write() -> None:
    first = old()
    story = Story().holds(first).tell(filled_in(first, "deployed"))

    assert story.only.ended == after(OLD + 65)


def test_each_of_several_revisions_is_linked_to_the_one_before() -> None:
    first, second, third = old(1), old(2), old(3)
    story = Story().holds(first).holds(second).holds(third, rollback_revision=1)

    story.tell(
        filled_in(first, "superseded", written=OLD + 125),
        filled_in(second, "failed"),
        filled_in(third, "deployed"),
    )

    assert [(kind, n) for kind, n, _ in story.ended] == [
        ("install", 1),
        ("upgrade", 2),
        ("rollback", 3),
    ]
    assert all(op.history for op in story.delivered)
    assert [op.previous and op.previous.revision for op in story.delivered] == [None, 1, 2]


def test_its_rollouts_are_found_where_they_still_are() -> None:
    first = old()
    story = Story().holds(first)
    story.live["uid-d"] = deployment("a", at=0, applied=OLD + 61, origin=Origin.RELISTED)

    story.tell(filled_in(first, "deployed"))

    assert [rollout.template for rollout in story.only.rollouts] == ["a"]


@pytest.mark.parametrize("again", [Origin.HISTORY, Origin.RELISTED, Origin.INITIAL])
def test_it_is_told_once(again: Origin) -> None:
    first = old()
    story = Story().holds(first).tell(filled_in(first, "deployed"))

    story.tell(first.is_("superseded", at=90, written=80, origin=again))

    assert len(story.delivered) == 1


def test_what_the_ledger_has_is_not_filled_in_again() -> None:
    first = old()
    told = Story().holds(first).tell(filled_in(first, "deployed"))

    story = Story(past=tuple(told.delivered)).holds(first).tell(filled_in(first, "deployed"))

    assert story.ended == []


def test_an_uninstall_that_kept_its_history_is_told_with_what_it_undid() -> None:
    first = old()
    story = Story().holds(first, deleted=after(OLD + 100))

    story.tell(filled_in(first, "uninstalled", written=OLD + 102))

    assert sorted(story.ended) == [("install", 1, "error"), ("uninstall", 1, "success")]
    assert all(op.history for op in story.delivered)


def test_a_test_is_filled_in_with_its_revision() -> None:
    first = old()
    smoke = hook("smoke", "test", started=OLD + 90, ended=OLD + 95)

    story = Story().holds(first, hooks=(smoke,)).tell(filled_in(first, "deployed"))

    assert sorted(story.ended) == [("install", 1, "success"), ("test", 1, "success")]
    assert all(op.history for op in story.delivered)


def test_what_still_runs_ends_as_news() -> None:
    first = old()
    story = Story().tell(filled_in(first, "pending-install"))
    assert [op.history for op in story.release.operations] == [True]

    story.tell(first.is_("deployed", at=5))

    assert story.ended == [("install", 1, "success")]
    assert not story.only.history
    assert story.only.started == first.created


@pytest.mark.parametrize(("origin", "history"), [(Origin.HISTORY, True), (Origin.WATCHED, False)])
def test_what_a_later_revision_left_behind_is_told(origin: Origin, *, history: bool) -> None:
    second, third = old(2), old(3)
    story = Story().tell(filled_in(second, "pending-upgrade"))
    at = 0 if origin is Origin.HISTORY else 30
    story.holds(third)

    story.tell(third.is_("pending-rollback", at=at, origin=origin))

    [abandoned] = story.delivered
    assert abandoned.revision == 2
    assert ended(abandoned.outcome) == (Result.ERROR, ErrorType.ABANDONED)
    assert abandoned.history is history


def test_a_pending_revision_below_one_that_is_not_wanted_is_not_told() -> None:
    second, third = old(2), old(3)
    story = Story().tell(filled_in(second, "pending-upgrade"))

    story.tell(third.is_("deployed", at=0, written=OLD + 185, origin=Origin.INITIAL))

    assert (story.running, story.ended) == ([], [])


def test_the_order_of_what_is_filled_in_begins_nothing_that_is_over() -> None:
    second, third = old(2), old(3)
    story = Story().holds(third).tell(filled_in(third, "deployed"))

    story.tell(filled_in(second, "pending-upgrade", written=OLD + 120))

    assert story.running == []


def test_news_on_history_is_counted() -> None:
    first = old()
    story = Story().holds(first).tell(filled_in(first, "deployed"))

    story.tell(first.is_("uninstalling", at=50), first.goes(at=51))

    assert [(op.kind.value, op.history) for op in story.delivered] == [
        ("install", True),
        ("uninstall", False),
    ]


def test_a_test_that_runs_after_it_is_news() -> None:
    first = old()
    story = Story().holds(first).tell(filled_in(first, "deployed"))

    story.holds(first, hooks=(hook("smoke", "test", started=30.5, ended=35),))
    story.tell(first.is_("deployed", at=36))

    assert [(op.kind.value, op.history) for op in story.delivered] == [
        ("install", True),
        ("test", False),
    ]


def test_history_without_its_payload_is_told_by_its_revision() -> None:
    second = old(2)

    story = Story().tell(filled_in(second, "deployed"))

    assert story.ended == [("upgrade", 2, "success")]
    assert story.only.history


def test_history_that_still_rolls_out_is_waited_for() -> None:
    first = old()
    story = Story().holds(first)
    story.live["uid-d"] = deployment("a", at=0, applied=OLD + 61, ready=0, origin=Origin.RELISTED)
    story.tell(filled_in(first, "deployed", written=-1))

    story.passes(until=1)

    assert story.ended == [("install", 1, "timeout")]
    assert story.only.history


def test_of_a_record_that_an_earlier_process_had_read_only_what_came_later_is_news() -> None:
    """An upgrade that nobody saw superseded it: that made no second install of it."""
    first, second = Revision(1), Revision(2, created=after(600))
    story = Story()
    story.holds(first).holds(second)

    known = first.is_("superseded", at=700, written=605, origin=Origin.RELISTED)
    story.tell(
        replace(known, told_until=after(300)),
        replace(
            second.is_("deployed", at=700, written=605, origin=Origin.RELISTED),
            told_until=after(300),
        ),
    )
    story.passes(800)

    assert story.ended == [("upgrade", 2, "success")]


def test_its_tests_are_news_if_they_ran_later() -> None:
    first = Revision(1)
    story = Story()
    old = hook("old", "test", started=100, ended=104)
    new = hook("smoke", "test", started=400, ended=404, weight=1)
    story.holds(first, hooks=(old, new))

    known = first.is_("deployed", at=700, written=404, origin=Origin.RELISTED)
    story.tell(replace(known, told_until=after(300)))

    assert story.ended == [("test", 1, "success")]
    assert [run.name for run in story.only.hooks] == ["smoke"]
