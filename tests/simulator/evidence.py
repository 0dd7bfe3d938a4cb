"""Which operations can still be told, and how, from what a lossy watch has seen.

The rules, from helm-storage.md. A record's operation is an install, upgrade or
rollback; "seen" means in any event, re-lists included.

record's operation
    no event of its uid: hidden.
    `deployed` seen: it succeeded. `failed` seen: it failed, and its payload says how.
    Only `superseded` seen: of an install or upgrade the description tells which of the
    two it was (a failed one turns superseded too, when nothing was deployed before the
    next upgrade); of a rollback it does not.
    `pending-install`, then `uninstalling` with no re-list between: rolled back.
    pending-*, and a higher revision, an uninstall or Flux's unlock seen: abandoned.
    pending-*, and its deletion seen as it happened: orphaned.
    Everything else: unknown.
rollout
    Its own end must be seen, in the status of its own pod template; else any end of
    it will do.
uninstall
    Its `uninstalled`, or its `uninstalling` (by `info.deleted`) and the deletion: known.
    The deletion by a re-list alone: implied, with bounds for times.
test
    One of its runs, by (hook, `started_at`), as the newest one in the record: seen. A
    Failed one, or the last one Succeeded: known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.simulator.cluster import Event
from tests.simulator.sightings import Sighting, Witness, started_at
from tests.simulator.truth import (
    ABANDONED,
    ROLLED_BACK,
    ROLLOUT_FAILED,
    ROLLOUT_SUPERSEDED,
    SUCCESS,
    UNKNOWN,
    Operation,
    Outcome,
)

Verdict = Literal["known", "implied", "unknown", "running", "hidden"]
UNINSTALL: Final = frozenset({"uninstalling", "uninstalled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What may be told of one operation after a loss.

    known: exactly one operation, its outcome among `outcomes`, the same as without loss.
    implied: one operation too, but neither its record nor its times need be right.
    unknown: at most one; if it has an outcome, it is among `outcomes`.
    running: at most one, without an outcome.
    hidden: nothing was left of it; what is told of it all the same is among `outcomes`.
    """

    operation: Operation
    verdict: Verdict
    outcomes: tuple[Outcome, ...] = ()
    live: bool = False
    """It was seen before it had ended, not only afterwards, as history."""

    @property
    def may_be_absent(self) -> bool:
        return self.verdict not in {"known", "implied"}

    def admits(self, result: str, error: str | None) -> bool:
        return any(outcome.admits(result, error) for outcome in self.outcomes)


def expectations(truth: Iterable[Operation], seen: Sequence[Event]) -> list[Expectation]:
    """Say of every true operation what can be told from the seen events."""
    found: list[Expectation] = []
    witnesses: dict[tuple[str, str], Witness] = {}
    for operation in truth:
        own = operation.namespace, operation.release
        if own not in witnesses:
            witnesses[own] = Witness(seen, namespace=own[0], release=own[1])
        found.append(expect(operation, witnesses[own]))
    return found


def expect(operation: Operation, witness: Witness) -> Expectation:
    if operation.kind == "uninstall":
        return _uninstall(operation, witness)
    if operation.kind == "test":
        return _test(operation, witness)
    return _with_rollouts(_record(operation, witness), witness)


def _record(operation: Operation, witness: Witness) -> Expectation:
    own = witness.of(operation.uid)
    if not own:
        return _told(operation, "hidden", UNKNOWN)
    pending = [s for s in own if s.status.startswith("pending-")]
    live = bool(pending)
    if operation.state == "running":
        return _told(operation, "running", live=live)
    if _is_known(operation, witness, own, pending):
        return _told(operation, "known", *operation.outcomes, live=live)
    # `superseded` alone: success is the natural reading of a rollback's.
    blurred = operation.kind == "rollback" and any(s.status == "superseded" for s in own)
    likely = (SUCCESS,) if blurred else ()
    rolled_back = (ROLLED_BACK,) if operation.kind == "install" else ()
    others = (*likely, *rolled_back, ABANDONED, UNKNOWN)
    return _told(operation, "unknown", *operation.helm_outcomes, *others, live=live)


def _is_known(
    operation: Operation, witness: Witness, own: list[Sighting], pending: list[Sighting]
) -> bool:
    statuses = {s.status for s in own}
    match operation.state:
        case "succeeded":
            return "deployed" in statuses or (
                operation.kind != "rollback" and any(_was_deployed(s) for s in own)
            )
        case "failed" | "cancelled":
            return "failed" in statuses
        case "rolled back":
            after = next((s for s in own if s.status == "uninstalling"), None)
            return bool(after and pending and witness.unbroken(pending[-1], after))
        case "abandoned":
            return "failed" in statuses or _left_behind(operation, witness)
        case "orphaned":
            gone = witness.gone(operation.uid)
            return bool(pending and gone and not gone.relisted)
        case _:
            return False


