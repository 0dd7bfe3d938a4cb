"""The parts of a ReleaseTrace's status.

Fields are named as those of the dataclasses that they are made of, and have an alias where
people should read another word. The aliases are stored in clusters: they never change.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import ConfigDict, Field

from helmwake.facts.change import Origin
from helmwake.facts.helm import Status
from helmwake.facts.identity import WorkloadKind
from helmwake.facts.payload import HookPhase
from helmwake.ledger.fields import (
    Count,
    Integer,
    Line,
    Microseconds,
    Name,
    Revision,
    Short,
    SpanId,
    Timestamp,
    TraceId,
    Words,
)
from helmwake.lifecycle.operation import OperationKind
from helmwake.lifecycle.outcome import ErrorType, Result
from helmwake.models import Model


class Part(Model):
    """May be made of any object that has its fields, such as one of the lifecycle's."""

    model_config = ConfigDict(from_attributes=True)


class KeptnPart(Part):
    """A delivery, as Keptn names it."""

    context: Name | None = None
    project: Name | None = None
    stage: Name | None = None
    service: Name | None = None


class DeliveryPart(KeptnPart):
    """Keptn's delivery that it belongs to."""

    inherited: bool = Field(
        default=False,
        description="The revision before had the same context: it may be an older delivery's.",
    )


class OutcomePart(Part):
    """How it ended, and why."""

    result: Result = Field(description="How it ended.")
    error: ErrorType | None = Field(default=None, description="Why it ended so.")
    message: Words = Field(default="", description="Why, in words.")


class ParentPart(Part):
    """A span, as a W3C traceparent names it."""

    trace_id: TraceId
    span_id: SpanId
    sampled: bool


class TagsPart(Part):
    """What the labels of a record say, beside Helm's own."""

    keptn: KeptnPart = KeptnPart()
    traceparent: ParentPart | None = None
    commit: Name | None = Field(default=None, description="The source's commit.")
    opted_out: bool = Field(default=False, description="It asks not to be observed.")


class RecordPart(Part):
    """Helm's record as it was last seen."""

    resource_version: Name
    status: Status | None = Field(
        default=None, description="Helm's status of it; unset: as in `status.helm`."
    )
    created: Timestamp
    written: Timestamp = Field(description="The last write to it.")
    tags: TagsPart | None = Field(default=None, description="Unset: as in `status.tags`.")
    seen: Timestamp = Field(description="When the operator learned of that write.")
    origin: Origin = Field(default=Origin.WATCHED, description="How it learned of it.")
    gone: bool = Field(default=False, description="The record was deleted.")


class ChartPart(Part):
    """The chart of the revision."""

    name: Name
    version: Name
    app_version: Name | None = None


class PayloadPart(Part):
    """What was read in Helm's record. Its times are by the clock of Helm's client."""

    resource_version: Name = Field(description="The version of the record that was read.")
    namespace: Name = Field(description="The release's namespace.")
    status: Name = ""
    description: Words = Field(default="", description="What is safe of Helm's own words.")
    first_deployed: Timestamp | None = None
    last_deployed: Timestamp | None = None
    deleted: Timestamp | None = None
    rollback_revision: Integer | None = Field(
        default=None, description="The revision that a rollback went back to."
    )
    chart: ChartPart | None = None
    keptn: KeptnPart = Field(default=KeptnPart(), description="Keptn's names in the values.")
    seen: Timestamp = Field(description="When it was read.")


class HelmPart(Part):
    """Helm's own part of the operation: it may end before the rollouts do."""

    status: Status = Field(default=Status.UNKNOWN, description="Helm's status of the record.")
    last_write: Timestamp = Field(description="The last sign of life of Helm's client.")
    clock_offset: Microseconds = Field(
        default=timedelta(0),
        alias="clockOffsetMicroseconds",
        description="How far the clock of Helm's client is ahead of the server's.",
    )
    helm_ended: Timestamp | None = Field(default=None, alias="ended")
    applied_until: Timestamp | None = Field(
        default=None, description="Helm's last write, by the server's clock."
    )
    helm_outcome: OutcomePart | None = Field(default=None, alias="outcome")


class WaitingPart(Part):
    """What was asked for, and not answered yet."""

    awaits_payload: Name | None = Field(
        default=None, alias="payload", description="A version of the record, to be read."
    )
    awaits_listing: Name | None = Field(
        default=None, alias="listing", description="A namespace whose workloads are to be listed."
    )
    awaits_past: bool = Field(
        default=False, alias="past", description="What the release did before."
    )


class HookPart(Part):
    """One run of one hook."""

    name: Name
    kind: Name
    event: Name = Field(description="Such as pre-upgrade.")
    weight: Integer = 0
    started_at: Timestamp = Field(description="Its start, by the clock of Helm's client.")
    started: Timestamp
    ended: Timestamp | None = None
    phase: HookPhase = Field(description="What Helm's record says of it.")
    outcome: OutcomePart | None = None


class WorkloadPart(Part):
    kind: WorkloadKind
    namespace: Name
    name: Name


class KeptnWorkloadPart(Part):
    """The workload's names in Keptn's own telemetry."""

    app: Name
    workload: Name
    version: Name | None = None


class RolloutPart(Part):
    """One workload's change of pod template that the operation caused."""

    key: WorkloadPart = Field(alias="workload", description="What rolls out.")
    uid: Name = Field(description="The workload's.")
    template: Name = Field(description="The hash of its new pod template.")
    started: Timestamp
    wanted: Count = Field(default=0, description="Replicas that it shall have.")
    updated: Count = Field(default=0, description="Replicas of the new template.")
    available: Count = Field(default=0, description="Replicas that are available.")
    old: Count = Field(default=0, description="Replicas of the template before.")
    cause: OutcomePart | None = Field(
        default=None, description="What keeps it from its end, as far as known."
    )
    ended: Timestamp | None = None
    outcome: OutcomePart | None = None
    keptn: KeptnPart = KeptnPart()
    names: KeptnWorkloadPart | None = Field(default=None, alias="keptnWorkload")


class OperationPart(Part):
    """What names an operation for ever."""

    uid: Name = Field(alias="recordUid", description="The uid of Helm's record.")
    kind: OperationKind = Field(description="What Helm did.")
    start: Timestamp | None = None


class PreviousPart(Part):
    """The release's operation before this one."""

    id: OperationPart = Field(alias="operation")
    parent: ParentPart | None = Field(default=None, description="The span that called it.")
    revision: Revision
    failed: bool
    started: Timestamp


class ClusterPart(Part):
    """The cluster, as its telemetry names it."""

    uid: Name | None = None
    name: Name | None = None


class DeliveredPart(Part):
    """When a backend said that it has the trace."""

    at: Timestamp
    to: Line | None = Field(default=None, description="Where it was sent.")


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionPart(Part):
    """As metav1.Condition."""

    type: Short
    status: ConditionStatus
    reason: Short
    message: Line
    last_transition_time: Timestamp
