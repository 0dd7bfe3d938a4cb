"""Which operations are asked for."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import NO_CONTEXT, KeptnContext
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation

RELEASE: Final = re.compile(r"([^/@\s]+)/([^/@\s]+?)(?:@v?([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """All that is set must hold.

    `since` leaves out what had ended before it; `failed` what did not fail, or runs.
    """

    release: ReleaseKey | None = None
    revision: int | None = None
    keptn: KeptnContext = NO_CONTEXT
    since: datetime | None = None
    failed: bool = False

    @property
    def names_delivery(self) -> bool:
        """It can mean no other delivery than the one that is meant."""
        return self.keptn.context is not None or (
            self.release is not None and self.revision is not None
        )

    @property
    def names_anything(self) -> bool:
        return self.release is not None or not self.keptn.empty

    def names(self, operation: Operation) -> bool:
        """Tell whether it is of what is named."""
        keptn, wanted = operation.keptn, self.keptn
        return (
            (self.release is None or self.release in release_keys(operation))
            and self.revision in {None, operation.revision}
            and wanted.context in {None, keptn.context}
            and wanted.project in {None, keptn.project}
            and wanted.stage in {None, keptn.stage}
            and wanted.service in {None, keptn.service}
        )

    def recent(self, entry: Entry) -> bool:
        """Tell whether it ran since the time that is asked for."""
        operation = entry.operation
        if self.since is None or (operation.ended is None and entry.state is State.RUNNING):
            return True
        return (operation.ended or operation.last_write) >= self.since

    def wants(self, entry: Entry) -> bool:
        outcome = entry.operation.outcome
        failed = entry.operation.ended is not None and outcome is not None and outcome.bad
        return self.names(entry.operation) and self.recent(entry) and (failed or not self.failed)


def release_keys(operation: Operation) -> set[ReleaseKey]:
    """Name its release, by its records' namespace and by its own."""
    key, payload = operation.release, operation.payload
    return {key} if payload is None else {key, ReleaseKey(payload.namespace, key.name)}


def parse_release(text: str) -> tuple[ReleaseKey, int | None]:
    """Read NS/NAME or NS/NAME@REV.

    Raises:
        ValueError: it says what is wanted.
    """
    found = RELEASE.fullmatch(text)
    if found is None:
        raise ValueError("wanted is NAMESPACE/NAME or NAMESPACE/NAME@REVISION")
    return ReleaseKey(found[1], found[2]), int(found[3]) if found[3] else None
