"""What the ledger holds of an operation, as it is shown: its trace, and how it ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from helmwake.entry_traces import trace_of
from helmwake.ledger.contents import known_so_far
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation, Rollout
from helmwake.lifecycle.outcome import Outcome
from helmwake.telemetry import semconv
from helmwake.telemetry.spans import Span, Trace

RUNNING: Final = "running"
UNKNOWN: Final = "unknown"  # it was followed no more before its end, or cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an operation ended or, while it runs, what is known to be wrong with it."""

    result: str  # of `Result`, or running, or unknown
    error: str | None = None  # of `ErrorType`
    cause: str | None = None  # in words


def ending(entry: Entry) -> Ending:
    operation = entry.operation
    if operation.ended is not None and operation.outcome is not None:
        return _ending(operation.outcome.result.value, operation.outcome)
    if entry.state is State.RUNNING:
        return _ending(RUNNING, known_so_far(operation))
    lost = "cannot be read" if entry.state is State.UNREADABLE else "followed no more"
    return Ending(result=UNKNOWN, cause=f"{lost}: {entry.problem}" if entry.problem else lost)


def last_known(operation: Operation) -> datetime:
    """Return the last moment that is told of it."""
    times = [operation.started, operation.last_write, operation.helm_ended, operation.ended]
    times += [time for run in operation.hooks for time in (run.started, run.ended)]
    times += [time for each in operation.rollouts for time in (each.started, each.ended)]
    return max(time for time in times if time is not None)


def entry_trace(entry: Entry) -> Trace:
    """Build the trace to be shown.

    That of a final entry is the one that was sent. One that still runs also tells the causes
    known so far; one that is followed no more ends where it was last heard of.
    """
    operation, trace = entry.operation, trace_of(entry)
    if operation.ended is not None:
        return trace
    if entry.state is not State.RUNNING:
        cause, at = ending(entry).cause, last_known(operation)
        root = replace(_left(trace.root, at), description=cause)
        return replace(trace, spans=(root, *(_left(span, at) for span in trace.spans[1:])))
    causes = {
        f"rollout {rollout.key}": _words(rollout)
        for rollout in operation.rollouts
        if rollout.running
    }
    spans = (replace(span, description=causes.get(span.name)) for span in trace.spans[1:])
    return replace(trace, spans=(trace.root, *spans))


def _ending(result: str, outcome: Outcome | None) -> Ending:
    if outcome is None:
        return Ending(result=result)
    error = outcome.error.value if outcome.error else None
    return Ending(result=result, error=error, cause=outcome.message or None)


def _words(rollout: Rollout) -> str | None:
    return rollout.cause.message if rollout.cause else None


def _left(span: Span, at: datetime) -> Span:
    if span.end is not None:
        return span
    attributes = {**span.attributes, semconv.PIPELINE_RESULT.name: UNKNOWN}
    return replace(span, end=max(at, span.start), attributes=attributes)
