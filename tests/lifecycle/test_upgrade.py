"""C N+1 `pending-upgrade` -> H -> U the deployed one `superseded` -> U N+1 `deployed`."""

from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, after, deployment, ended, hook, install


def test_an_upgrade_supersedes_and_the_first_outcome_stays() -> None:
    story, first = install()
    second = Revision(2, created=after(60))

    story.tell(second.is_("pending-upgrade"))
    story.tell(first.is_("superseded", at=65), second.is_("deployed", at=65.1))

    assert story.ended == [("install", 1, "success"), ("upgrade", 2, "success")]
    assert story.delivered[1].ended == after(65.1)


def test_what_is_superseded_need_not_be_the_revision_before() -> None:
    story, first = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story.tell(second.is_("pending-upgrade"), second.is_("failed", at=65))

    story.tell(third.is_("pending-upgrade"))
    story.tell(first.is_("superseded", at=125), third.is_("deployed", at=125.1))

    assert story.ended == [
        ("install", 1, "success"),
        ("upgrade", 2, "failure"),
        ("upgrade", 3, "success"),
    ]


def test_a_failed_upgrade_leaves_the_deployed_one_as_it_is() -> None:
    story, _ = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"))
    story.stored["uid-2"] = second.holds(
        status="failed",
        description='Upgrade "cart" failed: pre-upgrade hooks failed: job migrate failed',
        hooks=(hook("migrate", "pre-upgrade", started=61, phase="Running"),),
    )

    story.tell(second.is_("failed", at=65))

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.FAILURE, ErrorType.HOOK_FAILED)
    [run] = operation.hooks
    assert ended(run.outcome) == (Result.FAILURE, ErrorType.HOOK_FAILED)
    assert run.ended == after(65), "it says Running for ever, and ended with the operation"


def test_deployed_with_a_failed_rollout_is_a_failure() -> None:
    story, _ = install()
    second = Revision(2, created=after(60))

    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
        second.is_("deployed", at=62),
        deployment(
            "b", at=90, applied=60, ready=0, generation=2, reason="ProgressDeadlineExceeded"
        ),
    )

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.FAILURE, ErrorType.PROGRESS_DEADLINE_EXCEEDED)
    assert ended(operation.helm_outcome) == (Result.SUCCESS, None)
    assert operation.ended == after(90)


def test_failed_stays_failed_though_the_rollout_completes_later() -> None:
    story, _ = install()
    second = Revision(2, created=after(60))
    story.tell(
        second.is_("pending-upgrade"), deployment("b", at=61, applied=60, ready=0, generation=2)
    )
    story.stored["uid-2"] = second.holds(
        status="failed", description='Upgrade "cart" failed: timed out waiting for the condition'
    )

    story.tell(second.is_("failed", at=70), deployment("b", at=75, applied=60, generation=2))

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)
    assert ended(operation.rollouts[0].outcome) == (Result.SUCCESS, None)


def test_a_prune_before_the_upgrade_is_no_operation() -> None:
    story, first = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story.tell(second.is_("pending-upgrade"), first.is_("superseded", at=65))
    story.tell(second.is_("deployed", at=65))

    story.tell(first.goes(at=119), third.is_("pending-upgrade"))
    story.tell(second.is_("superseded", at=125), third.is_("deployed", at=125))

    assert story.ended == [
        ("install", 1, "success"),
        ("upgrade", 2, "success"),
        ("upgrade", 3, "success"),
    ]


def test_operations_of_one_release_may_overlap() -> None:
    """A newer operation ends no rollout; a newer template does."""
    story, _ = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(120))
    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
        second.is_("deployed", at=62),
        third.is_("pending-upgrade"),
        second.is_("superseded", at=125),
        third.is_("deployed", at=125),
    )
    assert [op.revision for op in story.release.operations] == [2]

    story.tell(deployment("b", at=130, applied=60, generation=2))

    assert story.ended[1:] == [("upgrade", 3, "success"), ("upgrade", 2, "success")]


def test_another_versions_rewrite_of_a_settled_record_is_nothing() -> None:
    story, first = install()

    story.holds(first).tell(first.is_("deployed", at=50), first.is_("deployed", at=51))

    assert story.ended == [("install", 1, "success")]
    assert story.running == []
