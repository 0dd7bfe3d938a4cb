"""What a release did before this process began: asked once, when it is first needed."""

from dataclasses import replace

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status
from helmwake.facts.versions import is_newer
from helmwake.lifecycle.facts import Fact, PayloadFetched, Recalled
from helmwake.lifecycle.helm_tests import fresh_runs
from helmwake.lifecycle.hooks import account
from helmwake.lifecycle.intents import Intent, Recall
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation, Predecessor
from helmwake.lifecycle.payloads import on_payload
from helmwake.lifecycle.records import on_record
from helmwake.lifecycle.state import MAX_SETTLED, Past, Release, Step


def hold(release: Release, fact: Fact) -> Release | None:
    """Put a fact by until the past is told; `None`: it need not wait.

    What a list shows may have been told by the process before: until it is known whether it
    was, none of it begins an operation. What comes after it waits behind it.
    """
    if release.past is Past.TOLD or not isinstance(fact, Record | PayloadFetched):
        return None
    if not release.held and not _needs_past(release, fact):
        return None
    return release if fact in release.held else replace(release, held=(*release.held, fact))


def ask_past(release: Release) -> Step:
    """Ask when an operation begins that may have one before it, or when a fact has to wait."""
    wanted = release.held or any(op.awaits_past for op in release.operations)
    if release.past is not Past.UNASKED or not wanted:
        return release, ()
    return replace(release, past=Past.ASKED), (Recall(release.key),)


def on_recalled(release: Release, recalled: Recalled, limits: Limits) -> Step:
    """Take up what is remembered, then the facts that had to wait for it."""
    if release.past is Past.TOLD:
        return release, ()
    known = sorted(recalled.operations, key=lambda operation: operation.started)
    settled = (*(operation.id for operation in known), *release.settled)[-MAX_SETTLED:]
    for operation in known:
        runs = [(run.name, run.started_at) for run in operation.hooks]
        release = account(release, operation.id.uid, runs)
    held = release.held
    release = replace(
        release,
        past=Past.TOLD,
        settled=settled,
        previous=_later(release.previous, known),
        held=(),
    )
    for operation in release.operations:
        if operation.awaits_past:
            before = [each for each in known if each.started <= operation.started]
            previous = _later(operation.previous, before)
            release = release.having(replace(operation, awaits_past=False, previous=previous))
    intents: tuple[Intent, ...] = ()
    for fact in held:
        if isinstance(fact, Record):
            release, more = on_record(release, fact, limits)
        else:
            release, more = on_payload(release, fact, limits)
        intents += more
    return release, intents


def _needs_past(release: Release, fact: Record | PayloadFetched) -> bool:
    if isinstance(fact, PayloadFetched):
        if any(record.uid == fact.ref.uid for record in release.unsorted):
            return True
        # Which tests were told, no record says.
        return bool(fact.payload and fresh_runs(release, fact.payload, fact.ref.uid))
    known = release.records.get(fact.revision)
    same = known is not None and known.uid == fact.uid
    if fact.gone and not same:
        return False
    if known and same and not is_newer(fact.resource_version, known.resource_version):
        return False
    if fact.origin is Origin.INITIAL and release.past is Past.UNASKED:
        # What is settled and no news makes no operation.
        return fact.status.pending or fact.status is Status.UNINSTALLING
    return fact.origin is not Origin.WATCHED


def _later(previous: Predecessor | None, known: list[Operation]) -> Predecessor | None:
    """Return whichever began last; `known` is in the order of beginning."""
    if not known or (previous is not None and previous.started >= known[-1].started):
        return previous
    return known[-1].as_predecessor()
