"""How long to wait before the next try."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

NO_DELAY: Final = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """Doubling from `first` up to `cap`."""

    first: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(seconds=30)


DEFAULT_BACKOFF: Final = BackoffPolicy()


class Backoff:
    """The failures in a row, and the delay that follows from them."""

    def __init__(
        self, policy: BackoffPolicy, *, jitter: Callable[[], float] = random.random
    ) -> None:
        """`jitter` gives numbers in [0, 1)."""
        self._policy = policy
        self._jitter = jitter
        self.failures = 0

    def reset(self) -> None:
        self.failures = 0

    def fail(self, *, retry_after: timedelta | None = None) -> timedelta:
        """Count a failure and say how long to wait.

        Half of the delay is random: all operators of a cluster lose their apiserver at the same
        moment. A server's Retry-After is a lower bound, and may be longer than the cap.
        """
        # The exponent is bounded, or a night without an apiserver would make it overflow.
        full = min(self._policy.first * (1 << min(self.failures, 32)), self._policy.cap)
        self.failures += 1
        return max(full / 2 + full / 2 * self._jitter(), retry_after or NO_DELAY)
