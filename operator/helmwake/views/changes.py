"""What is new of an operation, one line for each change: for logs and pipes."""

from collections.abc import Iterator
from datetime import datetime

from helmwake.ledger.entry import Entry
from helmwake.views import words
from helmwake.views.entries import RUNNING, ending
from helmwake.views.fitting import clean
from helmwake.views.progress import Phase, phases
from helmwake.views.verdict import Verdict


def changes(before: Entry | None, after: Entry, *, now: datetime) -> Iterator[str]:
    """Word what `after` says and `before` did not; each line names the operation.

    `now` is when it was seen, in whose place its end stands where it is known.
    """
    operation = after.operation
    name = operation_name(after)
    offset = words.offset((operation.ended or now) - operation.started)
    known = {phase.key: phase for phase in phases(before.operation)} if before else {}
    told = [line for phase in phases(operation) if (line := _line(known.get(phase.key), phase))]
    end = ending(after)
    if end.result != RUNNING:
        told.append(ended_words(after))
    elif before is None and not told:
        told.append("running")
    for line in told:
        yield f"{name}  {offset}  {clean(line)}"


def operation_name(entry: Entry) -> str:
    """Name it as people do: upgrade shop/cart#3."""
    operation = entry.operation
    payload = operation.payload
    namespace = payload.namespace if payload else operation.release.namespace
    return clean(f"{operation.kind} {namespace}/{operation.release.name}#{operation.revision}")


def ended_words(entry: Entry) -> str:
    """Say how it ended and why: `failure (image_pull_failed): image ... cannot be pulled`."""
    end = ending(entry)
    error = f" ({end.error})" if end.error and end.error not in {"_OTHER", end.result} else ""
    return clean(f"{end.result}{error}" + (f": {end.cause}" if end.cause else ""))


def _line(before: Phase | None, after: Phase) -> str:
    """Word a phase where that says something new."""
    said = _words(after)
    return said if before is None or said != _words(before) else ""


def _words(phase: Phase) -> str:
    said = phase.said or ("started" if phase.verdict is Verdict.RUNNING else "ended")
    cause = f": {phase.cause}" if phase.cause and phase.cause != phase.said else ""
    return f"{phase.name}  {said}{cause}"
