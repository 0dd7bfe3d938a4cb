"""What an entry leaves out where it would be larger than an entry may be."""

from dataclasses import replace
from operator import itemgetter
from typing import Final

from pydantic import BaseModel

from helmwake.ledger.contents import entry_of, spec_of, status_of
from helmwake.ledger.entry import Entry
from helmwake.ledger.parts import HookPart, RolloutPart
from helmwake.ledger.schema import TraceStatus
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import Outcome, Result

MAX_BYTES: Final = 64 * 1024  # of a status, as JSON
# Kept free for what is said of its delivery: what is left out must not depend on that, or a
# trace that is sent again would be another one.
RESERVED_BYTES: Final = 10 * 1024
ROOM: Final = MAX_BYTES - RESERVED_BYTES
COUNT_BYTES: Final = len(',"omitted":2147483647')
SAID_LATER: Final = {"state", "delivered", "problem", "conditions"}
MAX_SHORT_MESSAGE: Final = 256  # a span's description says no more


def trimmed(entry: Entry) -> Entry:
    """Return what the ledger keeps of an entry: the same that is read from it later.

    Where the trace of an entry may be built from the ledger one day, it must be built from
    this on every day.
    """
    status = fitting_status(entry)
    return replace(entry_of(spec_of(entry.operation), status), omitted=status.omitted)


def fitting_status(entry: Entry) -> TraceStatus:
    """Make the status, and leave out of it what is too much.

    First messages are cut to what a span says of them. Then those rollouts and hook runs are
    left out that say least, the last of them first: the ones that ended well, then others,
    then those that failed or still run. The outcome always stays.
    """
    omitted = entry.omitted
    status = status_of(entry, omitted=omitted)
    if size(status) <= ROOM:
        return status
    short = replace(entry, operation=_with_short_messages(entry.operation))
    status = status_of(short, omitted=omitted)
    excess = size(status) - ROOM
    if excess <= 0:
        return status
    left_out = _left_out(status, excess + COUNT_BYTES)
    rollouts = tuple(part for part in status.rollouts if id(part) not in left_out)
    hooks = tuple(part for part in status.hooks if id(part) not in left_out)
    return status.model_copy(
        update={"rollouts": rollouts, "hooks": hooks, "omitted": omitted + len(left_out)}
    )


def size(status: TraceStatus) -> int:
    """Return its bytes as JSON, without what is said of its delivery."""
    return _bytes(status, exclude=SAID_LATER)


def _bytes(part: BaseModel, *, exclude: set[str] | None = None) -> int:
    text = part.model_dump_json(
        by_alias=True, exclude_none=True, exclude_defaults=True, exclude=exclude
    )
    return len(text.encode())


def _left_out(status: TraceStatus, excess: int) -> frozenset[int]:
    """Choose parts, by their `id`, that make at least so many bytes."""
    told: set[tuple[object, object]] = set()
    ranked: list[tuple[int, int, HookPart | RolloutPart]] = []
    parts: tuple[HookPart | RolloutPart, ...] = (*status.rollouts, *status.hooks)
    for part in parts:
        rank = _rank(part)
        if isinstance(part, RolloutPart) and (part.keptn, part.names) not in told:
            # What they agree or differ in names the whole operation's delivery.
            told.add((part.keptn, part.names))
            rank = min(rank, 1)
        ranked.append((rank, len(ranked), part))
    left_out = set()
    for _, _, part in sorted(ranked, key=itemgetter(0, 1), reverse=True):
        if excess <= 0:
            break
        left_out.add(id(part))
        excess -= _bytes(part)
    return frozenset(left_out)


def _rank(part: HookPart | RolloutPart) -> int:
    """Return 0 for what is left out last."""
    if part.outcome is None or part.outcome.result in {
        Result.FAILURE,
        Result.TIMEOUT,
        Result.ERROR,
    }:
        return 0
    return 2 if part.outcome.result is Result.SUCCESS else 1


def _with_short_messages(operation: Operation) -> Operation:
    return replace(
        operation,
        helm_outcome=_short(operation.helm_outcome),
        outcome=_short(operation.outcome),
        hooks=tuple(replace(run, outcome=_short(run.outcome)) for run in operation.hooks),
        rollouts=tuple(
            replace(rollout, cause=_short(rollout.cause), outcome=_short(rollout.outcome))
            for rollout in operation.rollouts
        ),
    )


def _short(outcome: Outcome | None) -> Outcome | None:
    if outcome is None or len(outcome.message) <= MAX_SHORT_MESSAGE:
        return outcome
    return replace(outcome, message=outcome.message[:MAX_SHORT_MESSAGE])
