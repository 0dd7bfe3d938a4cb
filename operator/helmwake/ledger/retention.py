"""Which entries the ledger lets go: by age, by number for one release, and by number in all.

What is still open stays, whatever the numbers say, until it is so old that nobody asks for it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from helmwake.facts.errors import BadObjectError
from helmwake.facts.meta import metadata, text, texts
from helmwake.facts.times import parse_time
from helmwake.ledger.entry import State
from helmwake.ledger.labels import RELEASE_NAME, RELEASE_NAMESPACE, STATE, state_label

_STATES: Final[Mapping[str, State]] = {state_label(state): state for state in State}
_REVISION: Final = re.compile(r".*\.v([0-9]{1,9})\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """How much is kept.

    What is open is kept for `undelivered_age`, and for at least as long as the rest.
    """

    age: timedelta = timedelta(days=7)  # since it was created in the ledger
    per_release: int = 20
    total: int = 5_000
    undelivered_age: timedelta = timedelta(days=30)

    def age_of(self, state: State) -> timedelta:
        return max(self.age, self.undelivered_age) if state.open else self.age


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the metadata of a ReleaseTrace says about it."""

    name: str
    uid: str
    release_namespace: str
    release_name: str
    state: State
    created: datetime


def parse_kept(partial: Mapping[str, Any]) -> Kept:
    """Read a PartialObjectMetadata.

    Whoever takes our labels away from it, or puts nonsense there, shortens no entry's life: it
    counts as open.

    Raises:
        BadObjectError: it has no name, no uid, or no time of creation.
    """
    meta = metadata(partial)
    created = parse_time(meta.get("creationTimestamp"))
    if created is None:
        raise BadObjectError(meta, path="metadata.creationTimestamp", wanted="a time")
    labels = texts(meta, "labels")
    return Kept(
        name=text(meta, "name"),
        uid=text(meta, "uid"),
        release_namespace=labels.get(RELEASE_NAMESPACE, ""),
        release_name=labels.get(RELEASE_NAME, ""),
        state=_STATES.get(labels.get(STATE, ""), State.RUNNING),
        created=created,
    )


def removable(entries: Iterable[Kept], *, limits: RetentionLimits, now: datetime) -> list[Kept]:
    """Name what goes, the oldest first."""
    oldest_first = sorted(entries, key=_age)
    leaving = {each.uid for each in oldest_first if now - each.created > limits.age_of(each.state)}

    by_release: defaultdict[tuple[str, str], list[Kept]] = defaultdict(list)
    for each in oldest_first:
        if each.uid not in leaving:
            by_release[each.release_namespace, each.release_name].append(each)
    for of_one_release in by_release.values():
        leaving.update(_beyond(limits.per_release, of_one_release))

    left = [each for each in oldest_first if each.uid not in leaving]
    leaving.update(_beyond(limits.total, left))
    return [each for each in oldest_first if each.uid in leaving]


def _beyond(count: int, oldest_first: Sequence[Kept]) -> Iterator[str]:
    excess = max(len(oldest_first) - count, 0)
    return islice((each.uid for each in oldest_first if not each.state.open), excess)


def _age(entry: Kept) -> tuple[datetime, int, str]:
    # Creation is known to the second, and a release's whole history comes within one: of those
    # the higher revision, which is part of an entry's name, is the newer.
    revision = _REVISION.match(entry.name)
    return (entry.created, int(revision[1]) if revision else 0, entry.name)
