"""The state of a release: what is known of it, and what is not final yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

from helmwake.facts.helm import Record
from helmwake.facts.identity import ReleaseKey, WorkloadKey
from helmwake.facts.keptn import NO_CONTEXT, KeptnContext
from helmwake.facts.namespaces import Namespace
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.facts import PayloadFetched
from helmwake.lifecycle.intents import Intent
from helmwake.lifecycle.operation import Operation, OperationId, Predecessor, Rollout

MAX_SETTLED: Final = 64
MAX_CHANGES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateChange:
    """A pod template that Helm changed, for an operation that was not seen yet."""

    applied: datetime  # by the server's clock, to a second
    rollout: Rollout  # followed meanwhile: its end may come before its operation


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """A test hook's run that was accounted for."""

    uid: str
    hook: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The latest record when the release was first seen: what it tells happened before."""

    uid: str
    written: datetime


class Past(StrEnum):
    """Whether it is known what this release did before the process began."""

    UNASKED = "unasked"
    ASKED = "asked"
    TOLD = "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All that is kept of one release, between one fact and the next."""

    key: ReleaseKey
    records: Mapping[int, Record] = field(default_factory=dict)  # by revision
    operations: tuple[Operation, ...] = ()  # those not final yet
    unsorted: tuple[Record, ...] = ()  # first seen when Helm's part was over
    workloads: tuple[Workload, ...] = ()
    changes: tuple[TemplateChange, ...] = ()
    test_runs: tuple[TestRun, ...] = ()
    settled: tuple[OperationId, ...] = ()  # final: never begun again
    previous: Predecessor | None = None
    pruned: Record | None = None  # the highest that went while others stayed
    vanished: Record | None = None  # the last to go between two lists, until more is known
    baseline: Baseline | None = None
    namespace: Namespace | None = None
    release_namespace: str | None = None  # where it differs from the records'
    past: Past = Past.UNASKED
    held: tuple[Record | PayloadFetched, ...] = ()  # in their order, until the past is told

    @property
    def empty(self) -> bool:
        """Nothing is left that a later fact could add to."""
        kept = self.records or self.operations or self.unsorted or self.workloads
        return not (kept or self.vanished or self.held)

    @property
    def latest(self) -> Record | None:
        return self.records[max(self.records)] if self.records else None

    @property
    def context(self) -> KeptnContext:
        return self.namespace.keptn if self.namespace else NO_CONTEXT

    @property
    def terminating(self) -> bool:
        return self.namespace is not None and (self.namespace.terminating or self.namespace.gone)

    def having(self, operation: Operation) -> "Release":
        """Put the operation in the place of the one with its id, or add it."""
        if any(known.id == operation.id for known in self.operations):
            kept = tuple(
                operation if known.id == operation.id else known for known in self.operations
            )
        else:
            kept = (*self.operations, operation)
        return replace(self, operations=kept)

    def without(self, operation: Operation) -> "Release":
        kept = tuple(known for known in self.operations if known.id != operation.id)
        return replace(self, operations=kept)

    def with_record(self, record: Record) -> "Release":
        return replace(self, records={**self.records, record.revision: record})

    def without_record(self, record: Record) -> "Release":
        kept = {n: known for n, known in self.records.items() if n != record.revision}
        return replace(self, records=kept)

    def running(self, uid: str) -> tuple[Operation, ...]:
        """Return the operations of a record in which Helm is still at work."""
        return tuple(op for op in self.operations if op.id.uid == uid and op.helm_runs)

    def begun(self, operation_id: OperationId) -> bool:
        """Tell whether it was, under whatever kind: a revision is deployed once.

        Helm 3 has no word for a rollback but its description, which an uninstall replaces.
        """
        known = (*self.settled, *(op.id for op in self.operations))
        if operation_id.kind.deploys:
            return any(each.uid == operation_id.uid and each.kind.deploys for each in known)
        return operation_id in known

    def before(self, record: Record) -> Record | None:
        """Return the revision before, whose labels an upgrade inherits; pruned ones too."""
        lower = [known for n, known in self.records.items() if n < record.revision]
        if self.pruned is not None and self.pruned.revision < record.revision:
            lower.append(self.pruned)
        return max(lower, key=lambda known: known.revision, default=None)

    @property
    def predecessor(self) -> Predecessor | None:
        """Return the operation that began last, final or not."""
        if not self.operations:
            return self.previous
        last = max(self.operations, key=lambda op: (op.started, op.revision))
        if self.previous is not None and self.previous.started > last.started:
            return self.previous
        return last.as_predecessor()

    def workload(self, key: WorkloadKey) -> Workload | None:
        return next((known for known in self.workloads if known.key == key), None)


Step = tuple[Release, tuple[Intent, ...]]

RELEASES: Final = TypeAdapter(Release)


def dump_release(release: Release) -> bytes:
    """Serialise a release as JSON."""
    return RELEASES.dump_json(release)


def load_release(text: bytes) -> Release:
    """Restore a release.

    Raises:
        pydantic.ValidationError: the text is no release.
    """
    return RELEASES.validate_json(text)
