"""Operations, hook runs and rollouts: what the state of a release is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from helmwake.facts.helm import NO_TAGS, Record, Status, Tags
from helmwake.facts.identity import ReleaseKey, WorkloadKey
from helmwake.facts.keptn import NO_CONTEXT, KeptnContext, KeptnWorkload, TraceParent
from helmwake.facts.payload import Chart, HookPhase, Payload
from helmwake.lifecycle.outcome import Outcome


class OperationKind(StrEnum):
    INSTALL = "install"
    UPGRADE = "upgrade"
    ROLLBACK = "rollback"
    UNINSTALL = "uninstall"
    TEST = "test"

    @property
    def deploys(self) -> bool:
        """It writes a revision of its own, and may change workloads."""
        return self in {OperationKind.INSTALL, OperationKind.UPGRADE, OperationKind.ROLLBACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationId:
    """What names an operation for ever; its trace id is derived from it.

    `start` is set only where one record has several operations of a kind: for a test the
    first hook's `started_at`, for the second and later attempts to uninstall `info.deleted`,
    both as Helm's client wrote them. The first attempt has none, since `uninstalling` may be
    gone before its payload could be read.
    """

    uid: str  # of the record
    kind: OperationKind
    start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRunState:
    """One run of one hook. Times are the server's, as far as the client's offset is known."""

    name: str
    kind: str
    event: str
    weight: int
    started_at: datetime  # by Helm's client: names the run
    started: datetime
    ended: datetime | None
    phase: HookPhase
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One workload's change of pod template that an operation caused."""

    key: WorkloadKey
    uid: str
    template: str
    started: datetime
    wanted: int = 0
    updated: int = 0
    available: int = 0
    old: int = 0  # replicas of the template before, not yet replaced
    cause: Outcome | None = None  # known so far, and not yet its end
    ended: datetime | None = None
    outcome: Outcome | None = None
    keptn: KeptnContext = NO_CONTEXT
    names: KeptnWorkload | None = None

    @property
    def running(self) -> bool:
        return self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """The operation before, as a link names it."""

    id: OperationId
    parent: TraceParent | None
    revision: int
    failed: bool
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, from its start until its last rollout ended.

    `started`, `helm_ended` and `ended` are the server's times as far as they can be known.
    `outcome` is Helm's own part's until `ended` is set, then the whole's.
    """

    id: OperationId
    release: ReleaseKey
    revision: int
    record: Record
    started: datetime
    last_write: datetime
    tags: Tags = NO_TAGS
    inherited_context: bool = False
    stale_parent: bool = False
    namespace: KeptnContext = NO_CONTEXT  # what the namespace says
    payload: Payload | None = None
    clock_offset: timedelta = timedelta(0)  # of Helm's client against the server
    stuck: bool = False
    bounded: bool = False  # its times are bounds: it happened between two lists
    history: bool = False  # over before anyone looked: it is told, and not counted
    awaits_payload: str | None = None  # the resource version that was asked for
    awaits_listing: str | None = None  # the namespace that is to be listed
    awaits_past: bool = False  # what came before it was asked for
    announced: bool = False
    hooks: tuple[HookRunState, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    helm_ended: datetime | None = None
    applied_until: datetime | None = None  # Helm's last write, by the server's clock
    helm_outcome: Outcome | None = None
    status: Status = Status.UNKNOWN
    ended: datetime | None = None
    outcome: Outcome | None = None
    previous: Predecessor | None = None

    @property
    def kind(self) -> OperationKind:
        return self.id.kind

    @property
    def helm_runs(self) -> bool:
        return self.helm_ended is None

    @property
    def chart(self) -> Chart | None:
        return self.payload.chart if self.payload else None

    @property
    def parent(self) -> TraceParent | None:
        """The caller's span, if this is the operation it started, and it is sampled."""
        upstream = self.tags.traceparent
        if upstream is None or self.stale_parent or not upstream.sampled:
            return None
        return upstream

    def as_predecessor(self) -> Predecessor:
        outcome = self.outcome or self.helm_outcome
        return Predecessor(
            id=self.id,
            parent=self.parent,
            revision=self.revision,
            failed=outcome is not None and outcome.bad,
            started=self.started,
        )

    @property
    def keptn(self) -> KeptnContext:
        """The delivery it belongs to: record, values, namespace, workloads, strongest first."""
        known = self.tags.keptn
        if self.payload is not None:
            known = known.or_else(self.payload.keptn)
        return known.or_else(self.namespace).or_else(self._agreed())

    def _agreed(self) -> KeptnContext:
        told = {rollout.keptn for rollout in self.rollouts}
        return told.pop() if len(told) == 1 else NO_CONTEXT
