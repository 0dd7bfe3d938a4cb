"""(release, fact) -> (release, intents): the one entry to the state machine."""

from dataclasses import replace

from helmwake.facts.helm import Record
from helmwake.facts.namespaces import Namespace
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.changes import on_workload
from helmwake.lifecycle.closing import LAST_WORDS, settle
from helmwake.lifecycle.facts import Fact, PayloadFetched, Recalled, Tick, WorkloadsListed
from helmwake.lifecycle.gone import conclude_vanished
from helmwake.lifecycle.intents import Intent, WakeAt
from helmwake.lifecycle.limits import DEFAULT_LIMITS, Limits
from helmwake.lifecycle.past import ask_past, hold, on_recalled
from helmwake.lifecycle.payloads import on_payload
from helmwake.lifecycle.records import on_record
from helmwake.lifecycle.rollouts import missing
from helmwake.lifecycle.state import Release, Step


def step(release: Release, fact: Fact, limits: Limits = DEFAULT_LIMITS) -> Step:
    """Take one fact. Facts may come twice, late, never, and in any order between streams."""
    intents: tuple[Intent, ...] = ()
    waiting = hold(release, fact)
    match fact:
        case _ if waiting is not None:
            release = waiting
        case Record():
            release, intents = on_record(release, fact, limits)
        case PayloadFetched():
            release, intents = on_payload(release, fact, limits)
        case Workload():
            release, intents = on_workload(release, fact, limits)
        case WorkloadsListed():
            release, intents = _on_listed(release, fact, limits)
        case Namespace():
            release, intents = _on_namespace(release, fact)
        case Recalled():
            release, intents = on_recalled(release, fact, limits)
        case Tick():
            pass
    release, concluding = conclude_vanished(release, fact.seen, limits)
    release, closing = settle(release, fact.seen, limits)
    release, asking = ask_past(release)
    return release, (*intents, *concluding, *closing, *asking)


def _on_listed(release: Release, listed: WorkloadsListed, limits: Limits) -> Step:
    intents: tuple[Intent, ...] = ()
    for workload in listed.workloads:
        release, more = on_workload(release, workload, limits)
        intents += more
    for operation in release.operations:
        if operation.id == listed.operation and operation.awaits_listing == listed.namespace:
            answered = replace(operation, awaits_listing=None)
            if listed.complete:
                uids = {workload.uid for workload in listed.workloads}
                answered = missing(answered, listed.namespace, uids, listed.seen)
            release = release.having(answered)
    return release, intents


def _on_namespace(release: Release, namespace: Namespace) -> Step:
    known = release.namespace
    release = replace(release, namespace=namespace)
    if namespace.gone and known is not None and known.gone:
        return release, ()
    if namespace.gone:
        # Streams race: what happened in it may still be told.
        return release, (WakeAt(namespace.seen + LAST_WORDS),)
    for operation in release.operations:
        if operation.namespace != namespace.keptn:
            release = release.having(replace(operation, namespace=namespace.keptn))
    return release, ()
