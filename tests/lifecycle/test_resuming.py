"""What ran when another process ended goes on: what it waited for is asked again."""

from dataclasses import replace

import pytest

from helmwake.facts.change import Origin
from helmwake.lifecycle.facts import Fact, PayloadFetched, Recalled, Tick, WorkloadsListed
from helmwake.lifecycle.intents import FetchPayload, ListWorkloads, Recall
from helmwake.lifecycle.operation import OperationKind
from helmwake.lifecycle.outcome import ErrorType, Result
from helmwake.lifecycle.step import step
from tests.lifecycle.making import (
    CART,
    Revision,
    Story,
    after,
    deployment,
    ended,
    hook,
    install,
    kinds,
)


def upgrading(*, ready: int | None = None) -> tuple[Story, Revision, Revision]:
    """An upgrade under way; `ready` pods of its new template are, if it was applied."""
    story, first = install()
    second = Revision(2, created=after(60))
    story.tell(second.is_("pending-upgrade"))
    if ready is not None:
        story.tell(deployment("b", at=61, applied=60, ready=ready, updated=ready, generation=2))
    return story, first, second


def rolling_out() -> tuple[Story, Revision, Revision]:
    """An upgrade that Helm is done with, while its pods still come up."""
    story, first, second = upgrading(ready=1)
    story.tell(first.is_("superseded", at=65), second.is_("deployed", at=65))
    return story, first, second


def with_a_test() -> tuple[Story, Revision]:
    story, first = install()
    story.holds(first, hooks=(hook("smoke", "test", started=60.25, phase="Running"),))
    story.tell(first.is_("deployed", at=61))
    return story, first


def uninstalling() -> tuple[Story, Revision]:
    story, first = install()
    story.holds(first, deleted=after(60)).tell(first.is_("uninstalling", at=60))
    return story, first


def asked(story: Story) -> list[str]:
    return kinds(story.open)


@pytest.mark.parametrize(
    ("before", "questions"),
    [
        (lambda: upgrading()[0], ["Recall", "FetchPayload"]),
        (lambda: upgrading(ready=0)[0], ["Recall", "FetchPayload", "ListWorkloads"]),
        (lambda: rolling_out()[0], ["Recall", "FetchPayload", "ListWorkloads"]),
        (lambda: with_a_test()[0], ["Recall", "FetchPayload"]),
        (lambda: uninstalling()[0], ["Recall", "FetchPayload"]),
    ],
    ids=["Helm works", "Helm works, pods come", "pods come", "test", "uninstall"],
)
def test_what_is_asked_again(before: object, questions: list[str]) -> None:
    assert callable(before)
    story = before().taken_up()

    assert asked(story) == questions
    assert [op.announced for op in story.announced] == [True]


def test_nothing_that_ran_asks_nothing() -> None:
    story, _ = install()

    resumed = story.taken_up()

    assert resumed.release.empty
    assert resumed.intents == [Recall(CART)]


@pytest.mark.parametrize("resumed", [1, 2, 3])
def test_an_upgrade_goes_on_to_its_end(resumed: int) -> None:
    whole, first, second = upgrading(ready=0)
    story = whole
    for _ in range(resumed):
        story = story.taken_up().answers()
    facts = (
        first.is_("superseded", at=65),
        second.is_("deployed", at=65),
        deployment("b", at=70, applied=60, generation=2),
    )
    story.tell(*facts)
    whole.tell(*facts)

    assert story.ended == [("upgrade", 2, "success")]
    assert story.only == whole.delivered[1]


def test_what_ended_meanwhile_is_told_as_after_a_gap() -> None:
    story, first, second = upgrading(ready=0)
    story = story.taken_up()
    story.live["uid-d"] = deployment("b", at=900, applied=60, generation=2, origin=Origin.RELISTED)

    story.answers().tell(
        first.is_("superseded", at=900, written=65, origin=Origin.RELISTED),
        second.is_("deployed", at=900, written=65, origin=Origin.RELISTED),
    )

    assert story.ended == [("upgrade", 2, "success")]
    assert story.only.helm_ended == after(65)


