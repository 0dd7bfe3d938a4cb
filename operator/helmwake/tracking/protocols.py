"""What stands behind the intents: a cluster and a clock when live, a file in a replay."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from helmwake.facts.helm import Record
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.payload import Payload
from helmwake.facts.workloads import Workload
from helmwake.lifecycle.operation import Operation


class Payloads(Protocol):
    async def fetch(self, ref: RecordRef) -> Payload | None:
        """Return the record's payload, maybe a newer one; `None` if gone or unreadable."""
        ...


class Workloads(Protocol):
    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...] | None:
        """Return the workloads that name the release, consistently; `None` where it failed."""
        ...


class Past(Protocol):
    async def recall(self, release: ReleaseKey) -> tuple[Operation, ...]:
        """Return the release's operations that are final, as far as they were kept."""
        ...


class Operations(Protocol):
    """Where operations go."""

    def begun(self, operation: Operation) -> None:
        """Hear that it has begun and that its names are known."""
        ...

    def changed(self, operation: Operation) -> None:
        """Take the state of one that is new, or that is not what it was, and still runs."""
        ...

    def ended(self, operation: Operation) -> None:
        """Take a final operation. It is handed over once."""
        ...

    def given_up(self, operation: Operation) -> None:
        """Hear that it is followed no more, and will never be final."""
        ...


class Known(Protocol):
    def facts(self, namespace: str) -> Iterable[Record | Workload]:
        """Return what is known of a namespace now, records by ascending revision."""
        ...


class History(Protocol):
    """Tells news from history where a namespace is read for the first time in this process."""

    def entered(self, namespace: str, uid: str) -> None:
        """Hear that the namespace is observed from now on."""
        ...

    def left(self, namespace: str) -> None:
        """Hear that it is observed no more, or that it was not when this process began."""
        ...

    def gone(self, namespace: str) -> None:
        """Hear that there is no such namespace any more."""
        ...

    def dated(self, record: Record) -> Record:
        """Give a record of a first list its origin: RELISTED, HISTORY or INITIAL."""
        ...


class Clock(Protocol):
    def now(self) -> datetime: ...

    def wake(self, at: datetime, call: Callable[[], None]) -> None:
        """Call at that time or soon after; at once if it is past."""
        ...
