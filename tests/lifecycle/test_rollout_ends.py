"""A rollout is over as `kubectl rollout status` says, and then for good."""

from typing import Any

import pytest

from helmwake.facts.change import Origin
from helmwake.lifecycle.operation import Rollout
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended


def rolling(**first: Any) -> Story:
    """An install whose Helm's part is over, and whose Deployment was seen unready."""
    record = Revision(1)
    return Story().tell(
        record.is_("pending-install"),
        deployment("a", at=1, applied=0, **{"ready": 0, **first}),
        record.is_("deployed", at=2),
    )


def rollout(story: Story) -> Rollout:
    operations = [*story.release.operations, *story.delivered]
    [only] = operations[-1].rollouts
    return only


def test_it_is_complete_when_all_replicas_are_updated_and_available() -> None:
    story = rolling().tell(deployment("a", at=10, applied=0))

    assert ended(rollout(story).outcome) == (Result.SUCCESS, None)
    assert rollout(story).started == after(1)
    assert rollout(story).ended == after(10)


@pytest.mark.parametrize(
    "counts",
    [{"ready": 1}, {"updated": 1}, {"replicas": 3}, {"updated": 1, "ready": 1}],
    ids=["unavailable", "not updated", "old ones left", "half way"],
)
def test_it_goes_on_while_anything_is_missing(counts: dict[str, Any]) -> None:
    story = rolling().tell(deployment("a", at=10, applied=0, **counts))

    assert rollout(story).running


def test_nothing_is_judged_before_the_controller_has_seen_the_change() -> None:
    """For one event the status still says `NewReplicaSetAvailable` of the rollout before."""
    old = {"reason": "NewReplicaSetAvailable", "observed": False, "generation": 2, "ready": 2}

    assert rollout(rolling(**old)).running


def test_an_old_deadline_is_not_the_new_templates() -> None:
    old = {"reason": "ProgressDeadlineExceeded", "observed": False, "generation": 2}

    assert rollout(rolling(**old)).running


def test_an_exceeded_deadline_is_final_though_it_may_recover() -> None:
    story = rolling().tell(
        deployment("a", at=600, applied=0, ready=0, reason="ProgressDeadlineExceeded"),
        deployment("a", at=700, applied=0, reason="NewReplicaSetAvailable"),
    )

    assert ended(rollout(story).outcome) == (
        Result.FAILURE,
        ErrorType.PROGRESS_DEADLINE_EXCEEDED,
    )
    assert rollout(story).ended == after(600)
    assert story.ended == [("install", 1, "failure")]


def test_a_replica_failure_is_the_deadlines_cause() -> None:
    story = rolling().tell(
        deployment(
            "a",
            at=600,
            applied=0,
            ready=0,
            reason="ProgressDeadlineExceeded",
            quota='pods "cart-1" is forbidden: exceeded quota: small',
        )
    )

    outcome = rollout(story).outcome
    assert ended(outcome) == (Result.FAILURE, ErrorType.FAILED_CREATE)
    assert outcome is not None
    assert outcome.message.startswith("pods of deployment/cart cannot be created: ")


def test_a_replica_failure_that_passes_is_no_failure() -> None:
    story = rolling(quota="exceeded quota").tell(deployment("a", at=10, applied=0))

    assert ended(rollout(story).outcome) == (Result.SUCCESS, None)


def test_nothing_is_to_do_where_it_is_scaled_to_zero() -> None:
    story = rolling(wanted=0, ready=0)

    assert ended(rollout(story).outcome) == (Result.SKIP, None)
    assert story.ended == [("install", 1, "success")]


def test_nothing_is_to_do_while_it_is_paused() -> None:
    story = rolling(paused=True)

    assert ended(rollout(story).outcome) == (Result.SKIP, None)


def test_a_workload_that_is_deleted_meanwhile_cancels_its_rollout() -> None:
    story = rolling().tell(deployment("a", at=10, applied=0, gone=True))

    assert ended(rollout(story).outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)
    assert story.ended == [("install", 1, "success")]


def test_a_workload_that_is_made_anew_supersedes_its_rollout() -> None:
    story = rolling().tell(deployment("a", at=100, applied=None, uid="uid-other", ready=0))

    operation = story.delivered[0]
    assert ended(operation.rollouts[0].outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)


def test_after_a_gap_the_condition_dates_the_end() -> None:
    story = rolling().tell(
        deployment(
            "a",
            at=500,
            applied=0,
            reason="NewReplicaSetAvailable",
            progressed=44,
            origin=Origin.RELISTED,
        )
    )

    assert rollout(story).ended == after(44)


def test_each_workload_has_a_rollout_of_its_own() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        deployment("x", at=1, applied=0, ready=0, uid="uid-e", name="db"),
        first.is_("deployed", at=2),
        deployment("a", at=5, applied=0),
    )
    assert not story.delivered

    story.tell(deployment("x", at=9, applied=0, uid="uid-e", name="db"))

    assert story.only.ended == after(9)
    assert {str(known.key) for known in story.only.rollouts} == {
        "deployment/cart",
        "deployment/db",
    }