def test_the_reason_of_a_failure_is_read_though_its_payload_came_before_its_record() -> None:
    story, _, second = upgrading()
    story = story.taken_up()
    failed = second.is_("failed", at=900, written=70, origin=Origin.RELISTED)
    story.holds(second, status="failed", description="context deadline exceeded").answers()

    story.tell(failed).passes(until=2000)

    assert ended(story.only.outcome) == (Result.TIMEOUT, ErrorType.TIMEOUT)


def test_a_running_test_goes_on_to_its_end() -> None:
    story, first = with_a_test()
    story = story.taken_up().answers()
    assert story.running == ["test"]

    story.holds(first, hooks=(hook("smoke", "test", started=60.25, ended=64),))
    story.tell(first.is_("deployed", at=65))

    assert story.ended == [("test", 1, "success")]


def test_another_test_that_began_meanwhile_ends_the_one_before() -> None:
    story, first = with_a_test()
    story = story.taken_up()
    story.holds(first, hooks=(hook("smoke", "test", started=300.5, ended=305),))
    story.answers().tell(first.is_("deployed", at=900, written=305, origin=Origin.RELISTED))

    assert story.ended == [("test", 1, "error"), ("test", 1, "success")]


def test_an_uninstall_goes_on_to_its_end() -> None:
    story, first = uninstalling()

    story = story.taken_up().answers().tell(first.goes(at=900, origin=Origin.RELISTED))

    assert story.ended == [("uninstall", 1, "success")]


@pytest.mark.parametrize(
    ("beginning", "told"),
    [
        (None, ["test"]),
        (Origin.RELISTED, ["install", "test"]),
        (Origin.HISTORY, ["install", "test"]),
    ],
)
def test_the_operation_that_made_the_record_of_a_test_may_be_missing(
    beginning: Origin | None, told: list[str]
) -> None:
    story, first = with_a_test()
    installed = story.delivered[0]
    for past in ((), (installed,)):
        resumed = story.taken_up(beginning=beginning)
        resumed.past = past
        resumed.answers()
        resumed.holds(first, hooks=(hook("smoke", "test", started=60.25, ended=64),))
        resumed.tell(first.is_("deployed", at=65))

        missing = [kind for kind in told if kind != "install" or not past]
        assert sorted(kind for kind, _, _ in resumed.ended) == missing


def test_nothing_is_timed_out_before_the_workloads_are_listed() -> None:
    """They may have been complete in time, while nobody looked."""
    story, _, _ = rolling_out()
    story = story.taken_up()
    done = deployment(
        "b",
        at=90000,
        applied=60,
        generation=2,
        reason="NewReplicaSetAvailable",
        progressed=75,
        origin=Origin.RELISTED,
    )
    story.live["uid-d"] = done
    story.hears(Tick(after(90000)))
    assert story.delivered == []

    story.answers()

    assert story.ended == [("upgrade", 2, "success")]
    assert story.only.ended == after(75)


def test_what_hangs_is_timed_out_once_the_workloads_are_listed() -> None:
    story, _, _ = rolling_out()
    story = story.taken_up()
    story.hears(Tick(after(90000)))

    story.answers()

    assert story.ended == [("upgrade", 2, "timeout")]
    assert story.only.ended == after(61 + 1800), "when it was too old, not when that was found"


@pytest.mark.parametrize(
    ("complete", "told"), [(True, [("upgrade", 2, "success")]), (False, [])], ids=["all", "failed"]
)
def test_a_workload_is_over_that_a_complete_list_no_longer_has(
    complete: bool,  # noqa: FBT001  # a table's column
    told: list[tuple[str, int, str]],
) -> None:
    story, _, _ = rolling_out()
    story = story.taken_up()
    story.live.clear()
    [question] = [each for each in story.open if isinstance(each, ListWorkloads)]
    story.open.remove(question)
    story.answers()

    story.hears(
        WorkloadsListed(
            operation=question.operation,
            namespace=question.namespace,
            workloads=(),
            seen=after(900),
            complete=complete,
        )
    )

    [operation] = story.delivered or story.release.operations
    assert operation.rollouts[0].running is not complete
    if complete:
        assert ended(operation.rollouts[0].outcome) == (Result.CANCELLATION, ErrorType.CANCELLED)
    assert story.ended == told


