"""What the pure middle asks for, and cannot do itself."""

from dataclasses import dataclass
from datetime import datetime

from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.lifecycle.operation import Operation, OperationId


@dataclass(frozen=True, slots=True)
class FetchPayload:
    """Answered with `PayloadFetched`."""

    ref: RecordRef


@dataclass(frozen=True, slots=True)
class ListWorkloads:
    """List the release's workloads, consistently. Answered with `WorkloadsListed`."""

    namespace: str
    operation: OperationId  # for whose sake


@dataclass(frozen=True, slots=True)
class Recall:
    """Say what is known of the release from before this process. Answered with `Recalled`."""

    release: ReleaseKey


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Answered with a `Tick` at that time or later."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Announce:
    """The operation has begun: let its counters be born before they count."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class Deliver:
    """The operation is final: send its trace, count it."""

    operation: Operation


Intent = FetchPayload | ListWorkloads | Recall | WakeAt | Announce | Deliver
