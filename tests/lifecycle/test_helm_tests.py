"""`helm test` writes a settled record once per hook start and once at its end."""

from helmwake.facts.change import Origin
from helmwake.facts.payload import Hook
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, hook, install


def hooks_say(story: Story, revision: Revision, *hooks: Hook, at: float) -> None:
    story.hears(revision.is_(revision.status.value, at=at))
    story.holds(revision, hooks=hooks).answers()


def test_a_test_runs_from_its_first_hooks_start_to_the_last_write() -> None:
    story, first = install()

    hooks_say(story, first, hook("smoke", "test", started=60.4, phase="Running"), at=60.5)
    assert story.running == ["test"]
    hooks_say(story, first, hook("smoke", "test", started=60.4, ended=64), at=65)

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.SUCCESS, None)
    assert operation.id.start == after(60.4)
    assert (operation.started, operation.ended) == (after(60.4), after(65))
    [run] = operation.hooks
    assert (run.event, run.started, run.ended) == ("test", after(60.4), after(64))


def test_its_hooks_run_one_after_another() -> None:
    story, first = install()
    smoke = hook("smoke", "test", started=60, ended=64)

    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(
        story, first, smoke, hook("load", "test", started=64, phase="Running", weight=1), at=64
    )
    assert story.running == ["test"]
    hooks_say(story, first, smoke, hook("load", "test", started=64, ended=70, weight=1), at=70)

    assert [run.name for run in story.delivered[1].hooks] == ["smoke", "load"]
    assert story.ended[1:] == [("test", 1, "success")]


def test_a_failed_test_fails_and_the_release_stays_deployed() -> None:
    story, first = install()

    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(story, first, hook("smoke", "test", started=60, ended=64, phase="Failed"), at=64)

    operation = story.delivered[1]
    assert ended(operation.outcome) == (Result.FAILURE, ErrorType.TEST_FAILED)
    assert operation.status.value == "deployed"
    assert operation.outcome is not None
    assert "smoke" in operation.outcome.message


def test_a_repeated_test_is_another_operation() -> None:
    story, first = install()
    for at in (60, 120):
        hooks_say(story, first, hook("smoke", "test", started=at, phase="Running"), at=at)
        hooks_say(story, first, hook("smoke", "test", started=at, ended=at + 4), at=at + 5)

    assert story.ended[1:] == [("test", 1, "success"), ("test", 1, "success")]
    assert [op.id.start for op in story.delivered[1:]] == [after(60), after(120)]


def test_a_repeated_test_abandons_one_whose_client_died() -> None:
    story, first = install()

    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(story, first, hook("smoke", "test", started=120, phase="Running"), at=120)
    hooks_say(story, first, hook("smoke", "test", started=120, ended=124), at=125)

    assert story.ended[1:] == [("test", 1, "error"), ("test", 1, "success")]
    assert ended(story.delivered[1].outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_a_filter_hides_the_other_hooks_for_a_while_and_ends_nothing() -> None:
    story, first = install()
    smoke = hook("smoke", "test", started=60, ended=64)
    load = hook("load", "test", started=64, ended=68, weight=1)
    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(story, first, smoke, load, at=70)

    hooks_say(story, first, hook("load", "test", started=100, phase="Running", weight=1), at=100)
    hooks_say(story, first, smoke, hook("load", "test", started=100, ended=104, weight=1), at=105)

    assert story.ended[1:] == [("test", 1, "success"), ("test", 1, "success")]
    assert [run.name for run in story.delivered[2].hooks] == ["load"]


def test_a_test_of_which_only_the_end_was_fetched_is_one_operation() -> None:
    story, first = install()

    hooks_say(story, first, hook("smoke", "test", started=60, ended=64), at=65)

    assert story.ended[1:] == [("test", 1, "success")]
    assert (story.delivered[1].started, story.delivered[1].ended) == (after(60), after(65))


def test_a_hook_that_ran_at_install_begins_no_test() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, hooks=(hook("smoke", "post-install", "test", started=3, ended=4),))

    story.tell(first.is_("deployed", at=5), first.is_("deployed", at=50))

    assert story.ended == [("install", 1, "success")]
    assert [run.event for run in story.only.hooks] == ["post-install"]


