"""Finished traces wait here until a backend has taken them.

One request is under way at a time. What an answer does is said in backlog.py, how long a pause
is in backoff.py. Everything happens on one event loop.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from helmwake.delivery.backlog import Backlog
from helmwake.delivery.encoding import EncodingError, encode
from helmwake.delivery.sender import Sender
from helmwake.delivery.state import NO_ENDPOINT, DeliveryState
from helmwake.delivery.waiting import Entry, WhenSettled
from helmwake.telemetry.spans import Trace

logger = logging.getLogger(__name__)

# Some 1.8 KB each; what does not fit waits in the ledger.
MAX_WAITING_SPANS: Final = 15_000


class DeliveryQueue:
    """Delivers through a sender, which may be changed or be absent at any time.

    Without a sender traces wait, as they do for a backend that is away.
    """

    def __init__(
        self,
        sender: Sender | None = None,
        *,
        max_waiting_spans: int = MAX_WAITING_SPANS,
        on_state: Callable[[DeliveryState], None] | None = None,
    ) -> None:
        """Nothing is sent before `run`.

        `on_state` hears of every answer and every change of the sender, and of drops; not of a
        mere `put`.
        """
        self._sender = sender
        self._on_state = on_state
        self._backlog = Backlog(max_spans=max_waiting_spans)
        self._retired: list[Sender] = []
        self._news = asyncio.Event()  # there may be something to do
        self._hurry = asyncio.Event()  # end the pause under way
        self._settled = asyncio.Event()  # there was an answer
        self._draining = False
        self._answered_by: str | None = None
        self._turn()

    @property
    def answered_by(self) -> str | None:
        """The endpoint that gave the last answer: the one that is being told of, if one is.

        After a change of the sender this may be the old one.
        """
        return self._answered_by

    @property
    def half_empty(self) -> bool:
        """No more than half of the spans that may wait do."""
        return self._backlog.half_empty

    def has_room(self, spans: int) -> bool:
        """Tell whether a trace of so many spans can be put and none be dropped for it."""
        return self._backlog.has_room(spans)

    @property
    def state(self) -> DeliveryState:
        """How things stand now."""
        return self._backlog.state(_now())

    def put(self, trace: Trace, when_settled: WhenSettled | None = None) -> None:
        """Take a trace; never waits. Must be called on the event loop.

        `when_settled` hears once what became of it, maybe before this returns.

        Raises:
            UnfinishedTraceError: a span of it still runs.
        """
        dropped_before = self._backlog.dropped
        entry = Entry(
            name=trace.root.name,
            spans=len(trace.spans),
            request=b"",
            when_settled=when_settled,
            put_at=_now(),
        )
        try:
            entry.request = encode(trace)
        except EncodingError as error:
            self._backlog.set_aside(entry, str(error))
            self._tell_state()
            return
        self._backlog.add(entry, entry.put_at)
        if self._backlog.dropped != dropped_before:
            self._tell_state()
        self._news.set()

    def retarget(self, sender: Sender | None) -> None:
        """Deliver through another sender from the next request on, at once.

        A request under way ends with the old sender, and its answer counts. The old one is
        closed by `run`.
        """
        if self._sender is not None:
            self._retired.append(self._sender)
        self._sender = sender
        self._turn()
        self._tell_state()
        self._news.set()
        self._hurry.set()

    async def drain(self, timeout_s: float) -> DeliveryState:
        """Deliver all that waits within `timeout_s`, and say how far that got.

        `run` must still be running. The pause under way ends now, and those to come are short,
        unless the backend asks for them. What is left stays in the queue.
        """
        self._draining = True
        self._hurry.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while self._backlog.spans and self._sender is not None:
                        self._settled.clear()
                        await self._settled.wait()
        finally:
            self._draining = False
        state = self.state
        if state.waiting_traces:
            logger.warning(
                "%d traces were not delivered in time: %s",
                state.waiting_traces,
                state.last_error or f"{timeout_s:g} s were not enough",
            )
        return state

    async def run(self) -> None:
        """Deliver until cancelled. What is under way then stays in the queue."""
        try:
            while True:
                await self._close_retired()
                if self._sender is None or not self._backlog.spans:
                    await self._news.wait()
                    # HAZARD: no await between this line and the test above. A trace put
                    # meanwhile would lie here until the next one comes.
                    self._news.clear()
                else:
                    await self._deliver_next(self._sender)
        finally:
            await self._close_retired()
            if self._sender is not None:
                await self._sender.close()

    async def _deliver_next(self, sender: Sender) -> None:
        self._hurry.clear()
        request = self._backlog.take()
        try:
            answer = await sender.send(request)
        except BaseException:  # cancelled, or a sender's fault: nothing may be lost by it
            self._backlog.take_back()
            raise
        self._answered_by = sender.where
        pause = self._backlog.settle(answer)
        if sender is not self._sender:
            self._turn()  # what an old sender was told says nothing about the new one
        self._backlog.log_drops(_now())
        self._tell_state()
        self._settled.set()
        if pause is not None:  # a change of the sender meanwhile ends it at once
            # Spreading load, not keeping a secret.
            luck = random.random()  # noqa: S311
            await self._pause(pause.seconds(luck=luck, hurried=self._draining))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _close_retired(self) -> None:
        while self._retired:
            await self._retired[0].close()
            del self._retired[0]

    def _turn(self) -> None:
        self._backlog.turn_to(
            None if self._sender is None else self._sender.where,
            problem=NO_ENDPOINT if self._sender is None else None,
        )

    def _tell_state(self) -> None:
        if self._on_state is not None:
            self._on_state(self.state)


def _now() -> float:
    return asyncio.get_running_loop().time()