def _left_behind(operation: Operation, witness: Witness) -> bool:
    """Say whether its record was still pending when a successor was seen.

    A re-list tells deletions first, then by revision: had the record changed in the
    gap, that would have been told before any successor.
    """
    successor = witness.successor(operation)
    if successor is None:
        return False
    own = [s for s in witness.of(operation.uid) if s.position < successor.position]
    if not own or own[-1].change == "DELETED" or not own[-1].status.startswith("pending-"):
        return False
    return successor.uid != operation.uid or witness.unbroken(own[-1], successor)


def _was_deployed(sighting: Sighting) -> bool:
    """Read a superseded install's or upgrade's past from its description."""
    if sighting.status != "superseded":
        return False
    unfinished = ("Initial install underway", "Preparing upgrade", "superseded by new release")
    failed = ('Upgrade "', 'Release "')
    return not sighting.description.startswith((*unfinished, *failed))


def _with_rollouts(found: Expectation, witness: Witness) -> Expectation:
    operation = found.operation
    if found.verdict != "known" or operation.state != "succeeded":
        return found
    if not operation.outcomes:
        return _told(operation, "running", *_ANY_ROLLOUT, live=found.live)
    if all(witness.saw_end(r) or r.state in _OPEN_ENDS for r in operation.rollouts):
        return found
    return _told(operation, "known", *operation.outcomes, *_ANY_ROLLOUT, live=found.live)


_OPEN_ENDS: Final = frozenset({"superseded", "deleted"})
_ANY_ROLLOUT: Final = (SUCCESS, ROLLOUT_FAILED, ROLLOUT_SUPERSEDED, UNKNOWN)


def _uninstall(operation: Operation, witness: Witness) -> Expectation:
    own = witness.of(operation.uid)
    mine = [s for s in own if s.status in UNINSTALL and started_at(operation, s.deleted)]
    gone = witness.gone(operation.uid)
    live = any(s.status == "uninstalling" and s.change != "DELETED" for s in mine)
    if operation.state == "running":
        return _told(operation, "running" if mine else "hidden", live=live)
    others = (*operation.outcomes, SUCCESS, UNKNOWN, ABANDONED)
    if operation.state != "succeeded":
        followed = operation.state == "abandoned" and witness.successor(operation)
        if mine and followed and witness.unbroken(mine[0], own[-1]):
            return _told(operation, "known", *operation.outcomes, live=live)
    elif mine and (gone or any(s.status == "uninstalled" for s in mine)):
        return _told(operation, "known", *operation.outcomes, live=live)
    elif gone and _settled_before(gone):
        return _told(operation, "implied", SUCCESS, UNKNOWN)
    return _told(operation, "unknown" if mine or gone else "hidden", *others, live=live)


def _settled_before(gone: Sighting) -> bool:
    """Say whether the record, as last seen before it went, had nothing running on it."""
    return not gone.status.startswith("pending-") and gone.status not in UNINSTALL


def _test(operation: Operation, witness: Witness) -> Expectation:
    starts = {started for _, started in operation.hook_runs}
    mine = [s for s in witness.of(operation.uid) if s.newest_test() in starts]
    if not mine:
        return _told(operation, "hidden", *operation.outcomes, UNKNOWN, ABANDONED)
    live = any(s.phase(*operation.hook_runs[-1]) in {"", "Running"} for s in mine)
    if operation.state == "running":
        return _told(operation, "running", live=live)
    ended = any(s.phase(*operation.hook_runs[-1]) in {"Failed", "Succeeded"} for s in mine)
    if operation.state in {"succeeded", "failed"} and ended:
        return _told(operation, "known", *operation.outcomes, live=live)
    if operation.state == "abandoned" and live and witness.successor(operation):
        return _told(operation, "known", *operation.outcomes, live=live)
    return _told(operation, "unknown", *operation.outcomes, UNKNOWN, ABANDONED, live=live)


def _told(
    operation: Operation, verdict: Verdict, *outcomes: Outcome, live: bool = False
) -> Expectation:
    unique = tuple(dict.fromkeys(outcomes))
    return Expectation(operation=operation, verdict=verdict, outcomes=unique, live=live)
