"""What Helm did, by its exit codes and history; and for how long the cluster shows it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.e2e.counting import DEPLOYING, Command
from tests.e2e.expected import RELEASE
from tests.e2e.helm import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.chaos.records import Seen

GIVEN: Final = re.compile(rf"{re.escape(CONTEXT)}=([^,]+)")
# So late the watch may tell.
SLACK: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """While it can be seen in the records that an operation runs, or was."""

    born: datetime
    died: datetime | None = None  # None: it can still be seen

    def __str__(self) -> str:
        return f"{self.born:%H:%M:%S.%f}..{f'{self.died:%H:%M:%S.%f}' if self.died else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One operation that Helm did."""

    namespace: str
    kind: str
    revision: int
    began: datetime
    ended: datetime
    context: str | None  # that its own command gave it
    command: str
    evidence: Evidence

    def __str__(self) -> str:
        return f"{self.kind} {self.pipeline} revision {self.revision} ({self.evidence})"

    @property
    def pipeline(self) -> str:
        return f"{self.namespace}/{RELEASE}"

    @property
    def key(self) -> tuple[str, str, int]:
        return self.namespace, self.kind, self.revision


def all_done(
    commands: Iterable[tuple[str, Sequence[Command]]], seen: Sequence[Seen]
) -> list[Done]:
    """Read what was done out of the commands, and its evidence out of the records' changes."""
    done: list[Done] = []
    for namespace, each in commands:
        changes = [change for change in seen if change.namespace == namespace]
        mine = [one for command in each for one in _done(namespace, command, changes)]
        done += _until_the_next_test(mine)
    return done


def _done(namespace: str, command: Command, seen: Sequence[Seen]) -> list[Done]:
    new = sorted(set(command.after) - set(command.before))
    given = GIVEN.search(" ".join(command.arguments))
    found = []
    for number, kind in enumerate(command.operations):
        if kind not in DEPLOYING:
            revision = max(command.before or command.after or {1: ""})
        elif new:
            revision = new[number]
        else:  # taken back: nothing is left of it
            revision = max(command.before, default=0) + 1
        found.append(
            Done(
                namespace=namespace,
                kind=kind,
                revision=revision,
                began=command.began,
                ended=command.ended,
                # What Helm does on its own inherits, or has its target's.
                context=given[1] if given and number == 0 else None,
                command=str(command).splitlines()[0],
                evidence=_evidence(command, kind, revision, seen),
            )
        )
    return found


def _evidence(command: Command, kind: str, revision: int, seen: Sequence[Seen]) -> Evidence:
    of_revision = [change for change in seen if change.revision == revision]
    within = [
        change for change in of_revision if command.began <= change.at <= command.ended + SLACK
    ]
    if kind in DEPLOYING:
        added = next(change for change in within if change.change == "ADDED")
        return Evidence(born=added.at, died=_deleted(added, of_revision))
    if kind == "uninstall":
        began = next(change for change in within if change.status.startswith("uninstall"))
        same = [each for each in of_revision if each.uid == began.uid]
        # A later revision may supersede it, which hides that it was uninstalled.
        hidden = [each.at for each in same if each.at > began.at and each.status == "superseded"]
        ends = [*hidden, *filter(None, [_deleted(began, of_revision)])]
        return Evidence(born=began.at, died=min(ends, default=None))
    began = next(change for change in within if change.change == "MODIFIED")
    return Evidence(born=began.at, died=_deleted(began, of_revision))


def _deleted(record: Seen, seen: Sequence[Seen]) -> datetime | None:
    ends = [each.at for each in seen if each.uid == record.uid and each.change == "DELETED"]
    return ends[0] if ends else None


def _until_the_next_test(done: Sequence[Done]) -> list[Done]:
    """Another test of a revision writes over the runs of the one before it."""
    found = list(done)
    tests = [number for number, each in enumerate(done) if each.kind == "test"]
    for number, following in itertools.pairwise(tests):
        this, later = done[number], done[following]
        if this.revision == later.revision:
            found[number] = replace(
                this, evidence=replace(this.evidence, died=later.evidence.born)
            )
    return found
