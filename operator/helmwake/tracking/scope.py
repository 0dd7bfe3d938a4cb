"""Which namespaces are observed, and so which facts reach their releases."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.namespaces import Namespace
from helmwake.facts.parsing import Observed
from helmwake.facts.workloads import Workload
from helmwake.tracking.protocols import History, Known
from helmwake.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

Selector = Callable[[Mapping[str, str]], bool]

# A record may be seen before the label that was set before it: the streams are not ordered.
LABEL_LAG: Final = timedelta(seconds=2)


class Scope:
    """Passes facts of observed namespaces on to the tracker.

    Without a selector everything is observed, as in a replay.
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        selector: Selector | None,
        known: Known | None = None,
        history: History | None = None,
    ) -> None:
        self._tracker = tracker
        self._selector = selector
        self._known = known
        self._history = history
        self._namespaces: dict[str, Namespace] = {}
        tracker.namespace_of = self._namespaces.get

    def observes(self, namespace: str) -> bool:
        if self._selector is None:
            return True
        found = self._namespaces.get(namespace)
        return found is not None and not found.gone and self._selector(found.labels)

    def select(self, selector: Selector) -> None:
        """Observe by another selector from now on."""
        before = {name for name in self._namespaces if self.observes(name)}
        self._selector = selector
        for name, namespace in self._namespaces.items():
            self._cross(namespace, was=name in before)

    def take(self, fact: Observed) -> None:
        """Take a fact from whatever source."""
        match fact:
            case Namespace():
                self._take_namespace(fact)
            case Record():
                self._pass_on(fact.release, self._dated(fact), namespace=fact.release.namespace)
            case Workload():
                key = self._tracker.storage_of(fact.release)
                self._pass_on(key, fact, namespace=fact.key.namespace)

    def _take_namespace(self, namespace: Namespace) -> None:
        was = self.observes(namespace.name)
        if namespace.gone:
            self._namespaces.pop(namespace.name, None)
        else:
            self._namespaces[namespace.name] = namespace
        if was or namespace.name in self._tracker.restored_in:
            for release in list(self._tracker.releases):
                if namespace.name == (release.release_namespace or release.key.namespace):
                    self._tracker.post(release.key, namespace)
        if self._selector is not None:
            self._cross(namespace, was=was)
        if namespace.gone and self._history is not None:
            self._history.gone(namespace.name)

    def _cross(self, namespace: Namespace, *, was: bool) -> None:
        """Begin or end to observe a namespace whose label came or went."""
        now = self.observes(namespace.name)
        if now and not was:
            logger.info("%s: observed from now on", namespace.name)
            if self._history is not None:
                self._history.entered(namespace.name, namespace.uid)
            self._enter(namespace)
        elif not now and not namespace.gone:
            if self._history is not None:
                self._history.left(namespace.name)
            if was:
                logger.info("%s: observed no more", namespace.name)
            elif namespace.name not in self._tracker.restored_in:
                return
            # The label may have gone while nobody looked.
            for release in list(self._tracker.releases):
                if namespace.name in {release.key.namespace, release.release_namespace}:
                    self._tracker.forget(release.key)

    def _enter(self, namespace: Namespace) -> None:
        if self._known is None:
            return
        for fact in list(self._known.facts(namespace.name)):
            new = (
                isinstance(fact, Record)
                and namespace.origin is Origin.WATCHED
                and fact.created >= namespace.seen - LABEL_LAG
            )
            origin = Origin.RELISTED if new else Origin.INITIAL
            self.take(fact if fact.origin is origin else replace(fact, origin=origin))

    def _dated(self, record: Record) -> Record:
        """Say of what a first list showed whether it is news."""
        if record.origin is not Origin.INITIAL or self._history is None:
            return record
        # Only what an earlier process knew can be missing in a first list.
        return (
            replace(record, origin=Origin.RELISTED) if record.gone else self._history.dated(record)
        )

    def _pass_on(self, key: ReleaseKey, fact: Record | Workload, *, namespace: str) -> None:
        # The end of what was followed is told, also where its namespace went first.
        if self.observes(namespace) or (fact.gone and self._tracker.follows(key)):
            self._tracker.post(key, fact, namespace=self._namespaces.get(key.namespace))