def test_a_list_of_another_namespace_ends_nothing() -> None:
    story, _, _ = rolling_out()
    story = story.taken_up()
    [operation] = story.release.operations
    other = WorkloadsListed(operation=operation.id, namespace="web", workloads=(), seen=after(90))

    story.hears(other)

    assert story.release.operations[0].rollouts[0].running
    assert story.release.operations[0].awaits_listing == "shop"


def test_each_answer_may_come_twice() -> None:
    story, _, _ = rolling_out()
    story = story.taken_up()
    answers: list[Fact] = [
        Recalled(operations=(), seen=after(70)),
        PayloadFetched(
            ref=next(each.ref for each in story.open if isinstance(each, FetchPayload)),
            payload=None,
            seen=after(70),
        ),
        WorkloadsListed(
            operation=story.release.operations[0].id,
            namespace="shop",
            workloads=tuple(story.live.values()),
            seen=after(70),
        ),
    ]
    for answer in answers:
        story.hears(answer)
        assert step(story.release, answer) == (story.release, ()), type(answer).__name__


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_answers_may_come_in_any_order(order: tuple[int, ...]) -> None:
    story, first, second = upgrading(ready=0)
    story = story.taken_up()
    story.open[:] = [story.open[n] for n in order]

    story.answers().tell(
        first.is_("superseded", at=65),
        second.is_("deployed", at=65),
        deployment("b", at=70, applied=60, generation=2),
    )

    assert story.ended == [("upgrade", 2, "success")]


def test_the_next_operation_is_linked_to_what_began_last() -> None:
    """The upgrade still rolls out; the test after it was told."""
    story, _, second = rolling_out()
    story.holds(second, hooks=(hook("smoke", "test", started=70.5, ended=72),))
    story.tell(second.is_("deployed", at=73))
    [test] = [op for op in story.delivered if op.kind is OperationKind.TEST]

    story = story.taken_up().answers()
    third = Revision(3, created=after(80))
    story.tell(third.is_("pending-upgrade"))

    upgrade = story.release.operations[-1]
    assert upgrade.previous == test.as_predecessor()


def test_an_old_uninstall_leaves_alone_what_began_after_it() -> None:
    story, first = install()
    second = Revision(2, created=after(70))
    story.tell(first.is_("uninstalling", at=60), second.is_("pending-rollback"))

    for origin in (Origin.INITIAL, Origin.RELISTED):
        resumed = story.taken_up().answers()
        resumed.tell(first.is_("uninstalling", at=900, written=60, origin=origin))
        resumed.tell(second.is_("deployed", at=905))

        assert resumed.ended == [("rollback", 2, "success")], origin


def test_one_that_has_the_name_anew_keeps_it() -> None:
    """Both are followed: the first one's pods still come up."""
    story, first = Story(), Revision(1)
    story.tell(first.is_("pending-install"), deployment("a", at=1, applied=0, ready=0))
    old = first.is_("deployed", at=5)
    story.tell(old, first.goes(at=10))
    again = Revision(1, created=after(20), uid="uid-again")
    story.tell(again.is_("pending-install"))

    story = story.taken_up().answers().tell(replace(old, origin=Origin.INITIAL))
    story.tell(again.is_("deployed", at=25))

    assert [op.id.uid for op in story.delivered] == ["uid-again"]
    assert story.ended == [("install", 1, "success")]


def test_a_deletion_that_was_seen_is_no_uninstall() -> None:
    story, first = Story(), Revision(1)
    story.tell(first.is_("pending-install"), deployment("a", at=1, applied=0, ready=0))
    story.tell(first.is_("deployed", at=5), first.goes(at=10))

    story = story.taken_up().answers().tell(first.goes(at=900, origin=Origin.RELISTED))
    story.tell(deployment("a", at=901, applied=0)).passes(until=2000)

    assert story.ended == [("install", 1, "success")]


def test_a_revision_that_was_pruned_meanwhile_is_no_uninstall() -> None:
    story, first, second = rolling_out()

    story = story.taken_up().answers()
    story.tell(
        second.goes(at=900, origin=Origin.RELISTED),
        first.is_("deployed", at=900, written=5, origin=Origin.INITIAL),
    )
    story.tell(deployment("b", at=905, applied=60, generation=2)).passes(until=2000)

    assert story.ended == [("upgrade", 2, "success")]


