"""Done, delivered, missing: what became of each operation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.spans import faults, roots
from tests.e2e.counting import DEPLOYING
from tests.e2e.expected import RELEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.lives import Life
    from tests.chaos.sink import Arrived
    from tests.chaos.spans import Root
    from tests.chaos.truth import Done

# From the record's change to the ledger's entry, on a busy machine. Who was killed sooner had
# no time to write.
FIRST_ENTRY: Final = timedelta(seconds=1)
STATE_LABEL: Final = "helmwake.dev/state"
# A record's creation is dated in whole seconds.
CLOCK: Final = timedelta(seconds=1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Of one scenario."""

    title: str
    done: Sequence[Done]
    delivered: int  # distinct roots
    sent_again: int  # roots that came more than once
    without_evidence: Sequence[tuple[Done, str]]
    missing: Sequence[Done]
    unexpected: Sequence[Root]
    faults: Sequence[str]
    lives: Sequence[Life] = ()
    notes: Sequence[str] = field(default=())

    @property
    def holds(self) -> bool:
        return not (self.missing or self.unexpected or self.faults)

    def __str__(self) -> str:
        rows = (
            ("operations that Helm did", len(self.done)),
            ("delivered", self.delivered),
            ("delivered more than once", self.sent_again),
            ("no evidence", len(self.without_evidence)),
            ("missing", len(self.missing)),
            ("unexpected", len(self.unexpected)),
            ("other faults", len(self.faults)),
        )
        lines = [self.title, *(f"  {name:26}{count:5}" for name, count in rows), *self.notes]
        lines += [f"  no evidence: {one}: {why}" for one, why in self.without_evidence]
        lines += [f"  MISSING: {each}; {each.command}" for each in self.missing]
        lines += [f"  UNEXPECTED: {each}" for each in self.unexpected]
        lines += [f"  FAULT: {each}" for each in self.faults]
        if not self.holds:
            lines += ["  lives: number, began, ready, ended", *(f"  {x}" for x in self.lives)]
        return "\n".join(lines)


def judge(
    title: str,
    done: Sequence[Done],
    arrived: Sequence[Arrived],
    *,
    lives: Sequence[Life],
    entries: Sequence[Any],
) -> Verdict:
    """Hold what arrived against what was done. `entries` are the ledger's, at the end."""
    found = roots(arrived)
    left, unexpected, mistaken = _matched(done, found)
    told = {root.trace for root in found}
    # What was told has its own operation, also where the next one took the same name at once.
    untold = [entry for entry in entries if entry.get("status", {}).get("traceId") not in told]
    missing: list[Done] = []
    without: list[tuple[Done, str]] = []
    for each in left:
        why = _why_unseen(each, lives)
        if why is None or any(_is_of(entry, each) for entry in untold):
            missing.append(each)
        else:
            without.append((each, why))
    return Verdict(
        title=title,
        done=done,
        delivered=len(found),
        sent_again=sum(root.arrivals > 1 for root in found),
        without_evidence=without,
        missing=missing,
        unexpected=unexpected,
        faults=[*faults(arrived), *mistaken, *_open(entries)],
        lives=lives,
    )


def _matched(
    done: Sequence[Done], found: Sequence[Root]
) -> tuple[list[Done], list[Root], list[str]]:
    """Pair them; what is left of both, and what the pairs disagree in."""
    of_key: dict[tuple[str, str, int], list[Root]] = defaultdict(list)
    for root in found:
        of_key[root.key].append(root)
    left: list[Done] = []
    mistaken: list[str] = []
    # Of two installs within a moment one may have left no evidence: the context tells which.
    later = [each for each in sorted(done, key=_began) if _paired(each, of_key, sure=True) is None]
    for each in later:
        told = _paired(each, of_key, sure=False)
        if told is None:
            left.append(each)
        elif each.context is not None and told.context != each.context:
            mistaken.append(f"{each} has the context {told.context}, not {each.context}")
    rest = [root for of_one in of_key.values() for root in of_one]
    for each in list(left):
        for root in rest:
            if _is_uninstall_of_less(each, root) or _is_rollback_without_its_word(each, root):
                left.remove(each)
                rest.remove(root)
                break
    return left, rest, mistaken


