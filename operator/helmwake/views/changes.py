"""What is new of an operation, one line for each change: for logs and pipes."""

from collections.abc import Iterator
from datetime import datetime

from helmwake.ledger.entry import Entry
from helmwake.views import words
from helmwake.views.entries import RUNNING, ending, last_known
from helmwake.views.fitting import clean
from helmwake.views.progress import Phase, phases
from helmwake.views.verdict import Verdict


def changes(before: Entry | None, after: Entry, *, now: datetime) -> Iterator[str]:
    """Word what `after` says and `before` did not; each line names the operation.

    What has ended is told with its own time, all else with `now`, when it was seen.
    """
    operation = after.operation
    known = {phase.key: phase for phase in phases(before.operation)} if before else {}
    told = [
        (phase.ended or now, words_of(phase))
        for phase in phases(operation)
        if phase.key not in known or words_of(phase) != words_of(known[phase.key])
    ]
    if ending(after).result != RUNNING:
        told.append((operation.ended or last_known(operation), ended_words(after)))
    elif before is None and not told:
        told.append((now, RUNNING))
    for time, line in told:
        offset = words.offset(time - operation.started)
        yield f"{operation_name(after)}  {offset}  {clean(line)}"


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


def words_of(phase: Phase) -> str:
    """Say how far a phase is, and what is wrong with it."""
    said = phase.said or ("started" if phase.verdict is Verdict.RUNNING else "ended")
    cause = f": {phase.cause}" if phase.cause and phase.cause != phase.said else ""
    return f"{phase.name}  {said}{cause}"
