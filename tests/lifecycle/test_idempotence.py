"""A fact that comes twice changes nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from helmwake.facts.change import Origin
from helmwake.lifecycle.facts import Fact, PayloadFetched, Tick, WorkloadsListed
from helmwake.lifecycle.intents import FetchPayload, ListWorkloads
from helmwake.lifecycle.state import Release
from helmwake.lifecycle.step import step
from tests.lifecycle.making import CART, Revision, Story, after, deployment, hook, namespace

Facts = tuple[Fact, ...]


def a_good_upgrade() -> Facts:
    first, second = Revision(1), Revision(2, created=after(60))
    return (
        namespace(at=-1),
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        first.is_("deployed", at=5),
        deployment("a", at=9, applied=0),
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
        first.is_("superseded", at=65),
        second.is_("deployed", at=65),
        deployment("b", at=70, applied=60, generation=2),
    )


def a_failing_upgrade_and_its_rollback() -> Facts:
    first, second, third = (Revision(n, created=after(60 * n)) for n in (1, 2, 3))
    return (
        first.is_("deployed", at=70, origin=Origin.INITIAL),
        second.is_("pending-upgrade"),
        deployment("b", at=121, applied=120, ready=0, quota="exceeded quota"),
        second.is_("failed", at=130),
        third.is_("pending-rollback"),
        deployment("a", at=181, applied=180),
        first.is_("superseded", at=185),
        third.is_("deployed", at=185),
        Tick(after(900)),
    )


def an_uninstall() -> Facts:
    first = Revision(1)
    return (
        first.is_("deployed", at=0, origin=Origin.INITIAL),
        first.is_("uninstalling", at=10),
        deployment("a", at=10.5, applied=0, gone=True),
        first.goes(at=11),
        namespace(at=12, gone=True),
    )


def a_gap() -> Facts:
    first, second = Revision(1), Revision(2, created=after(60))
    return (
        first.is_("pending-install"),
        first.is_("superseded", at=500, written=65, origin=Origin.RELISTED),
        second.is_("deployed", at=500, written=65, origin=Origin.RELISTED),
        first.goes(at=900, origin=Origin.RELISTED),
        second.goes(at=900, origin=Origin.RELISTED),
    )


STORIES = [a_good_upgrade, a_failing_upgrade_and_its_rollback, an_uninstall, a_gap]


def answers(release: Release, intents: object, seen: Fact) -> list[Fact]:
    """Answer as a cluster without payloads and workloads would."""
    del release
    found: list[Fact] = []
    assert isinstance(intents, tuple)
    for intent in intents:
        if isinstance(intent, FetchPayload):
            found.append(PayloadFetched(ref=intent.ref, payload=None, seen=seen.seen))
        if isinstance(intent, ListWorkloads):
            found.append(
                WorkloadsListed(
                    operation=intent.operation,
                    namespace=intent.namespace,
                    workloads=(),
                    seen=seen.seen,
                )
            )
    return found


@pytest.mark.parametrize("story", STORIES)
def test_each_fact_told_twice_changes_nothing(story: Callable[[], Facts]) -> None:
    release = Release(key=CART)
    waiting: list[Fact] = list(story())
    while waiting:
        fact = waiting.pop(0)
        release, intents = step(release, fact)
        assert step(release, fact) == (release, ()), f"{type(fact).__name__} told twice"
        waiting = answers(release, intents, fact) + waiting


@pytest.mark.parametrize("story", STORIES)
def test_a_whole_story_told_twice_delivers_nothing_twice(story: Callable[[], Facts]) -> None:
    facts = story()
    told = Story().tell(*facts)
    told.tell(Tick(told.at + timedelta(seconds=1)))
    delivered = [operation.id for operation in told.delivered]
    assert len(delivered) == len(set(delivered))

    told.tell(*facts)

    assert [operation.id for operation in told.delivered] == delivered


def test_a_payload_told_twice_changes_nothing() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    payload = first.holds(
        hooks=(
            hook("check", "pre-install", started=1, ended=2),
            hook("smoke", "post-install", "test", started=3, phase="Running"),
        )
    )
    fact = first.fetched(payload, at=4)
    story.hears(fact)
    before = story.release

    assert step(before, fact) == (before, ())
