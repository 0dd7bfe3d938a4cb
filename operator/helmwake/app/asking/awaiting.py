"""When what was waited for is over, and whether it went well. Pure.

A named revision is over when its install, upgrade or rollback is known, and all that is known of
it (its tests, its uninstall) has ended. A release that was uninstalled begins at revision 1 again:
a revision that went well and was uninstalled since is not the one that is waited for, and of
several of the same number the newest counts.

A Keptn context is over when at least one operation was given it, and all operations that have it
have ended. Helm carries labels on to later revisions: an operation that only inherited the context
from the revision before is waited for too, but it never counts alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helmwake.app.asking.query import Query, release_keys
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import OperationKind
from helmwake.lifecycle.outcome import Result

GOOD: Final = frozenset({Result.SUCCESS, Result.SKIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What is known so far of what is waited for, by their start."""

    entries: tuple[Entry, ...] = ()
    named: bool = False  # that which must be there is there

    @property
    def over(self) -> bool:
        return self.named and not any(runs(entry) for entry in self.entries)

    @property
    def bad(self) -> Sequence[Entry]:
        return [entry for entry in self.entries if not runs(entry) and not went_well(entry)]


def awaited(query: Query, entries: Sequence[Entry]) -> Awaited:
    """Find what is waited for among entries of which some may be of other deliveries."""
    mine = tuple(sorted((each for each in entries if query.wants(each)), key=begun))
    if query.release is not None and query.revision is not None:
        return _revision(mine, entries)
    given = any(not entry.operation.inherited_context for entry in mine)
    return Awaited(entries=mine, named=given)


def runs(entry: Entry) -> bool:
    return entry.operation.ended is None and entry.state is State.RUNNING


def went_well(entry: Entry) -> bool:
    outcome = entry.operation.outcome
    return entry.operation.ended is not None and outcome is not None and outcome.result in GOOD


def begun(entry: Entry) -> tuple[datetime, int, str, str]:
    """The order in which operations began."""
    operation = entry.operation
    return (operation.started, operation.revision, operation.id.uid, operation.kind.value)


def _revision(mine: tuple[Entry, ...], entries: Sequence[Entry]) -> Awaited:
    deployed = [
        entry
        for entry in mine
        if entry.operation.kind.deploys and not _uninstalled_since(entry, entries)
    ]
    if not deployed:
        return Awaited()
    uid = deployed[-1].operation.id.uid
    return Awaited(
        entries=tuple(each for each in mine if each.operation.id.uid == uid), named=True
    )


def _uninstalled_since(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Tell a revision that went well and is no more from one that an uninstall took back."""
    operation = entry.operation
    return went_well(entry) and any(
        other.operation.kind is OperationKind.UNINSTALL
        and release_keys(other.operation) & release_keys(operation)
        and other.operation.started > operation.started
        and went_well(other)
        for other in entries
    )
