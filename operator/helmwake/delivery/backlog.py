"""What waits for delivery, and what every answer of a backend does to it. No I/O, no waiting.

- A trace leaves when it was delivered, when the backend finds it bad (poisoned), or when more
  spans wait than the bound allows (the oldest is dropped). Each is counted and told to whoever
  put the trace; all but delivery are logged.
- What failed is the first to be sent again, in the same bytes; after `PATIENCE` failures in
  smaller parts, and others are tried in between.
- A partial success is never sent again. Where it took no span, all its traces are set aside;
  where it took some, all count as delivered, since nobody is told whose were rejected.
- A request that is poisoned, too large or in doubt is sent again in smaller parts, until the
  trace at fault is alone. A poisoned one is set aside. A doubtful one goes to the end, and from
  then on alone, so that others pass; it is set aside when it failed `MAX_DOUBTS` times while
  others were taken. A backend that fails at everything gets no trace set aside.
"""

import logging
from dataclasses import replace
from typing import Final

from helmwake.delivery.backoff import Pause
from helmwake.delivery.outcome import (
    Answer,
    Delivered,
    Doubtful,
    Dropped,
    Outcome,
    Poisoned,
    Refused,
    Retry,
    TooLarge,
)
from helmwake.delivery.state import DeliveryState
from helmwake.delivery.waiting import MAX_REQUEST_BYTES, MAX_REQUEST_SPANS, Entry, Waiting

logger = logging.getLogger(__name__)

MAX_DOUBTS: Final = 10
PATIENCE: Final = 3  # failures of a backend that is away, until smaller requests are tried
_DROPS_LOGGED_EVERY_S: Final = 60.0


