"""Taking up operations where another process left them."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import ReleaseKey
from helmwake.lifecycle.hooks import account
from helmwake.lifecycle.intents import (
    Announce,
    FetchPayload,
    Intent,
    ListWorkloads,
    Recall,
    WakeAt,
)
from helmwake.lifecycle.limits import Limits
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.rollouts import limit_wakes
from helmwake.lifecycle.state import Past, Release, Step


def resume(
    key: ReleaseKey,
    operations: Iterable[Operation],
    limits: Limits,
    *,
    origin_of_beginning: Callable[[Record], Origin | None],
) -> Step:
    """Make a release of operations that were running, and ask again what they waited for.

    What happened since is told by the lists that come next, as after any gap. But of a test's
    or an uninstall's record they tell nothing new: the operation that made it may be missing.
    """
    operations = tuple(sorted(operations, key=lambda operation: operation.started))
    release = Release(
        key=key,
        records={
            operation.revision: operation.record
            for operation in operations
            if not operation.record.gone
        },
        release_namespace=_elsewhere(key, operations),
        past=Past.ASKED,
        unsorted=_doubtful(operations, origin_of_beginning),
    )
    intents: list[Intent] = [Recall(key)]
    for operation in operations:
        runs = [(run.name, run.started_at) for run in operation.hooks]
        release = account(release, operation.id.uid, runs)
        resumed, more = _ask_again(operation, key, limits)
        release = release.having(resumed)
        intents += more
    return release, tuple(intents)


def _doubtful(
    operations: tuple[Operation, ...], origin_of_beginning: Callable[[Record], Origin | None]
) -> tuple[Record, ...]:
    made = {operation.id.uid for operation in operations if operation.kind.deploys}
    later = {
        operation.id.uid: operation.record
        for operation in operations
        if operation.id.uid not in made and not operation.record.gone
    }
    dated = ((record, origin_of_beginning(record)) for record in later.values())
    return tuple(replace(record, origin=origin) for record, origin in dated if origin is not None)


def _ask_again(
    operation: Operation, key: ReleaseKey, limits: Limits
) -> tuple[Operation, list[Intent]]:
    ref = operation.record.ref
    intents: list[Intent] = [FetchPayload(ref)]
    if operation.announced:
        intents.append(Announce(operation))
    if operation.helm_ended is None:
        intents.append(WakeAt(operation.last_write + limits.stuck_after))
        if not any(rollout.running for rollout in operation.rollouts):
            return operation, intents
    elif operation.kind.deploys:
        intents.append(WakeAt(operation.helm_ended + limits.after_failure))
    else:
        return replace(operation, awaits_payload=ref.resource_version), intents
    # A list tells which workloads are gone, and how far the others are.
    namespace = operation.payload.namespace if operation.payload else key.namespace
    operation = replace(operation, awaits_listing=namespace)
    if operation.helm_ended is not None:
        operation = replace(operation, awaits_payload=ref.resource_version)
    intents.append(ListWorkloads(namespace, operation.id))
    intents += limit_wakes(operation, limits)
    return operation, intents


def _elsewhere(key: ReleaseKey, operations: tuple[Operation, ...]) -> str | None:
    """Return the release's own namespace, where it is not its records'."""
    told = [operation.payload.namespace for operation in operations if operation.payload]
    return told[-1] if told and told[-1] != key.namespace else None