def _began(done: Done) -> datetime:
    return done.began


def _paired(
    done: Done, of_key: dict[tuple[str, str, int], list[Root]], *, sure: bool
) -> Root | None:
    """Take the root that fits best out of those that are left, if one does."""
    fitting = [
        root
        for root in of_key[done.key]
        if _fits(done, root)
        and (not sure or (done.context is not None and root.context == done.context))
    ]
    if not fitting:
        return None
    root = min(fitting, key=partial(_distance, done))
    of_key[done.key].remove(root)
    return root


def _is_uninstall_of_less(done: Done, root: Root) -> bool:
    """All that was known of a release vanished, and later revisions had not been seen."""
    return (
        done.kind == root.kind == "uninstall"
        and root.bounded
        and (root.namespace, root.release) == (done.namespace, RELEASE)
        and root.revision < done.revision
        and root.started <= done.ended + CLOCK
        and done.evidence.born <= root.ended
    )


def _is_rollback_without_its_word(done: Done, root: Root) -> bool:
    """Helm 3 tells a rollback by its description alone, which an uninstall replaces.

    Who first looks after that finds a revision that was deployed, and calls it an upgrade.
    """
    return (
        (done.kind, root.kind) == ("rollback", "upgrade")
        and (root.namespace, root.revision) == (done.namespace, done.revision)
        and _fits(done, root)
    )


def _fits(done: Done, root: Root) -> bool:
    """Tell by the time, since a name can be taken anew, and a test be repeated."""
    if root.bounded:
        return root.started <= done.ended + CLOCK
    return done.began - CLOCK <= root.started <= done.ended + CLOCK


def _distance(done: Done, root: Root) -> tuple[bool, timedelta]:
    foreign = done.context is not None and root.context != done.context
    return foreign, abs(root.started - done.evidence.born)


def _why_unseen(done: Done, lives: Sequence[Life]) -> str | None:
    """Say why nobody can have seen it; None: somebody watched for long enough, or still can."""
    born, died = done.evidence.born, done.evidence.died
    if died is None:
        return None
    near = []
    for life in lives:
        if life.ready is None:
            continue
        first_seen = max(life.ready, born)
        lived_on = (life.ended or datetime.now(UTC)) - first_seen
        if first_seen >= died or lived_on <= timedelta(0):
            continue
        if lived_on > FIRST_ENTRY:
            return None
        near.append(f"life {life.number} was killed {lived_on.total_seconds():.3f} s into it")
    span = f"its evidence lived for {(died - born).total_seconds():.3f} s"
    return "; ".join([span, *(near or ["nobody was watching"])])


def _is_of(entry: Any, done: Done) -> bool:
    spec = entry["spec"]
    kinds = DEPLOYING if done.kind in DEPLOYING else (done.kind,)
    if (spec["release"]["namespace"], spec["revision"]) != (done.namespace, done.revision):
        return False
    if spec["operation"] not in kinds:
        return False
    started = entry.get("status", {}).get("started", spec.get("start"))
    if started is None:
        return True
    began = datetime.fromisoformat(started)
    return done.began - CLOCK <= began <= done.ended + CLOCK


def _open(entries: Sequence[Any]) -> list[str]:
    return [
        f"the ledger's entry {entry['metadata']['name']} of "
        f"{entry['spec']['release']['namespace']} is {entry.get('status', {}).get('state')}, "
        f"by its label {entry['metadata']['labels'].get(STATE_LABEL)}"
        for entry in entries
        if entry.get("status", {}).get("state") != "Delivered"
    ]
