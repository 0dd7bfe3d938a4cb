"""The clock of a replay: it moves as the recording does."""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime


class RecordedClock:
    """Stands at the recording's time, and wakes on the way to a later one."""

    def __init__(self) -> None:
        self._now = datetime.min.replace(tzinfo=UTC)
        self._wakes: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def wake(self, at: datetime, call: Callable[[], None]) -> None:
        self._count += 1  # keeps the order of wakes at the same time
        heapq.heappush(self._wakes, (at, self._count, call))

    def next_wake(self, until: datetime) -> Callable[[], None] | None:
        """Move to the next wake, or to `until` if there is none before it."""
        if self._wakes and self._wakes[0][0] <= until:
            at, _, call = heapq.heappop(self._wakes)
            self._now = max(self._now, at)
            return call
        self._now = max(self._now, until)
        return None
