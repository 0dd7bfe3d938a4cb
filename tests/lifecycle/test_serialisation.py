"""A release can be stored at any moment and taken up again."""

from datetime import timedelta

import pydantic
import pytest

from helmwake.facts.helm import Tags
from helmwake.facts.keptn import KeptnContext, KeptnWorkload, TraceParent
from helmwake.lifecycle.state import Release, dump_release, load_release
from helmwake.lifecycle.step import step
from helmwake.telemetry.ids import run_id
from tests.lifecycle.making import CART, Revision, Story, after, deployment, hook, namespace


def rich() -> tuple[Story, Revision]:
    """A release of which every kind of thing is kept."""
    parent = TraceParent(trace_id="a" * 32, span_id="b" * 16, sampled=True)
    tags = Tags(keptn=KeptnContext(context="one"), traceparent=parent, commit="4f3a")
    first, second, third = (
        Revision(n, created=after(60 * n), tags=tags) for n in (1, 2, 3)
    )  # fmt: skip
    story = Story().tell(namespace(at=0, keptn=KeptnContext(stage="prod")))
    story.tell(first.is_("deployed", at=60))
    smoke = hook("smoke", "pre-upgrade", "test", started=121.25, phase="Running")
    story.tell(second.is_("pending-upgrade"))
    story.holds(second, hooks=(smoke,), last_deployed=after(-7200))
    story.tell(second.is_("pending-upgrade", at=122))
    names = KeptnWorkload(app="shop", workload="shop-cart", version="3")
    story.tell(
        deployment("b", at=121, applied=120, ready=0, quota="exceeded quota", names=names),
        second.is_("failed", at=130),
        first.goes(at=179),
        third.is_("pending-rollback"),
    )
    story.tell(deployment("x", at=181, applied=-99, uid="uid-x", name="db", reason="Waiting"))
    story.hears(third.is_("deployed", at=185))
    return story, third


def test_a_rich_release_is_the_same_after_a_round_trip() -> None:
    story, _ = rich()
    release = story.release
    assert release.operations
    assert release.changes
    assert release.pruned
    assert release.workloads
    assert release.namespace

    restored = load_release(dump_release(release))

    assert restored == release
    assert dump_release(restored) == dump_release(release)


def test_an_empty_release_is_the_same_after_a_round_trip() -> None:
    release = Release(key=CART)

    assert load_release(dump_release(release)) == release


def test_a_restored_release_goes_on_as_the_other_would() -> None:
    story, third = rich()
    restored = load_release(dump_release(story.release))
    fact = third.fetched(third.holds(), at=186)

    assert step(restored, fact) == step(story.release, fact)


def test_a_restored_operation_keeps_its_ids_and_offset() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("deployed", at=0))
    story.holds(first, hooks=(hook("smoke", "test", started=60.25, phase="Running"),))
    story.tell(first.is_("deployed", at=61))
    [operation] = story.release.operations

    [restored] = load_release(dump_release(story.release)).operations

    assert run_id(restored) == run_id(operation)
    assert restored.clock_offset == operation.clock_offset
    assert isinstance(restored.clock_offset, timedelta)


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b'{"key": 7}', b"[]"])
def test_what_is_no_release_is_refused(text: bytes) -> None:
    with pytest.raises(pydantic.ValidationError):
        load_release(text)
