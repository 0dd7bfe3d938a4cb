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
    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        """Return the workloads that name the release, consistently; empty where it failed."""
        ...


class Operations(Protocol):
    """Where operations go."""

    def begun(self, operation: Operation) -> None: ...

    def ended(self, operation: Operation) -> None:
        """Take a final operation. It is handed over once."""
        ...


class Known(Protocol):
    def facts(self, namespace: str) -> Iterable[Record | Workload]:
        """Return what is known of a namespace now, records by ascending revision."""
        ...


class Clock(Protocol):
    def now(self) -> datetime: ...

    def wake(self, at: datetime, call: Callable[[], None]) -> None:
        """Call at that time or soon after; at once if it is past."""
        ...
