"""One answer for all who ask the same at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class Flight(Generic[V]):
    task: asyncio.Task[V]
    waiting: int = 0


class SharedCalls(Generic[K, V]):
    """Calls under way, by key. Nothing is kept once a call has ended."""

    def __init__(self) -> None:
        self._flights: dict[K, Flight[V]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def get(self, key: K, call: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Give the result of `call`, or of one that is under way for the same key.

        A cancelled caller leaves it to the others; the last one takes the call with it.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight(asyncio.create_task(call()))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            # HAZARD: forgotten before the await below. Who asks meanwhile must not be handed
            # a call that is being cancelled.
            if not flight.waiting:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                if not flight.task.done():
                    flight.task.cancel()
                    await asyncio.wait([flight.task])
