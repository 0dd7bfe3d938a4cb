"""What a reflector tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from helmwake.facts.change import ChangeType, Origin

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Generic[T]):
    """A fact, and how and when (aware, UTC) it was learned.

    With DELETED it is the last that is known of what is gone.
    """

    type: ChangeType
    fact: T
    seen: datetime
    origin: Origin
