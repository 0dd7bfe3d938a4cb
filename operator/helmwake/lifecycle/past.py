"""What a release did before this process began: asked once, when it is first needed."""

from dataclasses import replace

from helmwake.lifecycle.facts import Recalled
from helmwake.lifecycle.hooks import account
from helmwake.lifecycle.intents import Intent, Recall
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.payloads import on_payload
from helmwake.lifecycle.state import MAX_SETTLED, Past, Release, Step


def ask_past(release: Release) -> Step:
    """Ask when an operation begins that may have one before it, or when a gap left a record.

    A record that was found after a gap may have been told before it.
    """
    wanted = release.unsorted or any(op.awaits_past for op in release.operations)
    if release.past is not Past.UNASKED or not wanted:
        return release, ()
    return replace(release, past=Past.ASKED), (Recall(release.key),)


def on_recalled(release: Release, recalled: Recalled, limits: Limits) -> Step:
    """Take up what is remembered, then sort what had to wait for it."""
    known = sorted(recalled.operations, key=lambda operation: operation.started)
    settled = (*(operation.id for operation in known), *release.settled)[-MAX_SETTLED:]
    for operation in known:
        runs = [(run.name, run.started_at) for run in operation.hooks]
        release = account(release, operation.id.uid, runs)
    last = known[-1].as_predecessor() if known else None
    previous = release.previous
    if last is not None and (previous is None or previous.started < last.started):
        previous = last
    held = release.held
    release = replace(release, past=Past.TOLD, settled=settled, previous=previous, held=())
    for operation in release.operations:
        if operation.awaits_past:
            before = [each for each in known if each.started <= operation.started]
            release = release.having(
                replace(
                    operation,
                    awaits_past=False,
                    previous=operation.previous
                    or (before[-1].as_predecessor() if before else None),
                )
            )
    intents: tuple[Intent, ...] = ()
    for fetched in held:
        release, more = on_payload(release, fetched, limits)
        intents += more
    return release, intents
