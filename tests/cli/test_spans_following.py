"""The ledger followed and waited for, in virtual time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from helmwake.app.asking.following import follow
from helmwake.app.asking.query import Query
from helmwake.app.asking.reading import Broken
from helmwake.cluster.errors import ForbiddenError, StreamBrokenError, UnavailableError
from helmwake.facts.identity import ReleaseKey
from helmwake.ledger.documents import to_object
from helmwake.ledger.entry import Entry
from tests.cluster.fake import FakeCluster, event_line
from tests.views import entries

pytestmark = pytest.mark.looptime

REVISION: Final = Query(release=ReleaseKey("shop", "cart"), revision=2)
MINUTE: Final = timedelta(minutes=1)


class Ledger(FakeCluster):
    """A ledger in memory."""

    def write(self, entry: Entry) -> None:
        self.write_object(to_object(entry, namespace="helmwake-system"))

    def write_object(self, obj: dict[str, Any]) -> None:
        self.version += 1
        meta = {**obj["metadata"], "uid": obj["metadata"]["name"]}
        meta["resourceVersion"] = str(self.version)
        kind = "MODIFIED" if meta["name"] in self.objects else "ADDED"
        self.objects[meta["name"]] = {**obj, "metadata": meta}
        self.say(event_line(kind, self.objects[meta["name"]]))


class Watched:
    """What a view was shown, as `result (trouble)`."""

    def __init__(self) -> None:
        self.shown: list[tuple[list[Entry], str | None]] = []

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        self.shown.append((list(entries), trouble))

    def tell(self, problem: object) -> None:
        raise AssertionError(problem)

    def close(self) -> None:
        raise NotImplementedError


def ignore(broken: Broken) -> None:
    raise AssertionError(broken)


async def test_a_wait_ends_when_the_revision_does() -> None:
    ledger, view = Ledger(), Watched()
    waiting = asyncio.create_task(
        follow(ledger, REVISION, namespace="here", view=view, warn=ignore, timeout=MINUTE)
    )
    for entry in (entries.begun(), entries.rolling(0), entries.rolling(1)):
        await asyncio.sleep(5)
        ledger.write(entry)
    assert not waiting.done()
    ledger.write(entries.good())

    found = await waiting

    assert found.over
    assert not found.bad
    assert asyncio.get_running_loop().time() < 16
    shown, _ = view.shown[-1]
    assert [entry.operation.ended for entry in shown] == [entries.good().operation.ended]


async def test_a_wait_gives_what_is_known_when_its_time_is_over() -> None:
    ledger = Ledger()
    ledger.write(entries.rolling(1))

    found = await follow(
        ledger, REVISION, namespace="here", view=Watched(), warn=ignore, timeout=MINUTE
    )

    assert not found.over
    assert [entry.operation.id for entry in found.entries] == [entries.rolling(1).operation.id]
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=0.2)


async def test_other_operations_neither_end_a_wait_nor_are_shown() -> None:
    ledger, view = Ledger(), Watched()
    ledger.write(entries.entry(entries.named(entries.good().operation, "cart", revision=1)))

    found = await follow(
        ledger, REVISION, namespace="here", view=view, warn=ignore, timeout=MINUTE
    )

    assert not found.over
    assert all(shown == [] for shown, _ in view.shown)


async def test_a_cluster_that_goes_away_is_waited_for_and_it_is_said() -> None:
    ledger, view = Ledger(), Watched()
    away = UnavailableError("WATCH", reason="connection refused")
    waiting = asyncio.create_task(
        follow(ledger, REVISION, namespace="here", view=view, warn=ignore, timeout=10 * MINUTE)
    )
    await asyncio.sleep(5)
    ledger.stream_faults.extend([away] * 4)
    ledger.say(StreamBrokenError("WATCH", reason="cut"))
    ledger.lose()
    ledger.objects.clear()
    await asyncio.sleep(3)
    assert view.shown[-1][1] is not None
    assert "connection refused" in view.shown[-1][1]
    ledger.write(entries.good())
    # What the watch could not say is in the next list.
    ledger.compact()

    found = await waiting

    assert found.over


async def test_what_would_be_refused_for_ever_is_told_at_once() -> None:
    ledger = Ledger()
    ledger.get_faults.append(ForbiddenError("LIST", status=403))

    with pytest.raises(ForbiddenError):
        await follow(ledger, REVISION, namespace="here", view=Watched(), warn=ignore)


async def test_a_broken_entry_is_told_once_and_the_others_go_on() -> None:
    ledger, told = Ledger(), list[str]()
    broken = to_object(entries.failed(), namespace="here")
    broken["status"]["state"] = "Sideways"
    ledger.write_object(broken)
    other = entries.named(entries.good().operation, "cart", uid="uid-other")
    ledger.write(replace(entries.good(), operation=other))

    found = await follow(
        ledger,
        REVISION,
        namespace="here",
        view=Watched(),
        warn=lambda each: told.append(str(each)),
        timeout=MINUTE,
    )

    assert found.over
    [line] = told
    assert "status.state is not one of" in line


async def test_a_follower_who_leaves_leaves_nothing_behind() -> None:
    ledger = Ledger()
    following = asyncio.create_task(
        follow(ledger, Query(), namespace="here", view=Watched(), warn=ignore)
    )
    await asyncio.sleep(5)
    assert ledger.open_streams == 1

    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following

    assert ledger.open_streams == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
