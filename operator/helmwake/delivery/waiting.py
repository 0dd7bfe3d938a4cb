"""The traces that wait, in order, and which of them go into the next request."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from helmwake.delivery.outcome import Outcome

MAX_REQUEST_SPANS: Final = 512
MAX_REQUEST_BYTES: Final = 3 * 1024 * 1024  # gRPC servers take 4 MiB unless told otherwise

WhenSettled = Callable[[Outcome], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One trace and what it went through. Its spans always travel in one request.

    The trace itself is not kept: it takes more memory than its request.
    """

    name: str  # the root span's
    spans: int
    request: bytes  # the trace, encoded
    when_settled: WhenSettled | None
    put_at: float  # by the loop's clock
    alone: bool = False  # it is in doubt: others must not be kept waiting by it
    doubts: int = 0  # how often it failed while others were taken
    passed_before: int = 0  # requests that had been taken when it last failed


class Waiting:
    """Entries in the order they go in, and the number of their spans."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self.spans = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def append(self, entry: Entry) -> None:
        self._entries.append(entry)
        self.spans += entry.spans

    def put_back(self, batch: list[Entry]) -> None:
        """Where they were taken: what failed is the first to be sent again."""
        self._entries.extendleft(reversed(batch))
        self.spans += sum(entry.spans for entry in batch)

    def popleft(self) -> Entry:
        entry = self._entries.popleft()
        self.spans -= entry.spans
        return entry

    def take(self, *, max_traces: int, max_bytes: int) -> list[Entry]:
        """Take what goes into one request: at least one trace, however large it is."""
        batch: list[Entry] = []
        spans = size = 0
        while self._entries and len(batch) < max_traces:
            entry = self._entries[0]
            spans += entry.spans
            size += len(entry.request)
            if batch and (entry.alone or spans > MAX_REQUEST_SPANS or size > max_bytes):
                break
            batch.append(self.popleft())
            if entry.alone:
                break
        return batch
