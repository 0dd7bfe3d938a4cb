"""What of an entry is made for people's eyes."""

from datetime import timedelta
from typing import Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE


def length(duration: timedelta) -> str:
    """Round to two units, as one word: 18.4s, 2m03s, 1h05m.

    A text, since `kubectl get` shows a number as it is: nobody reads 7512.3 as two hours.
    Go reads it as a duration. It cannot be sorted by; the times can.
    """
    seconds = max(duration.total_seconds(), 0.0)
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE:02}s"
    return f"{whole // HOUR}h{whole % HOUR // MINUTE:02}m"
