"""Wait for what another process does: look again and again, up to a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
WAIT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1


class WaitError(AssertionError):
    """What was waited for did not come."""

    def __init__(self, what: str, *, seconds: float, last: object) -> None:
        super().__init__(f"{what}: not within {seconds:.0f} s; last seen: {last}")


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float = WAIT_SECONDS) -> T:
    """Return the first thing seen that counts as true.

    Raises:
        WaitError: there was none in time.

    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise WaitError(what, seconds=seconds, last=seen)
        time.sleep(POLL_SECONDS)
    return seen
