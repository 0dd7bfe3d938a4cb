"""How long to wait before the next try."""

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 1.0
LAST_S: Final = 60.0
# A wrong token or URL does not mend itself: ask seldom, but ask, since it may be mended there.
REFUSED_FIRST_S: Final = 10.0
REFUSED_LAST_S: Final = 300.0
# A backend that asks for a day would find us full.
ASKED_MAX_S: Final = 900.0
# During a shutdown the grace period is short.
HURRIED_LAST_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Why there is to be a pause, from which its length follows."""

    failures: int  # in a row, from 1
    asked_s: float | None = None  # what the backend asked for (Retry-After, RetryInfo)
    refused: bool = False

    def seconds(self, *, luck: float, hurried: bool = False) -> float:
        """The length. `luck`, from 0 to 1, keeps many operators from coming back at once.

        Pauses double, and luck takes up to half of one away. To what a backend asked for it
        adds up to a tenth: never less than asked. `hurried` shortens only what nobody asked for.
        """
        if self.asked_s:
            return min(self.asked_s, ASKED_MAX_S) * (1 + luck / 10)
        first_s, last_s = (REFUSED_FIRST_S, REFUSED_LAST_S) if self.refused else (FIRST_S, LAST_S)
        doublings = min(self.failures - 1, 30)  # an int of any size would not become a float
        longest_s = min(last_s, HURRIED_LAST_S) if hurried else last_s
        return min(first_s * 2.0**doublings, longest_s) * (1 - luck / 2)
