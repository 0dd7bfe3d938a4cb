"""What is known of one kind: a fact for each object, and how it changes. No I/O.

1. An object is known by its uid: the same name with another uid is another object.
2. A version that is known already is news to nobody.
3. An object that cannot be read is known too, so that its end is no surprise. It keeps the
   fact it had before, if any, so that whoever heard of it hears of its end.
4. An object that the reducer ignores has no fact, and its end is not told.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from helmwake.cluster.listing import identity_of
from helmwake.cluster.seen import Seen
from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.errors import BadObjectError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One object: its resourceVersion, and its fact unless it is bad or ignored."""

    version: str
    fact: T | None


class Known(Generic[T]):
    """The facts of one kind.

    `reduce` makes a fact of an object, None if the object is not of interest, or raises
    BadObjectError. `order` is the key by which the facts of one list are told.
    """

    def __init__(
        self,
        reduce: Callable[[Change], T | None],
        *,
        order: Callable[[T], Any] | None = None,
    ) -> None:
        self.reduce = reduce
        self.order = order
        self.entries: dict[str, Entry[T]] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def facts(self) -> Iterator[T]:
        """Give what is known now."""
        return (entry.fact for entry in self.entries.values() if entry.fact is not None)

    def apply(self, change: Change) -> Seen[T] | None:
        """Take a watched change; give what is to be told, if anything.

        Raises:
            BadObjectError: it cannot be read; it is known nevertheless.

        """
        uid, version = identity_of(change.object)
        before = self.entries.get(uid)
        if change.type is ChangeType.DELETED:
            return self._forget(uid, change)
        if before is not None and before.version == version:
            return None
        try:
            fact = self.reduce(change)
        except BadObjectError:
            self.entries[uid] = Entry(version, before.fact if before else None)
            raise
        self.entries[uid] = Entry(version, fact)
        return None if fact is None else told(change, fact)

    def _forget(self, uid: str, change: Change) -> Seen[T] | None:
        entry = self.entries.pop(uid, None)
        before = entry.fact if entry else None
        try:
            fact = self.reduce(change)
        except BadObjectError:
            if before is None:
                raise
            # Its last state cannot be read, but what was told of it must end.
            fact = None
        last = before if fact is None else fact
        return None if last is None else told(change, last)


def told(change: Change, fact: T) -> Seen[T]:
    return Seen(type=change.type, fact=fact, seen=change.seen, origin=change.origin)


class Relisting(Generic[T]):
    """A list being read. Changes nothing until it is `finish`ed, since it may break off."""

    def __init__(self, known: Known[T], *, origin: Origin) -> None:
        self._known = known
        self._origin = origin
        self._entries: dict[str, Entry[T]] = {}
        self._news: list[Seen[T]] = []
        self.bad: list[BadObjectError] = []

    def add(self, item: dict[str, Any], *, seen: datetime) -> None:
        """Take one object of the list; an unchanged one is not even reduced."""
        try:
            uid, version = identity_of(item)
        except BadObjectError as error:
            self.bad.append(error)
            return
        before = self._known.entries.get(uid)
        if before is not None and before.version == version:
            self._entries[uid] = before
            return
        kind = ChangeType.ADDED if before is None else ChangeType.MODIFIED
        change = Change(type=kind, object=item, seen=seen, origin=self._origin)
        try:
            fact = self._known.reduce(change)
        except BadObjectError as error:
            self.bad.append(error)
            self._entries[uid] = Entry(version, before.fact if before else None)
            return
        self._entries[uid] = Entry(version, fact)
        if fact is not None:
            self._news.append(told(change, fact))

    def finish(self, *, seen: datetime) -> list[Seen[T]]:
        """Take the list for the truth; give what is to be told.

        First what is gone, so that a name that came back starts afresh, then what is new.
        """
        gone = [
            Seen(type=ChangeType.DELETED, fact=entry.fact, seen=seen, origin=self._origin)
            for uid, entry in self._known.entries.items()
            if entry.fact is not None and uid not in self._entries
        ]
        self._known.entries = self._entries
        order = self._known.order
        if order is not None:
            gone.sort(key=lambda each: order(each.fact))
            self._news.sort(key=lambda each: order(each.fact))
        return gone + self._news
