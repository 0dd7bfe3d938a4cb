"""Watches lapse and re-list: any jump is legal, and what happened in the gap is told."""

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from tests.lifecycle.making import Revision, Story, after, deployment, hook, install


def relisted(revision: Revision, status: str, *, at: float = 500, written: float) -> Record:
    return revision.is_(status, at=at, written=written, origin=Origin.RELISTED)


@pytest.mark.parametrize(
    ("status", "result"),
    [("deployed", "success"), ("failed", "failure"), ("superseded", "success")],
)
def test_a_running_operation_may_jump_to_any_end(status: str, result: str) -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))

    story.tell(relisted(second, status, written=44))

    assert story.ended == [("upgrade", 2, result)]


def test_its_end_is_the_last_write_and_not_when_it_was_found() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))

    story.tell(relisted(second, "deployed", written=44))

    assert story.only.ended == after(44)


def test_a_superseded_ones_end_is_when_it_superseded_another() -> None:
    story, first = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story.tell(second.is_("pending-upgrade"))

    story.tell(
        relisted(first, "superseded", written=66),
        relisted(second, "superseded", written=126),
        relisted(third, "deployed", written=126),
    )

    [upgrade] = [op for op in story.delivered if op.revision == 2]
    assert upgrade.ended == after(66)


@pytest.mark.parametrize(
    ("number", "fields", "kind"),
    [
        (1, {}, "install"),
        (2, {}, "upgrade"),
        (2, {"first_deployed": after(60), "last_deployed": after(60)}, "install"),
        (2, {"rollback_revision": 1}, "rollback"),
    ],
)
def test_an_operation_of_which_only_the_result_is_left_is_sorted_by_its_payload(
    number: int, fields: dict[str, object], kind: str
) -> None:
    revision = Revision(number, created=after(60))
    story = Story().holds(revision, **fields)

    story.tell(relisted(revision, "deployed", written=66))

    assert story.ended == [(kind, number, "success")]
    assert (story.only.started, story.only.ended) == (after(60), after(66))


@pytest.mark.parametrize(("number", "kind"), [(1, "install"), (2, "upgrade")])
def test_without_its_payload_the_revision_tells(number: int, kind: str) -> None:
    revision = Revision(number, created=after(60))

    story = Story().tell(relisted(revision, "failed", written=66))

    assert story.ended == [(kind, number, "failure")]


def test_its_rollouts_are_found_too() -> None:
    story, first = install()
    second = Revision(2, created=after(60))
    story.holds(second)

    story.tell(
        deployment("b", at=500, applied=61, generation=2, origin=Origin.RELISTED),
        relisted(first, "superseded", written=66),
        relisted(second, "deployed", written=66),
    )

    assert story.ended[1:] == [("upgrade", 2, "success")]
    [rollout] = story.delivered[1].rollouts
    assert (rollout.template, rollout.started) == ("b", after(61))


def test_several_revisions_of_one_gap_are_an_operation_each() -> None:
    story, first = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story.holds(second).holds(third)

    story.tell(
        relisted(first, "superseded", written=66),
        relisted(second, "superseded", written=126),
        relisted(third, "deployed", written=126),
    )

    assert story.ended[1:] == [("upgrade", 2, "success"), ("upgrade", 3, "success")]


def test_a_pending_one_found_in_a_gap_still_runs() -> None:
    second = Revision(2, created=after(60))

    story = Story().tell(relisted(second, "pending-upgrade", written=60))

    assert story.running == ["upgrade"]
    assert story.release.operations[0].started == after(60)


def test_a_name_that_is_taken_anew_in_a_gap_was_uninstalled_and_installed() -> None:
    story, _ = install()
    again = Revision(1, created=after(300), uid="uid-again")
    story.holds(again)

    story.tell(relisted(again, "deployed", written=305))

    assert sorted(story.ended) == [
        ("install", 1, "success"),
        ("install", 1, "success"),
        ("uninstall", 1, "success"),
    ]
    assert story.delivered[-1].id.uid == "uid-again"


def test_a_test_whose_start_was_lost_is_told_with_its_end() -> None:
    story, first = install()
    story.holds(first, hooks=(hook("smoke", "test", started=60, ended=64),))

    story.tell(relisted(first, "deployed", written=64))

    assert story.ended[1:] == [("test", 1, "success")]
    assert story.delivered[1].ended == after(64)
