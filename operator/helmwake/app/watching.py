"""The reflectors of the live operator, and the facts they make."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from helmwake.cluster.api import Api
from helmwake.cluster.reflector import Reflector
from helmwake.cluster.resources import (
    DEPLOYMENTS,
    HELM_CONFIG_MAPS,
    HELM_SECRETS,
    NAMESPACES,
    Resource,
)
from helmwake.cluster.seen import Seen
from helmwake.facts.change import Change, ChangeType
from helmwake.facts.errors import BadObjectError
from helmwake.facts.helm import Record
from helmwake.facts.identity import Driver
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.namespaces import Namespace
from helmwake.facts.parsing import Observed, parse_change
from helmwake.facts.versions import is_newer
from helmwake.facts.workloads import Workload
from helmwake.telemetry.metrics import OwnError

UNREAD: Final = "0"  # older than any resource version
DRIVERS: Final = {driver.value: driver for driver in Driver}
FOLLOWED = (HELM_SECRETS, HELM_CONFIG_MAPS, DEPLOYMENTS)


class Watching:
    """One reflector for each kind: cluster-wide, or one for each kind and named namespace.

    `take` gets each fact in the order its kind's changes happened. `before` are the records
    that an earlier process still followed, and the namespaces that it observed: what became of
    them is told by the first lists.
    """

    def __init__(
        self,
        api: Api,
        *,
        namespaces: Sequence[str],
        keys: Callable[[], KeptnKeys],
        take: Callable[[Observed], None],
        failed: Callable[[OwnError], None],
        before: Sequence[Record | Namespace] = (),
    ) -> None:
        self._failed = failed
        self._keys = keys
        self._take = take
        resources: list[Resource] = []
        if namespaces:
            # A Role cannot let us see namespaces: those that were named are observed.
            resources += [kind.within(name) for kind in FOLLOWED for name in namespaces]
        else:
            resources += [NAMESPACES, *FOLLOWED]
        self.reflectors: list[Reflector[Observed]] = [
            Reflector(
                api,
                resource,
                reduce=self._reduce,
                emit=self._emit,
                order=telling_order,
                before=_of_kind(before, resource),
            )
            for resource in resources
        ]
        # Set when it is known which namespaces are observed.
        self.namespaces_known = asyncio.Event()
        if namespaces:
            self.namespaces_known.set()
        else:
            self.namespaces_known = self.reflectors[0].synced_event

    def facts(self, namespace: str) -> Iterable[Record | Workload]:
        """Return what is known of a namespace, records first, by ascending revision."""
        return sorted(self._of(namespace), key=telling_order)

    def told(self) -> dict[Driver, str] | None:
        """Return up to which resource version all records were told; None before all lists."""
        told: dict[Driver, str] = {}
        for reflector in self.reflectors:
            if reflector.told is None:
                return None
            driver = DRIVERS.get(reflector.resource.kind)
            if driver is None:
                continue
            lowest = told.get(driver)
            if lowest is None or is_newer(lowest, reflector.told):
                told[driver] = reflector.told
        return told

    def not_ready(self) -> list[str]:
        """Say for each reflector that is behind what keeps it."""
        states = [(reflector.resource, reflector.state) for reflector in self.reflectors]
        return [
            f"{resource}: {state.failure or 'not in sync'}"
            for resource, state in states
            if not state.ready
        ]

    def _of(self, namespace: str) -> Iterator[Record | Workload]:
        for reflector in self.reflectors:
            for fact in reflector.facts():
                match fact:
                    case Record() if fact.release.namespace == namespace:
                        yield fact
                    case Workload() if fact.key.namespace == namespace:
                        yield fact
                    case _:
                        pass

    def _reduce(self, change: Change) -> Observed | None:
        try:
            return parse_change(change, keys=self._keys())
        except BadObjectError:
            self._failed(OwnError.BAD_OBJECT)
            raise

    def _emit(self, seen: Seen[Observed]) -> None:
        fact, gone = seen.fact, seen.type is ChangeType.DELETED
        # Nearly always the same: the reflector and the release then share one fact.
        if (fact.seen, fact.origin, fact.gone) != (seen.seen, seen.origin, gone):
            fact = replace(fact, seen=seen.seen, origin=seen.origin, gone=gone)
        self._take(fact)


def _of_kind(
    before: Sequence[Record | Namespace], resource: Resource
) -> Iterator[tuple[str, str, Observed]]:
    for fact in before:
        match fact:
            case Namespace() if resource.kind == NAMESPACES.kind:
                yield fact.uid, UNREAD, fact
            case Record() if (
                DRIVERS.get(resource.kind) is fact.driver
                and not fact.gone
                and resource.namespace in {None, fact.release.namespace}
            ):
                yield fact.uid, fact.resource_version, fact
            case _:
                pass


def telling_order(fact: Observed) -> tuple[Any, ...]:
    """Give the key by which the facts of a list are told: revisions ascend, workloads follow."""
    match fact:
        case Record():
            return (0, fact.release.namespace, fact.release.name, fact.revision)
        case Workload():
            return (1, fact.key.namespace, fact.key.name, 0)
        case Namespace():
            return (2, fact.name, "", 0)
