"""C v1 `pending-install` -> H -> U `deployed`, or `failed`."""

from helmwake.lifecycle.intents import Announce, Deliver, FetchPayload, ListWorkloads
from helmwake.lifecycle.operation import OperationId, OperationKind
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, hook, kinds


def test_a_pending_install_is_a_running_operation_since_its_creation() -> None:
    first = Revision(1)

    story = Story().tell(first.is_("pending-install", at=0.4))

    [operation] = story.release.operations
    assert operation.id == OperationId(uid="uid-1", kind=OperationKind.INSTALL)
    assert operation.started == after(0)
    assert operation.helm_runs
    assert not story.delivered
    assert kinds(story.intents) == ["FetchPayload", "WakeAt", "Announce"]


def test_the_terminal_write_lists_the_workloads_before_the_operation_may_be_final() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.hears(first.is_("deployed", at=5))

    [operation] = story.release.operations
    assert ListWorkloads("shop", operation.id) in story.open
    assert not story.delivered

    [fetch] = [asked for asked in story.open if isinstance(asked, FetchPayload)]
    story.open.remove(fetch)
    story.hears(first.fetched(first.holds(), at=5.1))
    assert not story.delivered, "the list has not come yet"

    story.answers()
    assert ended(story.only.outcome) == (Result.SUCCESS, None)
    assert story.only.ended == after(5)


def test_the_payload_is_awaited_even_if_the_list_came_first() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.hears(first.is_("deployed", at=5))
    [listing] = [asked for asked in story.open if isinstance(asked, ListWorkloads)]
    story.open = [listing]

    story.answers()
    assert not story.delivered

    story.hears(first.fetched(None, at=6))
    assert ended(story.only.outcome) == (Result.SUCCESS, None)


def test_an_install_goes_on_until_its_last_rollout_ended() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        first.is_("deployed", at=2),
    )
    assert story.running == ["install"]

    story.tell(deployment("a", at=9, applied=0))

    assert story.only.helm_ended == after(2)
    assert story.only.ended == after(9)
    assert [rollout.ended for rollout in story.only.rollouts] == [after(9)]


def test_hooks_run_between_and_end_by_the_last_write() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, hooks=(hook("migrate", "pre-install", started=1, phase="Running"),))
    story.tell(first.is_("pending-install", at=1))
    [run] = story.release.operations[0].hooks
    assert (run.started, run.ended, run.outcome) == (after(1), None, None)

    story.holds(first, hooks=(hook("migrate", "pre-install", started=1, ended=3),))
    story.tell(first.is_("deployed", at=4))

    [run] = story.only.hooks
    assert (run.name, run.event, run.started, run.ended) == (
        "migrate",
        "pre-install",
        after(1),
        after(3),
    )
    assert ended(run.outcome) == (Result.SUCCESS, None)


def test_a_failed_install_says_why_as_the_payload_does() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.stored["uid-1"] = first.holds(
        status="failed", description='Release "cart" failed: context deadline exceeded'
    )

    story.tell(first.is_("failed", at=60))

    assert ended(story.only.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)


def test_a_cancelled_install_is_a_cancellation() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.stored["uid-1"] = first.holds(
        status="failed", description='Release "cart" failed: context canceled'
    )

    story.tell(first.is_("failed", at=60))

    assert ended(story.only.outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)


def test_a_failure_whose_payload_is_gone_is_still_a_failure() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"), first.is_("failed", at=3))

    assert ended(story.only.outcome) == (Result.FAILURE, ErrorType.OTHER)
    assert story.only.payload is None


def test_an_install_is_announced_once_and_delivered_once() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        first.is_("pending-install", at=1),
        first.is_("deployed", at=5),
    )

    counted = [type(intent) for intent in story.intents]
    assert (counted.count(Announce), counted.count(Deliver)) == (1, 1)


def test_the_chart_is_the_payloads() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first).tell(first.is_("deployed", at=5))

    chart = story.only.chart
    assert chart is not None
    assert (chart.name, chart.version, chart.app_version) == ("cart", "1.2.0", "7")


def test_an_install_over_an_uninstalled_release_need_not_be_revision_1() -> None:
    """`install --replace`: the old record is superseded, then v2 created."""
    old = Revision(1)
    story = Story().tell(old.is_("pending-install"), old.is_("deployed", at=5))
    story.tell(old.is_("uninstalling", at=50), old.is_("uninstalled", at=51))
    new = Revision(2, created=after(100))

    story.tell(old.is_("superseded", at=99.9), new.is_("pending-install"))
    story.tell(new.is_("deployed", at=105))

    assert story.ended == [
        ("install", 1, "success"),
        ("uninstall", 1, "success"),
        ("install", 2, "success"),
    ]


def test_an_install_over_a_failed_release_leaves_the_old_record_alone() -> None:
    old, new = Revision(1), Revision(2, created=after(100))
    story = Story().tell(old.is_("pending-install"), old.is_("failed", at=5))

    story.tell(new.is_("pending-install"), new.is_("deployed", at=105))

    assert story.ended == [("install", 1, "failure"), ("install", 2, "success")]


def test_reinstalling_takes_the_same_name_with_another_uid() -> None:
    old, new = Revision(1), Revision(1, created=after(100), uid="uid-1-again")
    story = Story().tell(old.is_("pending-install"), old.is_("deployed", at=5))
    story.tell(old.is_("uninstalling", at=50), old.goes(at=51))

    story.tell(new.is_("pending-install"), new.is_("deployed", at=105))

    ids = [operation.id.uid for operation in story.delivered]
    assert ids == ["uid-1", "uid-1", "uid-1-again"]
    assert story.ended[-1] == ("install", 1, "success")
