"""Facts that answer an intent."""

from dataclasses import dataclass
from datetime import datetime

from helmwake.facts.helm import Record
from helmwake.facts.identity import RecordRef
from helmwake.facts.namespaces import Namespace
from helmwake.facts.payload import Payload
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.operation import Operation, OperationId


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFetched:
    """The record's payload; `None` where it is gone or cannot be read.

    It may be newer than what was asked for: `payload.resource_version` tells.
    """

    ref: RecordRef
    payload: Payload | None
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadsListed:
    """The release's workloads at one moment, for an operation."""

    operation: OperationId
    namespace: str
    workloads: tuple[Workload, ...]
    seen: datetime
    complete: bool = True  # False: the list failed, and says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The release's final operations, as far as anyone remembers them."""

    operations: tuple[Operation, ...]
    seen: datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """It is now so late."""

    seen: datetime


Fact = Record | Workload | Namespace | PayloadFetched | WorkloadsListed | Recalled | Tick
