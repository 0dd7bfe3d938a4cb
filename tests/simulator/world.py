"""What all helm processes on one release share, and what they leave to each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tests.simulator.cluster import Cluster
from tests.simulator.release import client_time
from tests.simulator.storage import Storage
from tests.simulator.truth import (
    ABANDONED,
    ROLLED_BACK,
    SUCCESS,
    UNKNOWN,
    EventRef,
    Incident,
    IncidentKind,
    Operation,
)
from tests.simulator.workloads import Workloads


@dataclass(slots=True, kw_only=True)
class World:
    """What all processes on one release share."""

    cluster: Cluster
    storage: Storage
    workloads: Workloads
    namespace: str
    release: str
    helm: int
    skew: timedelta
    offset: timedelta
    truth: list[Operation]
    incidents: list[Incident]

    def note(self, kind: IncidentKind, *uids: str) -> None:
        """Keep something that is no operation."""
        incident = Incident(
            kind=kind,
            namespace=self.namespace,
            release=self.release,
            time=self.cluster.now,
            uids=uids,
        )
        self.incidents.append(incident)

    def running(self) -> list[Operation]:
        mine = (self.namespace, self.release)
        return [
            operation
            for operation in self.truth
            if (operation.namespace, operation.release) == mine and operation.state == "running"
        ]

    def abandon(self, *, by: Operation, write: EventRef) -> None:
        """Settle what a client has left running, now that another operation is seen."""
        for operation in self.running():
            if operation is by or not operation.killed:
                continue
            operation.writes.append(write)
            if operation.kind == "install" and by.kind == "uninstall":
                # --atomic and a manual uninstall of a killed install look the same.
                operation.settle("rolled back", ROLLED_BACK, ABANDONED, at=self.cluster.now)
            elif operation.kind == "test":
                # helm-storage.md has no row for a test that nobody ended.
                operation.settle("abandoned", ABANDONED, UNKNOWN, at=self.cluster.now)
            elif by.kind != "test":
                operation.settle("abandoned", ABANDONED, at=self.cluster.now)

    def lose(self, *uids: str) -> None:
        """Settle what runs on records that are about to go without an uninstall."""
        for operation in self.running():
            if operation.uid not in uids:
                continue
            if operation.kind == "uninstall":
                # Who finished it cannot be seen.
                operation.settle("orphaned", UNKNOWN, SUCCESS, at=self.cluster.now)
            else:
                operation.settle("orphaned", UNKNOWN, ABANDONED, at=self.cluster.now)

    def client_now(self) -> datetime:
        return (self.cluster.now + self.skew).astimezone(timezone(self.offset))

    def client_stamp(self) -> str:
        return client_time(self.client_now(), helm=self.helm)