def test_a_test_while_the_install_still_rolls_out_is_none_of_its_hooks() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        first.is_("deployed", at=5),
    )

    both = ("post-install", "test")
    hooks_say(story, first, hook("smoke", *both, started=60, phase="Running"), at=60)
    hooks_say(story, first, hook("smoke", *both, started=60, ended=64), at=65)
    story.tell(deployment("a", at=70, applied=0))

    assert story.ended == [("test", 1, "success"), ("install", 1, "success")]
    assert story.delivered[1].hooks == ()


def test_a_test_of_a_failed_revision_is_a_test_too() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"), first.is_("failed", at=5))

    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(story, first, hook("smoke", "test", started=60, ended=61), at=62)

    assert story.ended == [("install", 1, "failure"), ("test", 1, "success")]


def test_an_upgrade_abandons_a_running_test() -> None:
    story, first = install()
    second = Revision(2, created=after(100))
    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)

    story.tell(second.is_("pending-upgrade"))

    assert story.ended[1:] == [("test", 1, "error")]
    assert story.delivered[1].ended == after(100)


def test_a_silent_test_is_stuck() -> None:
    story, first = install()
    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)

    story.passes(3600)

    assert [op.stuck for op in story.release.operations] == [True]


def test_a_test_whose_hook_was_interrupted_is_an_error() -> None:
    story, first = install()
    hooks_say(story, first, hook("smoke", "test", started=60, phase="Running"), at=60)
    hooks_say(story, first, hook("smoke", "test", started=60, ended=64, phase="Unknown"), at=64)

    assert ended(story.delivered[1].outcome) == (Result.ERROR, ErrorType.OTHER)


def test_a_payload_that_is_newer_than_the_known_record_dates_the_test() -> None:
    """The record may be what an earlier process had seen of it."""
    story, first = install()
    known = first.version
    story.holds(first, hooks=(hook("smoke", "test", started=60.4, ended=64),))
    payload = first.holds(
        hooks=(hook("smoke", "test", started=60.4, ended=64),),
        resource_version=f"{known}0",
        seen=after(66),
    )

    story.hears(first.fetched(payload, at=66)).answers()

    operation = story.delivered[1]
    assert (operation.started, operation.ended) == (after(60.4), after(64))


def test_runs_against_the_order_of_hooks_are_of_two_tests() -> None:
    """After a gap, one payload may show the end of one test and the beginning of another."""
    story, first = install()
    story.hears(first.is_("deployed", at=70, origin=Origin.RELISTED))
    second = hook("b", "test", started=60, ended=62)

    story.holds(first, hooks=(second, hook("a", "test", started=64, phase="Running")))
    story.answers()
    assert story.running == ["test"]
    assert story.ended[1:] == [("test", 1, "success")]
    hooks_say(story, first, hook("a", "test", started=64, ended=72), second, at=73)

    assert story.ended[1:] == [("test", 1, "success"), ("test", 1, "success")]
    assert [[run.name for run in each.hooks] for each in story.delivered[1:]] == [["b"], ["a"]]


def test_a_test_whose_end_was_overwritten_is_unknown_not_abandoned() -> None:
    story, first = install()
    hooks_say(story, first, hook("a", "test", started=60, phase="Running"), at=60)

    story.hears(first.is_("deployed", at=80, origin=Origin.RELISTED))
    story.holds(first, hooks=(hook("a", "test", started=70, ended=72),)).answers()

    assert story.ended[1:] == [("test", 1, "error"), ("test", 1, "success")]
    assert ended(story.delivered[1].outcome) == (Result.ERROR, ErrorType.OTHER)
