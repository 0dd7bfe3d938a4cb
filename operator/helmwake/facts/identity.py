"""Names of the things that facts speak about."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class ReleaseKey:
    """A release: the namespace its records are stored in, and its name.

    The release's own namespace may be another one (Flux), and is told by the payload.
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class WorkloadKind(StrEnum):
    DEPLOYMENT = "Deployment"


@dataclass(frozen=True, slots=True, order=True)
class WorkloadKey:
    kind: WorkloadKind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


class Driver(StrEnum):
    """Where Helm keeps a record: the kind of object (`HELM_DRIVER`)."""

    SECRET = "Secret"  # noqa: S105  # a kind, no password
    CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef:
    """One version of one record, as a payload is asked for."""

    driver: Driver
    namespace: str
    name: str  # of the object: sh.helm.release.v1.NAME.vN
    uid: str
    resource_version: str
