"""What a reflector says about itself, for readiness and metrics."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReflectorState:
    """Counters only grow. Times are aware UTC."""

    synced: bool = False  # a first list was told
    stale_since: datetime | None = None  # since when what is known may be old; None: it is new
    failure: str | None = None  # why it is stale
    objects: int = 0  # known, the bad and the ignored among them
    lists: int = 0  # that succeeded, relists among them
    relists: int = 0
    watch_restarts: int = 0
    bad_objects: int = 0
    bad_lines: int = 0
    last_heard: datetime | None = None  # an event, a bookmark or a list

    @property
    def ready(self) -> bool:
        """Whether what is known is what the cluster has."""
        return self.synced and self.stale_since is None
