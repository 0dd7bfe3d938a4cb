"""What nothing else ends is ended by time, and somebody wakes for it."""

from helmwake.lifecycle.facts import Tick
from helmwake.lifecycle.intents import WakeAt
from helmwake.lifecycle.limits import DEFAULT_LIMITS
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, install

LIMIT = DEFAULT_LIMITS.rollout.total_seconds()
GIVEN_UP = DEFAULT_LIMITS.after_failure.total_seconds()


def hanging() -> Story:
    first = Revision(1)
    return Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=1),
        first.is_("deployed", at=2),
    )


def failing(*, quota: str = "") -> Story:
    story, _ = install()
    second = Revision(2, created=after(60))
    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2, quota=quota),
    )
    story.stored["uid-2"] = second.holds(
        status="failed", description='Upgrade "cart" failed: context deadline exceeded'
    )
    return story.tell(second.is_("failed", at=70))


def test_a_rollout_older_than_the_limit_timed_out() -> None:
    story = hanging()
    assert WakeAt(after(1 + LIMIT)) in story.intents

    story.passes(LIMIT)
    assert not story.delivered
    story.passes(LIMIT + 1)

    assert ended(story.only.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)
    [rollout] = story.only.rollouts
    assert ended(rollout.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)
    assert rollout.ended == after(1 + LIMIT)
    assert rollout.outcome is not None
    assert "1 of 2 replicas available" in rollout.outcome.message


def test_a_wake_that_comes_late_ends_it_at_the_limit_all_the_same() -> None:
    story = hanging().tell(Tick(after(LIMIT + 900)))

    assert story.only.ended == after(1 + LIMIT)


def test_a_rollout_that_was_seen_before_its_record_is_woken_for() -> None:
    story, _ = install()
    second = Revision(2, created=after(60))
    story.tell(deployment("b", at=60, applied=60, ready=0, generation=2))

    story.tell(second.is_("pending-upgrade", at=60.01), second.is_("deployed", at=61))
    story.passes(60 + LIMIT + 1)

    assert ended(story.delivered[1].rollouts[0].outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)


def test_after_helms_failure_a_rollout_closes_60_seconds_later() -> None:
    story = failing()
    assert WakeAt(after(70 + GIVEN_UP)) in story.intents

    story.passes(70 + GIVEN_UP - 1)
    assert story.running == ["upgrade"]
    story.passes(70 + GIVEN_UP)

    operation = story.delivered[1]
    assert operation.ended == after(70 + GIVEN_UP)
    assert ended(operation.rollouts[0].outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)
    assert ended(operation.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)


def test_after_helms_failure_a_rollout_closes_at_its_first_cause() -> None:
    story = failing()

    story.tell(
        deployment("b", at=75, applied=60, ready=0, generation=2, quota="exceeded quota: small")
    )

    operation = story.delivered[1]
    assert operation.ended == after(75)
    assert ended(operation.rollouts[0].outcome) == (Result.FAILURE, ErrorType.FAILED_CREATE)


def test_helms_deadline_stays_a_timeout_even_where_the_cause_is_known() -> None:
    operation = failing(quota="exceeded quota: small").delivered[1]

    assert ended(operation.outcome) == (Result.TIMEOUT, ErrorType.FAILED_CREATE)
    assert operation.outcome is not None
    assert "exceeded quota" in operation.outcome.message
