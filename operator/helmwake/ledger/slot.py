"""What the writer holds of one operation."""

from dataclasses import dataclass

from helmwake.cluster.backoff import Backoff
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.store import Handle


@dataclass(slots=True, kw_only=True)
class Slot:
    """The newest entry of an operation, and the version of it that is stored."""

    name: str
    backoff: Backoff  # of its own failures
    wanted: Entry | None = None  # not stored yet, or not all of it
    number: int = 0  # of the put that brought `wanted`
    due: float | None = None  # by the loop's clock; None: not waiting for its turn
    busy: bool = False  # a write is under way
    handle: Handle | None = None  # None: not in the ledger, as far as is known
    state: State | None = None  # that is stored
    ours: bool = False  # it was stored from here before, so whatever is found, ours is newer
    lost: Handle | None = None  # what was stored from here, and is not there any more
    uncertain: bool = False  # a write may have been carried out of which no answer came
    refused: bool = False  # by the schema
    alone: bool = False  # it fails while others can be written
