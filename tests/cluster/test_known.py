"""What is known after any history with any gaps is what the cluster has, and is told in step."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helmwake.cluster.known import Known, Relisting
from helmwake.cluster.seen import Seen
from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from tests.cluster.kit import NOON, Thing, reduce_thing

NAMES = [f"cart-{n}" for n in range(4)]
# What happens to an object, or a gap in which changes are missed until a list.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from(NAMES)),
        st.sampled_from([("gap", ""), ("list", "")]),
    ),
    max_size=40,
)


class Cluster:
    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.version = 0

    def put(self, name: str) -> Change:
        self.version += 1
        kind = ChangeType.MODIFIED if name in self.objects else ChangeType.ADDED
        old = self.objects.get(name)
        uid = old["metadata"]["uid"] if old else f"uid-{self.version}"
        self.objects[name] = item(name, uid=uid, version=self.version)
        return Change(type=kind, object=self.objects[name], seen=NOON)

    def delete(self, name: str) -> Change:
        return Change(type=ChangeType.DELETED, object=self.objects.pop(name), seen=NOON)


def item(name: str, *, uid: str, version: int, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
    return {"kind": "Secret", "metadata": {**meta, "labels": {"note": str(version), **labels}}}


class Listener:
    """Keeps its own picture, and checks that every word makes sense in it."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}

    def hear(self, seen: Seen[Thing]) -> None:
        name = seen.fact.name
        if seen.type is ChangeType.ADDED:
            assert name not in self.things, "what is added was not there"
        else:
            assert name in self.things, "what changes or ends was there"
        if seen.type is ChangeType.DELETED:
            del self.things[name]
        else:
            assert self.things.get(name) != seen.fact, "what is told is news"
            self.things[name] = seen.fact


@given(STEPS)
def test_a_listener_ends_with_what_the_cluster_has(steps: list[tuple[str, str]]) -> None:
    cluster, listener, known = Cluster(), Listener(), Known(reduce_thing)
    missing = False
    for step, name in [*steps, ("list", "")]:
        if step == "gap":
            missing = True
        elif step == "list":
            relisting = Relisting(known, origin=Origin.RELISTED)
            for each in cluster.objects.values():
                relisting.add(each, seen=NOON)
            for seen in relisting.finish(seen=NOON):
                listener.hear(seen)
            missing = False
        elif step == "put" or name in cluster.objects:
            change = cluster.put(name) if step == "put" else cluster.delete(name)
            told = None if missing else known.apply(change)
            if told is not None:
                listener.hear(told)
    truth = {
        name: Thing(name, int(name[-1]), each["metadata"]["labels"]["note"])
        for name, each in cluster.objects.items()
    }
    assert listener.things == truth
    assert {each.name: each for each in known.facts()} == truth


def added(thing: dict[str, Any]) -> Change:
    return Change(type=ChangeType.ADDED, object=thing, seen=NOON)


def deleted(thing: dict[str, Any]) -> Change:
    return Change(type=ChangeType.DELETED, object=thing, seen=NOON)


def test_a_list_that_breaks_off_changes_nothing() -> None:
    known = Known(reduce_thing)
    known.apply(added(item("cart-1", uid="a", version=1)))
    Relisting(known, origin=Origin.RELISTED).add(item("cart-2", uid="b", version=2), seen=NOON)
    assert [each.name for each in known.facts()] == ["cart-1"]


def test_an_unchanged_object_is_not_reduced_again() -> None:
    known = Known(reduce_thing)
    known.apply(added(item("cart-1", uid="a", version=1)))
    known.reduce = lambda _: pytest.fail("it was reduced again")
    relisting = Relisting(known, origin=Origin.RELISTED)
    relisting.add(item("cart-1", uid="a", version=1), seen=NOON)
    assert relisting.finish(seen=NOON) == []


def test_the_end_of_an_object_never_seen_is_told_if_it_can_be_read() -> None:
    known = Known(reduce_thing)
    told = known.apply(deleted(item("cart-1", uid="a", version=1)))
    assert told is not None
    assert told.type is ChangeType.DELETED


def test_the_end_of_a_bad_object_never_seen_is_a_bad_object() -> None:
    with pytest.raises(BadObjectError):
        Known(reduce_thing).apply(deleted(item("cart-1", uid="a", version=1, bad="yes")))


def test_an_object_that_is_ignored_at_its_end_is_told_by_its_last_fact() -> None:
    known = Known(reduce_thing)
    known.apply(added(item("cart-1", uid="a", version=1)))
    told = known.apply(deleted(item("cart-1", uid="a", version=2, ignored="yes")))
    assert told is not None
    assert told.fact == Thing("cart-1", 1, "1")


def test_an_object_that_turned_bad_in_a_gap_keeps_its_fact() -> None:
    known = Known(reduce_thing)
    known.apply(added(item("cart-1", uid="a", version=1)))
    relisting = Relisting(known, origin=Origin.RELISTED)
    relisting.add(item("cart-1", uid="a", version=2, bad="yes"), seen=NOON)
    assert relisting.finish(seen=NOON) == []
    assert [each.name for each in known.facts()] == ["cart-1"]


def test_an_object_that_turns_out_to_be_ignored_has_no_fact() -> None:
    known = Known(reduce_thing)
    known.apply(added(item("cart-1", uid="a", version=1)))
    known.apply(added(item("cart-1", uid="a", version=2, ignored="yes")))
    assert list(known.facts()) == []
    assert len(known) == 1
