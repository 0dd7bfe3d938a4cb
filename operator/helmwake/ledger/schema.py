"""What a ReleaseTrace holds. The CRD in `crds/` is generated from these models."""

from typing import Annotated, Final

from pydantic import Field, JsonValue

from helmwake.facts.identity import Driver
from helmwake.ledger.entry import State
from helmwake.ledger.fields import Count, Line, Name, Revision, Short, Timestamp, TraceId, Words
from helmwake.ledger.parts import (
    ClusterPart,
    ConditionPart,
    DeliveredPart,
    DeliveryPart,
    HelmPart,
    HookPart,
    KeptnPart,
    Part,
    PayloadPart,
    PreviousPart,
    RecordPart,
    RolloutPart,
    TagsPart,
    WaitingPart,
)
from helmwake.lifecycle.operation import OperationKind
from helmwake.lifecycle.outcome import ErrorType, Result

# More cannot be in 64 KiB. An operation may have more: see trimming.py.
BOUND: Final[dict[str, JsonValue]] = {"maxItems": 512}


class ReleasePart(Part):
    """The Helm release, by the namespace its records are stored in."""

    namespace: Name
    name: Name


class RecordRefPart(Part):
    """Helm's record of the revision."""

    driver: Driver = Field(description="The kind of object it is.")
    uid: Name


class TraceSpec(Part):
    """Which operation it is. It never changes."""

    release: ReleasePart
    revision: Revision = Field(description="The release's revision.")
    operation: OperationKind = Field(description="What Helm did.")
    record: RecordRefPart
    start: Timestamp | None = Field(
        default=None,
        description="Where one record has several operations of a kind: when this one started, "
        "by the clock of Helm's client.",
    )


class TraceFacts(Part):
    """Those fields of the status that are made of an operation's as they are."""

    started: Timestamp = Field(description="By the server's clock, as far as that is known.")
    ended: Timestamp | None = Field(
        default=None, description="When Helm was done, and the last rollout too."
    )
    stuck: bool = Field(default=False, description="Helm has been silent for long.")
    bounded: bool = Field(
        default=False, description="Its times are bounds: nobody watched while it happened."
    )
    history: bool = Field(
        default=False, description="It was over before anyone looked: it is told, not counted."
    )
    announced: bool = Field(default=False, description="Its metrics know of it.")
    stale_parent: bool = Field(
        default=False, description="Its traceparent was another operation's already."
    )
    tags: TagsPart = TagsPart()
    namespace: KeptnPart = Field(
        default=KeptnPart(),
        alias="namespaceKeptn",
        description="Keptn's names on the release's namespace.",
    )
    record: RecordPart
    payload: PayloadPart | None = None
    hooks: Annotated[
        tuple[HookPart, ...], Field(json_schema_extra=BOUND, description="Runs of Helm's hooks.")
    ] = ()
    rollouts: Annotated[
        tuple[RolloutPart, ...],
        Field(json_schema_extra=BOUND, description="Workloads whose pod template it changed."),
    ] = ()
    previous: PreviousPart | None = None


class TraceStatus(TraceFacts):
    """What is known of the operation, and what became of its trace."""

    state: State = Field(description="How far it is.")
    trace_id: TraceId = Field(description="The id of its trace, in any backend.")
    result: Result | None = Field(default=None, description="How it ended.")
    error: ErrorType | None = Field(
        default=None, description="Why it failed, as soon as that is known."
    )
    cause: Words | None = Field(
        default=None, description="Why it failed, in words, as soon as that is known."
    )
    duration: Short | None = Field(
        default=None, description="How long it took, rounded for people: 18.4s, 2m03s, 1h05m."
    )
    keptn: DeliveryPart = DeliveryPart()
    helm: HelmPart
    waits_for: WaitingPart = WaitingPart()
    omitted: Count = Field(
        default=0, description="Rollouts and hook runs that were left out to keep this small."
    )
    version: Short = Field(description="Helmwake's version that wrote it.")
    cluster: ClusterPart = ClusterPart()
    delivered: DeliveredPart | None = None
    problem: Line | None = Field(
        default=None, description="Why its trace was not delivered, or cannot be read."
    )
    conditions: Annotated[
        tuple[ConditionPart, ...],
        Field(
            max_length=8,
            description="Delivered: a backend has the trace. Readable: it can be told.",
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        ),
    ] = ()
