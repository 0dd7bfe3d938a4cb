"""What a namespace's first list shows is news, history that is wanted, or neither."""

from dataclasses import dataclass, field, replace

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.tracking.scope import Scope
from tests.lifecycle.making import Revision, after
from tests.tracking.kit import Tracked, by_label, space, tracked


@dataclass
class Remembering:
    """Says the same of all records, and keeps what it heard."""

    answer: Origin = Origin.INITIAL
    heard: list[str] = field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        return [each for each in self.heard if each.startswith("asked")]

    def entered(self, namespace: str, uid: str) -> None:
        self.heard.append(f"entered {namespace} {uid}")

    def left(self, namespace: str) -> None:
        self.heard.append(f"left {namespace}")

    def gone(self, namespace: str) -> None:
        self.heard.append(f"gone {namespace}")

    def dated(self, record: Record) -> Record:
        self.heard.append(f"asked of {record.revision}")
        return replace(record, origin=self.answer)


def scope_of(into: Tracked, history: Remembering) -> Scope:
    return Scope(into.tracker, selector=by_label, known=into.cluster, history=history)


@pytest.mark.parametrize(
    ("origin", "told", "history"),
    [
        (Origin.INITIAL, [], []),
        (Origin.RELISTED, [("install", 1, "success")], [False]),
        (Origin.HISTORY, [("install", 1, "success")], [True]),
    ],
)
async def test_a_settled_record_is_what_history_says(
    origin: Origin, told: list[tuple[str, int, str]], history: list[bool]
) -> None:
    async with tracked() as t:
        scope = scope_of(t, Remembering(origin))
        first = Revision(1)
        t.cluster.stored[first.uid] = first.holds()

        scope.take(space(at=-1, origin=Origin.INITIAL))
        scope.take(first.is_("deployed", at=900, written=5, origin=Origin.INITIAL))
        await t.tracker.settled()

        assert t.sink.told == told
        assert [op.history for op in t.sink.final] == history


async def test_what_was_known_of_a_namespace_is_asked_for_too() -> None:
    async with tracked() as t:
        history = Remembering(Origin.HISTORY)
        scope = scope_of(t, history)
        first = Revision(1)
        t.cluster.stored[first.uid] = first.holds()
        t.cluster.records = [first.is_("deployed", at=5)]

        scope.take(space(at=900, origin=Origin.INITIAL))
        await t.tracker.settled()

        assert history.asked == ["asked of 1"]
        assert t.sink.told == [("install", 1, "success")]


@pytest.mark.parametrize("origin", [Origin.WATCHED, Origin.RELISTED, Origin.HISTORY])
async def test_only_of_a_first_list_history_is_asked(origin: Origin) -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        scope.take(space())

        scope.take(Revision(1).is_("pending-install", origin=origin))
        await t.tracker.settled()

        assert history.asked == []
        assert [op.record.origin for op in t.tracker.running()] == [origin]


async def test_a_record_that_overtook_its_namespaces_label_is_news_whatever_history_says() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        first = Revision(1, created=after(100))
        t.cluster.records = [first.is_("deployed", at=100.5)]
        t.cluster.stored[first.uid] = first.holds()

        scope.take(space(at=101))
        await t.tracker.settled()

        assert (history.asked, t.sink.told) == ([], [("install", 1, "success")])


async def test_what_is_gone_of_a_first_list_is_news() -> None:
    """Only what an earlier process knew can be missing in it."""
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        scope.take(space(at=-1, origin=Origin.INITIAL))
        first = Revision(1)
        scope.take(first.is_("deployed", at=0, written=-60, origin=Origin.INITIAL))
        asked = history.asked

        scope.take(first.goes(at=900, origin=Origin.INITIAL))
        await t.tracker.settled()
        t.clock.move(901)

        assert history.asked == asked
        assert t.sink.told == [("uninstall", 1, "success")]
        assert t.sink.final[0].bounded


async def test_without_history_a_first_list_is_what_it_was() -> None:
    async with tracked() as t:
        scope = t.scope()
        scope.take(space(at=-1, origin=Origin.INITIAL))

        scope.take(Revision(1).is_("deployed", at=0, written=-60, origin=Origin.INITIAL))
        await t.tracker.settled()

        assert t.sink.told == []


async def test_history_hears_what_becomes_of_a_namespace() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        scope.take(space(observed=False, origin=Origin.INITIAL))
        scope.take(space(at=1))
        scope.take(space(at=2))
        scope.take(space(at=3, observed=False))
        scope.take(space(at=4, gone=True))

        assert history.heard == ["left shop", "entered shop uid-shop", "left shop", "gone shop"]


async def test_history_hears_of_a_namespace_before_it_is_asked_of_its_records() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        t.cluster.records = [Revision(1).is_("deployed", at=5)]

        scope.take(space(at=900, origin=Origin.INITIAL))

        assert history.heard == ["entered shop uid-shop", "asked of 1"]


async def test_a_namespace_that_goes_without_having_been_observed_is_heard_of() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)

        scope.take(space(gone=True, origin=Origin.INITIAL))

        assert history.heard == ["gone shop"]


async def test_one_that_is_not_observed_is_not_left_again_with_each_of_its_changes() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        for at in range(3):
            scope.take(space(at=at, observed=False))

        assert set(history.heard) == {"left shop"}


async def test_another_selector_enters_and_leaves() -> None:
    async with tracked() as t:
        history = Remembering()
        scope = scope_of(t, history)
        scope.take(space("shop"))
        scope.take(space("web", observed=False))
        history.heard.clear()

        scope.select(lambda labels: not labels)

        assert sorted(history.heard) == ["entered web uid-web", "left shop"]
