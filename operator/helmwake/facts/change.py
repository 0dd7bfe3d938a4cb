"""A change of a Kubernetes object, as every source reports it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ChangeType(StrEnum):
    """As in a watch event (Kubernetes API concepts, "Efficient detection of changes")."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Origin(StrEnum):
    """How a change was learned, and so what its `seen` is worth."""

    WATCHED = "watched"  # as it happened
    RELISTED = "relisted"  # after a gap: it happened at `seen` or some time before
    INITIAL = "initial"  # there before anyone looked: history, unless it still runs
    HISTORY = "history"  # the same, and wanted: it is filled in


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object as it was `seen` (aware, UTC), with its whole or partial content.

    `object` always has `kind`; a list's items get it from whoever lists.
    """

    type: ChangeType
    object: Mapping[str, Any]
    seen: datetime
    origin: Origin = Origin.WATCHED
