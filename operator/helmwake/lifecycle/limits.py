"""How long the middle waits before it says something. All are settings, in wall time."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    stuck_after: timedelta = timedelta(minutes=15)  # no write of Helm's for so long
    rollout: timedelta = timedelta(minutes=30)  # from a rollout's start
    # After Helm gave up, a rollout may still show why: for so long it is waited for.
    after_failure: timedelta = timedelta(seconds=60)


DEFAULT_LIMITS = Limits()
