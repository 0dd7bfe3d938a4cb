"""An entry is at most 64 KiB, and what it leaves out is the least of it."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from helmwake.facts.keptn import NO_CONTEXT, KeptnContext
from helmwake.ledger.documents import parse_entry, to_object, to_status, trimmed
from helmwake.ledger.entry import State
from helmwake.ledger.trimming import MAX_BYTES
from helmwake.lifecycle.operation import Operation, Rollout
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result
from helmwake.telemetry.traces import Cluster, build_trace
from tests.ledger.making import BAD, LEDGER, entry, full, rollout
from tests.lifecycle.making import NOON, after

LONG: Final = "é" * 5000


def size(status: dict[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode())


def wide(*rollouts: Rollout, **fields: Any) -> Operation:
    return replace(full(), hooks=(), rollouts=rollouts, **fields)


def good(count: int) -> tuple[Rollout, ...]:
    return tuple(rollout(f"good-{n}") for n in range(count))


def bad(count: int, message: str = "no image") -> tuple[Rollout, ...]:
    return tuple(
        rollout(f"bad-{n}", outcome=replace(BAD, message=message), cause=None)
        for n in range(count)
    )


def names(operation: Operation) -> list[str]:
    return [each.key.name for each in operation.rollouts]


MANY_HOOKS: Final = replace(
    full(), hooks=tuple(replace(full().hooks[0], name=f"hook-{n}") for n in range(1000))
)
ABSURD: Final = wide(
    *bad(300, LONG),
    outcome=Outcome(result=Result.TIMEOUT, error=ErrorType.TIMEOUT, message=LONG),
    namespace=KeptnContext(context="\U0001f600" * 256, project="\U0001f600" * 256),
)


@pytest.mark.parametrize(
    "operation",
    [
        wide(*good(300)),
        wide(*bad(300)),
        wide(*bad(300, LONG)),
        wide(*good(150), *bad(150, LONG)),
        wide(*(replace(each, outcome=None, ended=None) for each in good(300))),
        MANY_HOOKS,
        ABSURD,
    ],
    ids=["good", "bad", "wordy", "mixed", "running", "hooks", "absurd"],
)
@pytest.mark.parametrize("state", [State.UNDELIVERED, State.SET_ASIDE])
def test_it_is_small_whatever_happened(operation: Operation, state: State) -> None:
    kept = entry(operation, state=state, delivered_to="http://c:4317", problem="\x01" * 2000)

    status = to_status(kept)

    assert size(status) <= MAX_BYTES
    assert size(status) > 0.7 * MAX_BYTES  # as much as there is room for
    count = len(operation.rollouts) + len(operation.hooks)
    left = len(status.get("rollouts", ())) + len(status.get("hooks", ()))
    assert status["omitted"] == count - left
    assert parse_entry(json.loads(json.dumps(to_object(kept, namespace=LEDGER)))) == trimmed(kept)


def test_what_fits_is_left_as_it_is() -> None:
    kept = entry(wide(*good(40), *bad(10, "é" * 1024)))

    assert trimmed(kept) == kept
    assert "omitted" not in to_status(kept)


def test_messages_are_shortened_first_and_no_span_says_less() -> None:
    kept = entry(wide(*good(10), *bad(40, LONG)))

    small = trimmed(kept)

    assert names(small.operation) == names(kept.operation)
    assert {
        len(each.outcome.message) for each in small.operation.rollouts[10:] if each.outcome
    } == {256}
    assert build_trace(small.operation, Cluster()) == build_trace(kept.operation, Cluster())


def test_what_went_well_is_left_out_before_what_failed_or_runs() -> None:
    running = replace(rollout("late"), outcome=None, ended=None)
    kept = entry(wide(*good(300), *bad(20), running))

    left = names(trimmed(kept).operation)

    assert left[-21:] == [*(f"bad-{n}" for n in range(20)), "late"]
    # Of equals the first stay.
    assert left[:-21] == [f"good-{n}" for n in range(len(left) - 21)]


def test_the_outcome_and_the_times_are_never_left_out() -> None:
    small = trimmed(entry(ABSURD)).operation

    assert small.outcome is not None
    assert (small.outcome.result, small.outcome.error) == (Result.TIMEOUT, ErrorType.TIMEOUT)
    assert (small.started, small.helm_ended, small.ended) == (
        ABSURD.started,
        ABSURD.helm_ended,
        ABSURD.ended,
    )


def test_whose_delivery_it_is_does_not_change() -> None:
    """Rollouts that disagree about it leave no name; one of them must not be left alone."""
    other = replace(rollout("zz"), keptn=KeptnContext(context="another"))
    operation = wide(*good(300), other, tags=replace(full().tags, keptn=NO_CONTEXT))
    operation = replace(operation, payload=None, namespace=NO_CONTEXT)
    assert operation.keptn == NO_CONTEXT

    small = trimmed(entry(operation)).operation

    assert small.keptn == NO_CONTEXT
    assert build_trace(small, Cluster()).root == build_trace(operation, Cluster()).root


@pytest.mark.parametrize("operation", [wide(*good(300)), ABSURD, MANY_HOOKS, full()])
def test_trimming_again_changes_nothing(operation: Operation) -> None:
    kept = entry(operation)

    assert trimmed(trimmed(kept)) == trimmed(kept)
    assert to_status(trimmed(kept)) == to_status(kept)


def test_what_is_left_out_does_not_depend_on_its_delivery() -> None:
    """Else a trace that is sent again would not be the same."""
    kept = trimmed(entry(wide(*good(300))))
    later = replace(
        kept,
        state=State.DELIVERED,
        delivered=NOON,
        delivered_to="\x01" * 1024,
        problem="\x01" * 1024,
    )

    assert trimmed(later).operation == kept.operation
    assert to_status(later)["omitted"] == to_status(kept)["omitted"]
    assert size(to_status(later)) <= MAX_BYTES


def test_what_is_out_of_bounds_is_cut_and_the_trace_is_made_of_that() -> None:
    operation = replace(full(), revision=10**19, outcome=replace(BAD, message=LONG + "\ud800"))
    huge = replace(rollout("cart"), wanted=2**40, key=replace(rollout("cart").key, name="n" * 999))
    kept = entry(replace(operation, rollouts=(huge,)))

    small = trimmed(kept).operation

    assert small.revision == 2**63 - 1
    assert small.rollouts[0].wanted == 2**31 - 1
    assert len(small.rollouts[0].key.name) == 256
    assert small.outcome is not None
    assert small.outcome.message == "é" * 1024
    assert parse_entry(to_object(trimmed(kept), namespace=LEDGER)).operation == small


def test_a_time_before_any_clock_is_kept_too() -> None:
    """Another clock's offset may move a time anywhere."""
    operation = replace(
        full(), started=after(0).replace(year=1), ended=after(0).replace(year=9999)
    )

    assert trimmed(entry(operation)).operation == operation
    assert parse_entry(to_object(entry(operation), namespace=LEDGER)).operation == operation
