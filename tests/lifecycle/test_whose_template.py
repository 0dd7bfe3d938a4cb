"""A rollout is a pod template that Helm changed within the operation, and nothing else is."""

from helmwake.facts.change import Origin
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, install


def upgrading(*, at: float = 60) -> tuple[Story, Revision]:
    story, first = install()
    second = Revision(2, created=after(at))
    story.holds(first).tell(second.is_("pending-upgrade"))
    return story, second


def test_a_deployment_may_be_seen_before_its_record() -> None:
    story, first = install()
    second = Revision(2, created=after(60))

    story.tell(deployment("b", at=60.2, applied=60, ready=0, generation=2))
    story.tell(second.is_("pending-upgrade", at=60.206), second.is_("deployed", at=61))
    assert story.running == ["upgrade"]
    story.tell(deployment("b", at=70, applied=60, generation=2))

    assert first.number == 1
    assert [rollout.template for rollout in story.delivered[1].rollouts] == ["b"]
    assert story.delivered[1].ended == after(70)


def test_a_deployment_may_be_first_seen_after_the_terminal_write_by_the_list() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    unseen = deployment("a", at=4, applied=0, ready=0)
    story.live[unseen.uid] = unseen

    story.tell(first.is_("deployed", at=5))
    assert story.running == ["install"]

    story.tell(deployment("a", at=9, applied=0))
    assert len(story.only.rollouts) == 1


def test_a_deployment_that_the_list_shows_ready_is_a_finished_rollout() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    ready = deployment("a", at=4, applied=0)
    story.live[ready.uid] = ready

    story.tell(first.is_("deployed", at=5))

    assert ended(story.only.rollouts[0].outcome) == (Result.SUCCESS, None)


def test_an_upgrade_that_changes_no_template_rolls_nothing_out() -> None:
    story, second = upgrading()

    story.tell(deployment("a", at=61, applied=60, generation=2), second.is_("deployed", at=62))

    assert story.delivered[1].rollouts == ()
    assert story.delivered[1].ended == after(62)


def test_scaling_is_no_rollout() -> None:
    """HPA and `kubectl scale` change the generation, and the replicas for a while."""
    story, second = upgrading()

    story.tell(
        deployment("a", at=61, applied=0, generation=2, wanted=9, ready=2, updated=2, replicas=2),
        second.is_("deployed", at=62),
    )

    assert story.delivered[1].rollouts == ()


def test_scaling_while_a_template_rolls_out_moves_its_goal() -> None:
    story, second = upgrading()
    story.tell(
        deployment("b", at=61, applied=60, ready=0, generation=2), second.is_("deployed", at=62)
    )

    story.tell(deployment("b", at=65, applied=60, generation=3, wanted=3, ready=2, updated=2))
    assert story.running == ["upgrade"]
    story.tell(deployment("b", at=70, applied=60, generation=3, wanted=3))

    assert ended(story.delivered[1].rollouts[0].outcome) == (Result.SUCCESS, None)


def test_a_restart_supersedes_and_starts_no_rollout_of_helms() -> None:
    story, second = upgrading()
    story.tell(
        deployment("b", at=61, applied=60, ready=0, generation=2), second.is_("deployed", at=62)
    )

    story.tell(deployment("b-restarted", at=70, applied=60, ready=0, generation=3))

    operation = story.delivered[1]
    [only] = operation.rollouts
    assert ended(only.outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)
    assert only.ended == after(70)
    assert ended(operation.outcome) == (Result.SUCCESS, None)


def test_a_restart_during_an_operation_is_not_the_operations() -> None:
    story, second = upgrading()

    story.tell(deployment("a-restarted", at=63, applied=0, ready=0, generation=2))
    story.tell(second.is_("deployed", at=64))

    assert story.delivered[1].rollouts == ()


def test_the_next_upgrades_template_supersedes() -> None:
    story, second = upgrading()
    third = Revision(3, created=after(120))
    story.tell(
        deployment("b", at=61, applied=60, ready=0, generation=2),
        second.is_("deployed", at=62),
        third.is_("pending-upgrade"),
    )
    assert story.running == ["upgrade", "upgrade"]

    story.tell(deployment("c", at=121, applied=120, ready=0, generation=3))

    assert story.ended[1:] == [("upgrade", 2, "success")]
    [old] = story.delivered[1].rollouts
    assert ended(old.outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)
    assert old.ended == after(121)
    [new] = story.release.operations[0].rollouts
    assert new.running


def test_where_helm_applies_twice_the_later_template_counts() -> None:
    story, second = upgrading()

    story.tell(
        deployment("b", at=61, applied=60, ready=0, generation=2),
        deployment("c", at=65, applied=65, ready=0, generation=3),
        second.is_("deployed", at=66),
        deployment("c", at=70, applied=65, generation=3),
    )

    assert [rollout.template for rollout in story.delivered[1].rollouts] == ["c"]
    assert ended(story.delivered[1].outcome) == (Result.SUCCESS, None)


def test_a_template_from_before_the_operation_is_not_its_own() -> None:
    story = Story()
    second = Revision(2, created=after(60))
    old = deployment("a", at=0, applied=-3600, origin=Origin.INITIAL)

    story.tell(old, second.is_("pending-upgrade"), second.is_("deployed", at=62))

    assert story.only.rollouts == ()


def test_a_template_that_helm_changes_after_its_terminal_write_is_another_operations() -> None:
    story, second = upgrading()
    story.tell(
        deployment("b", at=61, applied=60, ready=0, generation=2), second.is_("deployed", at=62)
    )
    assert story.running == ["upgrade"]

    story.tell(deployment("x", at=201, applied=200, ready=0, uid="uid-x", name="db"))

    assert [len(op.rollouts) for op in story.release.operations] == [1]


def test_in_the_second_that_two_operations_share_the_running_one_takes_it() -> None:
    story, second = upgrading()
    third = Revision(3, created=after(65))
    story.tell(second.is_("failed", at=65), third.is_("pending-rollback", at=65.01))

    story.tell(deployment("b", at=65.5, applied=65, ready=0, generation=2))

    assert [op.revision for op in story.release.operations if op.rollouts] == [3]


def test_an_older_version_of_a_workload_changes_nothing() -> None:
    story, _ = upgrading()
    late = deployment("a", at=61, applied=0, ready=0)
    newer = deployment("b", at=61, applied=60, ready=0, generation=2)
    story.tell(newer)
    before = story.release

    story.tell(late)

    assert story.release == before
