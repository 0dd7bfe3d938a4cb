"""When what a pipeline waits for is over, and what never counts for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.app.asking.awaiting import Awaited, awaited
from helmwake.app.asking.query import Query
from helmwake.facts.helm import Tags
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import KeptnContext
from helmwake.ledger.entry import Entry
from helmwake.lifecycle.outcome import Outcome, Result
from tests.telemetry import operations
from tests.views import entries

CART = ReleaseKey("shop", "cart")
REVISION = Query(release=CART, revision=2)
CONTEXT = Query(keptn=KeptnContext(context=entries.CONTEXT))


def inherited(entry: Entry) -> Entry:
    return replace(entry, operation=replace(entry.operation, inherited_context=True))


def of_record(entry: Entry, uid: str, *, revision: int = 2, hours: int = 0) -> Entry:
    """The same entry of another record, and as much later."""
    operation = entries.named(entry.operation, "cart", uid=uid, revision=revision)
    return entries.moved(replace(entry, operation=operation), timedelta(hours=hours))


def test_a_revision_that_is_not_there_yet_is_waited_for() -> None:
    first = of_record(entries.good(), "uid-1", revision=1)

    assert awaited(REVISION, [first]) == Awaited()


def test_a_revision_is_over_when_its_upgrade_has_ended() -> None:
    assert not awaited(REVISION, [entries.rolling()]).over
    assert awaited(REVISION, [entries.good()]).over
    assert not awaited(REVISION, [entries.good()]).bad


def test_a_revisions_test_is_waited_for_too() -> None:
    upgrade = entries.good()
    tested = of_record(entries.entry(operations.a_test()), upgrade.operation.id.uid)
    running = entries.entry(replace(tested.operation, ended=None, outcome=None))

    assert not awaited(REVISION, [upgrade, running]).over
    assert awaited(REVISION, [upgrade, tested]).over


def test_a_revisions_test_without_its_upgrade_is_not_enough() -> None:
    tested = of_record(entries.entry(operations.a_test()), "uid-2")

    assert not awaited(REVISION, [tested]).over


@pytest.mark.parametrize("build", [entries.failed, entries.given_up])
def test_what_failed_or_was_given_up_is_over_and_bad(build: Callable[[], Entry]) -> None:
    found = awaited(REVISION, [build()])

    assert found.over
    assert found.bad == [build()]


@pytest.mark.parametrize(
    ("result", "well"),
    [
        (Result.SUCCESS, True),
        (Result.SKIP, True),
        (Result.CANCELLATION, False),
        (Result.TIMEOUT, False),
        (Result.ERROR, False),
    ],
)
def test_only_success_and_skip_are_good(result: Result, *, well: bool) -> None:
    good = entries.good()
    ended = replace(good, operation=replace(good.operation, outcome=Outcome(result=result)))

    assert bool(awaited(REVISION, [ended]).bad) is not well


def test_a_release_that_was_uninstalled_since_begins_anew() -> None:
    """The same name and number, of the life before: it went well, and is no more."""
    before = of_record(entries.good(), "uid-a")
    gone = of_record(entries.uninstalled(), "uid-b", revision=3, hours=1)
    again = of_record(entries.rolling(3), "uid-c", hours=2)

    assert awaited(REVISION, [before, gone]) == Awaited()
    assert awaited(REVISION, [before, gone, again]).entries == (again,)
    assert not awaited(REVISION, [before, gone, again]).over


def test_a_failed_install_that_was_taken_back_is_the_answer() -> None:
    failed = of_record(entries.failed(), "uid-a")
    taken_back = of_record(entries.uninstalled(), "uid-a", hours=1)

    found = awaited(REVISION, [failed, taken_back])

    assert found.over
    assert found.bad == [failed]


def test_another_releases_uninstall_changes_nothing() -> None:
    other = entries.named(entries.uninstalled().operation, "other")
    gone = entries.moved(entries.entry(other), timedelta(hours=1))

    assert awaited(REVISION, [entries.good(), gone]).over


def test_a_context_is_over_when_all_that_have_it_have_ended() -> None:
    other = entries.entry(entries.named(entries.rolling().operation, "web"))

    assert awaited(CONTEXT, []) == Awaited()
    assert not awaited(CONTEXT, [entries.good(), other]).over
    assert awaited(CONTEXT, [entries.good()]).over


def test_a_context_that_was_only_inherited_never_counts_alone() -> None:
    late = inherited(of_record(entries.good(), "uid-9", revision=9, hours=1))

    assert not awaited(CONTEXT, [late]).over
    assert awaited(CONTEXT, [entries.good(), late]).over


def test_an_operation_that_inherited_the_context_is_waited_for_and_judged() -> None:
    """A second upgrade of the same delivery has it from the first."""
    second = inherited(of_record(entries.rolling(), "uid-9", revision=9, hours=1))
    failed = inherited(of_record(entries.failed(), "uid-9", revision=9, hours=1))

    assert not awaited(CONTEXT, [entries.good(), second]).over
    assert awaited(CONTEXT, [entries.good(), failed]).bad == [failed]


def test_a_revision_and_a_context_must_both_hold() -> None:
    both = replace(REVISION, keptn=CONTEXT.keptn)
    other = entries.entry(operations.good_upgrade(Tags(keptn=KeptnContext(context="other"))))

    assert not awaited(both, [other]).over
    assert awaited(both, [inherited(entries.good())]).over


def test_what_ran_before_the_time_that_is_asked_for_does_not_count() -> None:
    since = entries.good().operation.started + timedelta(hours=1)

    assert not awaited(replace(REVISION, since=since), [entries.good()]).over
