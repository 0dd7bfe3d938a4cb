"""One operation as the ledger holds it: what its trace is made from, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from helmwake.lifecycle.operation import Operation


class State(StrEnum):
    """How far an entry is; its label says the same in lower case."""

    RUNNING = "Running"
    UNDELIVERED = "Undelivered"  # final, and no backend has said yet that it has it
    DELIVERED = "Delivered"
    SET_ASIDE = "SetAside"  # the backend will never take it
    GIVEN_UP = "GivenUp"  # followed no more before it was final
    UNREADABLE = "Unreadable"  # nothing can be made of its status

    @property
    def open(self) -> bool:
        """A new process must take it up again."""
        return self in {State.RUNNING, State.UNDELIVERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a ReleaseTrace says.

    `version`, `cluster_uid` and `cluster_name` are those of the process that closed the
    operation: a trace that is sent again must be byte for byte the same, also by a newer
    version of the operator.
    """

    operation: Operation
    state: State
    trace_id: str  # 32 hex digits
    version: str  # of helmwake
    cluster_uid: str | None = None
    cluster_name: str | None = None
    delivered: datetime | None = None
    delivered_to: str | None = None  # the endpoint, in words
    omitted: int = 0  # rollouts and hook runs that were left out, for its size
    problem: str | None = None  # why it was set aside, given up or cannot be read
