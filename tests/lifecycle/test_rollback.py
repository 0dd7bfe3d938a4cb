"""C `pending-rollback` -> H -> U the deployed ones `superseded` -> U `deployed`."""

from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import (
    Revision,
    Story,
    after,
    deployment,
    ended,
    hook,
    install,
)


def upgraded() -> tuple[Story, Revision, Revision]:
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"), first.is_("superseded", at=65))
    story.tell(second.is_("deployed", at=65))
    return story, first, second


def test_a_rollback_is_a_revision_of_its_own() -> None:
    story, _, second = upgraded()
    third = Revision(3, created=after(120))
    story.tell(third.is_("pending-rollback"))
    story.holds(third, rollback_revision=1)

    story.tell(second.is_("superseded", at=125), third.is_("deployed", at=125))

    assert story.ended[2:] == [("rollback", 3, "success")]
    payload = story.delivered[2].payload
    assert payload is not None
    assert payload.rollback_revision == 1


def test_a_rollback_whose_pods_are_never_ready_is_a_failure() -> None:
    story, *_ = upgraded()
    third = Revision(3, created=after(120))
    story.tell(third.is_("pending-rollback"))
    story.stored["uid-3"] = third.holds(
        status="failed", description='Release "cart" failed: resource not ready'
    )

    story.tell(third.is_("failed", at=180))

    assert story.ended[2:] == [("rollback", 3, "failure")]


def test_an_apply_error_supersedes_even_a_pending_revision() -> None:
    story, *_ = upgraded()
    third, fourth = Revision(3, created=after(120)), Revision(4, created=after(180))
    story.tell(third.is_("pending-upgrade"))

    story.tell(
        fourth.is_("pending-rollback"),
        third.is_("superseded", at=181),
        fourth.is_("failed", at=181),
    )

    assert story.ended[2:] == [("upgrade", 3, "error"), ("rollback", 4, "failure")]
    assert ended(story.delivered[2].outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_a_hook_error_leaves_it_pending_until_something_else_begins() -> None:
    story, *_ = upgraded()
    third, fourth = Revision(3, created=after(120)), Revision(4, created=after(180))
    story.tell(third.is_("pending-rollback"))
    story.holds(third, hooks=(hook("check", "pre-rollback", started=121, phase="Running"),))
    story.tell(third.is_("pending-rollback", at=121))

    story.tell(fourth.is_("pending-rollback"))

    operation = story.delivered[2]
    assert ended(operation.outcome) == (Result.ERROR, ErrorType.ABANDONED)
    assert operation.helm_ended == after(180)
    assert ended(operation.hooks[0].outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_the_targets_old_hook_runs_are_none_of_the_rollbacks() -> None:
    story, *_ = upgraded()
    third = Revision(3, created=after(120))
    story.tell(third.is_("pending-rollback"))
    story.holds(
        third,
        hooks=(
            hook("check", "pre-rollback", started=-500, ended=-490),
            hook("warm", "post-rollback", started=122, ended=123),
        ),
    )

    story.tell(third.is_("deployed", at=125))

    assert [run.name for run in story.delivered[2].hooks] == ["warm"]


def test_the_targets_old_test_runs_begin_no_test() -> None:
    story, *_ = upgraded()
    third = Revision(3, created=after(120))
    story.tell(third.is_("pending-rollback"))
    story.holds(third, hooks=(hook("smoke", "test", started=-500, ended=-490),))

    story.tell(third.is_("deployed", at=125), third.is_("deployed", at=130))

    assert [kind for kind, *_ in story.ended] == ["install", "upgrade", "rollback"]


def test_atomic_upgrade_fails_and_a_rollback_remedies_it() -> None:
    story, first = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(70))
    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
        second.is_("failed", at=70),
        third.is_("pending-rollback", at=70.01),
        deployment("a", at=70.5, applied=70, ready=2, generation=3),
        first.is_("superseded", at=71),
        third.is_("deployed", at=71),
    )

    assert story.ended[1:] == [("upgrade", 2, "failure"), ("rollback", 3, "success")]
    failed, remedy = story.delivered[1:]
    assert ended(failed.rollouts[0].outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)
    assert remedy.previous is not None
    assert remedy.previous.id == failed.id
    assert remedy.previous.failed


def test_a_remedy_links_to_a_failure_that_is_not_final_yet() -> None:
    story, _ = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(70))
    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
        second.is_("failed", at=70),
        third.is_("pending-rollback", at=70.01),
        third.is_("deployed", at=71),
    )

    assert story.running == ["upgrade"]
    [remedy] = story.delivered[1:]
    assert remedy.previous is not None
    assert (remedy.previous.revision, remedy.previous.failed) == (2, True)