def test_all_that_went_meanwhile_was_uninstalled() -> None:
    story, _, second = rolling_out()

    story = story.taken_up().answers().tell(second.goes(at=900, origin=Origin.RELISTED))
    story.tell(Tick(after(901)))

    assert ("uninstall", 2, "success") in story.ended


def test_a_reinstall_meanwhile_was_an_uninstall_too() -> None:
    story, _, second = rolling_out()
    again = Revision(1, created=after(300), uid="uid-again")

    story = story.taken_up().answers()
    story.holds(again).tell(
        second.goes(at=900, origin=Origin.RELISTED),
        again.is_("deployed", at=900, written=305, origin=Origin.RELISTED),
    )

    assert ("uninstall", 2, "success") in story.ended
    assert ("install", 1, "success") in story.ended


def test_a_template_that_has_its_rollout_gets_no_other() -> None:
    """In one second, its time says nothing of which operation changed it."""
    story, first = Story(), Revision(1)
    story.tell(first.is_("pending-install"), deployment("a", at=0.1, applied=0, ready=0))
    story.tell(first.is_("deployed", at=0.2))
    second = Revision(2)
    story.tell(second.is_("pending-upgrade", at=0.3))

    story = story.taken_up().answers()

    assert [len(op.rollouts) for op in story.release.operations] == [1, 0]


@pytest.mark.parametrize(
    ("applied", "written", "templates"),
    [(60, 300, ["b"]), (300, 300, ["c"]), (60, 60, ["c"])],
    ids=["kubectl", "Helm, later", "Helm, at once"],
)
def test_who_changed_a_template_meanwhile(
    applied: float, written: float, templates: list[str]
) -> None:
    story, _, _ = upgrading(ready=0)
    story = story.taken_up()
    story.live.clear()

    story.tell(
        deployment(
            "c",
            at=900,
            applied=applied,
            written=written,
            ready=0,
            generation=3,
            origin=Origin.INITIAL,
        )
    )

    [operation] = story.release.operations
    assert [rollout.template for rollout in operation.rollouts] == templates
    assert [rollout.running for rollout in operation.rollouts] == [templates == ["c"]]


def test_a_workload_at_rest_before_helms_last_write_was_not_rolled_out() -> None:
    """That write changed something else."""
    story, _, _ = upgrading()
    story = story.taken_up().answers()

    story.tell(
        deployment(
            "a",
            at=900,
            applied=62,
            reason="NewReplicaSetAvailable",
            progressed=9,
            origin=Origin.INITIAL,
        )
    )

    assert story.release.operations[0].rollouts == ()


@pytest.mark.parametrize(
    ("reason", "progressed", "over"),
    [
        ("NewReplicaSetAvailable", 75, True),
        ("NewReplicaSetAvailable", 9, False),  # the rollout before's
        ("ReplicaSetUpdated", 75, False),
        ("", None, False),
    ],
)
def test_a_rollout_that_was_complete_once_is_over_though_pods_failed_since(
    reason: str,
    progressed: float | None,
    over: bool,  # noqa: FBT001  # a table's column
) -> None:
    story, _, _ = rolling_out()
    story = story.taken_up().answers()

    story.tell(
        deployment(
            "b",
            at=900,
            applied=60,
            ready=1,
            generation=2,
            reason=reason,
            progressed=progressed,
            origin=Origin.INITIAL,
        )
    )

    assert bool(story.delivered) is over
    if over:
        assert (story.ended, story.only.ended) == ([("upgrade", 2, "success")], after(75))


def test_a_release_that_lives_elsewhere_is_listed_there() -> None:
    """Flux stores records in a namespace of its own."""
    story, first = Story(), Revision(1)
    story.holds(first, namespace="web").tell(first.is_("pending-install"))
    story.tell(deployment("a", at=1, applied=0, ready=0, namespace="web"))
    story.tell(first.is_("deployed", at=5))

    story = story.taken_up()

    assert story.release.release_namespace == "web"
    [question] = [each for each in story.open if isinstance(each, ListWorkloads)]
    assert question.namespace == "web"


def test_the_same_resumed_twice_is_the_same() -> None:
    story, _, _ = rolling_out()
    once = story.taken_up()

    again = once.taken_up()

    assert (again.release, again.open) == (once.release, once.open)