class Backlog:
    """Entries that wait or are being sent, limits learned of the present backend, and counts."""

    def __init__(self, *, max_spans: int) -> None:
        self._max_spans = max_spans
        self._waiting = Waiting()
        self._sending: list[Entry] = []
        self._max_traces = MAX_REQUEST_SPANS
        self._max_bytes = MAX_REQUEST_BYTES
        self._failures = 0  # in a row
        self._passed = 0  # requests taken
        self._drops_unlogged = 0
        self._drops_logged_at: float | None = None
        self._counts = DeliveryState()

    @property
    def spans(self) -> int:
        """All spans that are not settled: waiting or being sent."""
        return self._waiting.spans + sum(entry.spans for entry in self._sending)

    @property
    def dropped(self) -> int:
        """Traces dropped so far."""
        return self._counts.dropped_traces

    def has_room(self, spans: int) -> bool:
        """Tell whether so many more can wait and none need be dropped for it."""
        return not self.spans or self.spans + spans <= self._max_spans

    @property
    def half_empty(self) -> bool:
        return self.spans <= self._max_spans // 2

    def state(self, now: float) -> DeliveryState:
        entries = (*self._sending, *self._waiting)
        oldest = min((entry.put_at for entry in entries), default=now)
        return replace(
            self._counts,
            waiting_traces=len(entries),
            waiting_spans=self.spans,
            oldest_age_s=now - oldest,
        )

    def turn_to(self, endpoint: str | None, *, problem: str | None) -> None:
        """Forget what was learned of another backend."""
        self._failures = 0
        self._max_traces, self._max_bytes = MAX_REQUEST_SPANS, MAX_REQUEST_BYTES
        self._change(
            endpoint=endpoint,
            delivering=problem is None,
            last_error=problem or self._counts.last_error,
        )

    def add(self, entry: Entry, now: float) -> None:
        """Let it wait, and drop the oldest ones while too many spans do; never itself."""
        self._waiting.append(entry)
        while self.spans > self._max_spans and len(self._waiting) > 1:
            oldest = self._waiting.popleft()
            why = f"more than {self._max_spans} spans wait for delivery"
            self._drops_unlogged += 1
            self._change(
                dropped_traces=self._counts.dropped_traces + 1,
                dropped_spans=self._counts.dropped_spans + oldest.spans,
            )
            _tell(oldest, Dropped(why=why))
        self.log_drops(now)

    def log_drops(self, now: float) -> None:
        """One line with a count, not one for each: a full queue drops at every put."""
        last = self._drops_logged_at
        if self._drops_unlogged and (last is None or now - last >= _DROPS_LOGGED_EVERY_S):
            logger.error(
                "Dropped the %d oldest traces: more than %d spans wait for delivery (%s)",
                self._drops_unlogged,
                self._max_spans,
                self._counts.last_error or "the backend is slower than we are",
            )
            self._drops_unlogged, self._drops_logged_at = 0, now

    def take(self) -> bytes:
        """The next request. Something must wait; `settle` or `take_back` must follow."""
        self._sending = self._waiting.take(max_traces=self._max_traces, max_bytes=self._max_bytes)
        return b"".join(entry.request for entry in self._sending)

    def take_back(self) -> None:
        """No answer will come. It may have arrived; it goes again, and is the same then."""
        self._waiting.put_back(self._sending)
        self._sending = []

    def settle(self, answer: Answer) -> Pause | None:
        """Do what the answer to the request under way asks for; how to wait before the next."""
        batch, self._sending = self._sending, []
        match answer:
            case Delivered():
                self._on_delivered(batch, answer)
                return None
            case Poisoned() | TooLarge():
                self._on_bad_data(batch, answer)
                return None
            case Doubtful(why=why):
                self._on_doubtful(batch, why)
                return self._on_failure(why, Pause(failures=self._failures + 1))
            case Retry(why=why, after_s=after_s):
                self._on_away(batch)
                return self._on_failure(why, Pause(failures=self._failures + 1, asked_s=after_s))
            case Refused(why=why):
                self._waiting.put_back(batch)
                return self._on_failure(why, Pause(failures=self._failures + 1, refused=True))

    def set_aside(self, entry: Entry, why: str) -> None:
        """It will never be taken. Others are not to wait for it."""
        logger.error("Set aside the trace %r: %s", entry.name, why)
        self._change(poisoned_traces=self._counts.poisoned_traces + 1, last_error=why)
        _tell(entry, Poisoned(why=why))

    def _on_delivered(self, batch: list[Entry], answer: Delivered) -> None:
        if answer.rejected and answer.rejected >= sum(entry.spans for entry in batch):
            self._on_rejected(batch, answer)
            return
        words = None
        if answer.rejected:
            words = f"the backend rejected {answer.rejected} spans: {answer.message}"
        elif answer.message:
            words = f"the backend took all spans and warns: {answer.message}"
        if words:
            logger.warning("Partial success: %s", words)
        self._passed += 1
        self._change(
            delivered_traces=self._counts.delivered_traces + len(batch),
            rejected_spans=self._counts.rejected_spans + answer.rejected,
            last_error=words or self._counts.last_error,
        )
        self._on_health()
        for entry in batch:
            _tell(entry, answer)

    def _on_rejected(self, batch: list[Entry], answer: Delivered) -> None:
        """No span of it was taken, and OTLP forbids to send any of it again."""
        self._change(rejected_spans=self._counts.rejected_spans + answer.rejected)
        self._on_health()  # it is there, and it has judged
        for entry in batch:
            self.set_aside(entry, f"the backend rejected all spans: {answer.message}")

    def _on_bad_data(self, batch: list[Entry], answer: Poisoned | TooLarge) -> None:
        if len(batch) > 1:
            if isinstance(answer, TooLarge):
                # Kept for this backend, or every full request would find it out again.
                self._max_bytes = sum(len(entry.request) for entry in batch) // 2
            self._narrow(batch)
        else:
            self._on_health()  # it is there, and it has judged
            self.set_aside(batch[0], answer.why)

    def _on_doubtful(self, batch: list[Entry], why: str) -> None:
        if len(batch) > 1:
            self._narrow(batch)
            return
        [entry] = batch
        if entry.alone and self._passed > entry.passed_before:
            entry.doubts += 1
        entry.alone, entry.passed_before = True, self._passed
        if entry.doubts < MAX_DOUBTS:
            self._waiting.append(entry)
        else:
            self.set_aside(entry, f"{why} ({MAX_DOUBTS} times, while others were taken)")

    def _on_away(self, batch: list[Entry]) -> None:
        if self._failures < PATIENCE:
            self._waiting.put_back(batch)
        elif len(batch) > 1:
            # It may be up and just not get through this much in time.
            self._narrow(batch)
        else:
            self._waiting.append(batch[0])

    def _on_health(self) -> None:
        if self._failures:
            logger.info("Delivery to %s works again", self._counts.endpoint)
        self._failures = 0
        self._max_traces = min(self._max_traces * 2, MAX_REQUEST_SPANS)
        self._change(delivering=True)

    def _on_failure(self, why: str, pause: Pause) -> Pause:
        if self._failures == 0 or why != self._counts.last_error:
            logger.warning("%d traces wait for delivery: %s", len(self._waiting), why)
        self._failures += 1
        self._change(delivering=False, last_error=why)
        return pause

    def _narrow(self, batch: list[Entry]) -> None:
        """Send the same again in two parts. The limit grows back as requests are taken."""
        self._waiting.put_back(batch)
        self._max_traces = (len(batch) + 1) // 2

    def _change(self, **changes: str | int | bool | None) -> None:
        self._counts = replace(self._counts, **changes)  # type: ignore[arg-type]


def _tell(entry: Entry, outcome: Outcome) -> None:
    if entry.when_settled is None:
        return
    try:
        entry.when_settled(outcome)
    except Exception:  # a listener's fault must not cost other traces' delivery
        logger.exception("Whoever put the trace %r failed to hear of it", entry.name)
