"""A recording through the same middle as the live operator's."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helmwake.app.streams import in_order
from helmwake.facts.change import Change, ChangeType
from helmwake.facts.errors import BadObjectError
from helmwake.facts.helm import is_record
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.meta import metadata
from helmwake.facts.parsing import parse_change
from helmwake.facts.payload import Payload, parse_payload
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.limits import DEFAULT_LIMITS, Limits
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.spans import Trace
from helmwake.telemetry.traces import Cluster, build_trace
from helmwake.tracking.clocks import RecordedClock
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker

CLUSTER_NAMESPACE = "kube-system"  # its uid is the cluster's (semantic conventions, k8s.cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a recording told: operations in the order they began, final or still running."""

    ended: tuple[Operation, ...]
    running: tuple[Operation, ...]
    cluster: Cluster

    @property
    def traces(self) -> tuple[Trace, ...]:
        operations = sorted((*self.ended, *self.running), key=lambda known: known.started)
        return tuple(build_trace(operation, self.cluster) for operation in operations)


class RecordedCluster:
    """What the file has shown until now, as if it were the cluster."""

    def __init__(self, clock: RecordedClock, warn: Callable[[str], None]) -> None:
        self.uid: str | None = None
        self.clock = clock
        self._warn = warn
        self._records: dict[str, Mapping[str, Any]] = {}
        self._workloads: dict[str, Workload] = {}

    def show(self, change: Change) -> None:
        meta, gone = metadata(change.object), change.type is ChangeType.DELETED
        uid = str(meta.get("uid"))
        if change.object.get("kind") == "Namespace" and meta.get("name") == CLUSTER_NAMESPACE:
            self.uid = uid
        if gone:
            self._records.pop(uid, None)
        elif is_record(change.object) and "data" in change.object:
            self._records[uid] = change.object

    def show_workload(self, workload: Workload) -> None:
        if workload.gone:
            self._workloads.pop(workload.uid, None)
        else:
            self._workloads[workload.uid] = workload

    async def fetch(self, ref: RecordRef) -> Payload | None:
        obj = self._records.get(ref.uid)
        if obj is None:
            return None
        try:
            return parse_payload(obj, seen=self.clock.now())
        except BadObjectError as error:
            self._warn(str(error))
            return None

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        return tuple(
            workload
            for workload in self._workloads.values()
            if workload.key.namespace == namespace and workload.release == release
        )


class NothingBefore:
    """A recording begins with its first line."""

    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        del release
        return ()


class EndedOperations:
    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def begun(self, operation: Operation) -> None:
        """Nothing is counted in a replay."""

    def changed(self, operation: Operation) -> None:
        """Nor kept."""

    def given_up(self, operation: Operation) -> None:
        """Nor missed."""

    def ended(self, operation: Operation) -> None:
        self.operations.append(operation)


async def replay(
    changes: Iterable[Change],
    *,
    warn: Callable[[str], None],
    keys: KeptnKeys | None = None,
    limits: Limits = DEFAULT_LIMITS,
    cluster_name: str | None = None,
    cluster: Callable[[RecordedClock, Callable[[str], None]], RecordedCluster] = RecordedCluster,
) -> Replayed:
    """Take a recording's changes in their order; a bad object is warned of and passed over.

    `cluster` answers what is asked of the cluster while the recording goes on.
    """
    keys = keys or KeptnKeys()
    clock, ended = RecordedClock(), EndedOperations()
    shown = cluster(clock, warn)
    async with asyncio.TaskGroup() as tasks:
        tracker = Tracker(
            tasks=tasks,
            payloads=shown,
            workloads=shown,
            operations=ended,
            past=NothingBefore(),
            clock=clock,
            limits=limits,
        )
        scope = Scope(tracker, selector=None)
        for change in in_order(changes):
            while (wake := clock.next_wake(change.seen)) is not None:
                wake()
                await tracker.settled()
            try:
                fact = parse_change(change, keys=keys)
            except BadObjectError as error:
                warn(str(error))
                continue
            shown.show(change)
            if isinstance(fact, Workload):
                shown.show_workload(fact)
            if fact is not None:
                scope.take(fact)
                await tracker.settled()
        running = tracker.running()
    return Replayed(
        ended=tuple(ended.operations),
        running=running,
        cluster=Cluster(uid=shown.uid, name=cluster_name),
    )
