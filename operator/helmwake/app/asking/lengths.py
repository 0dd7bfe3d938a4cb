"""Lengths of time as a person types them: Go's notation, and days."""

import re
from datetime import timedelta
from typing import Final

from helmwake.settings.duration import UNITS

DAYS: Final = {**UNITS, "d": timedelta(days=1)}
LONGEST: Final = timedelta(days=3650)
MAX_CHARACTERS: Final = 32
PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def parse_length(text: str) -> timedelta:
    """Read 90s, 10m, 2h or 3d, or several of them together.

    Raises:
        ValueError: it says what is wanted.
    """
    # The length first: a number of a million digits costs time, and overflows.
    if len(text) <= MAX_CHARACTERS and PART.sub("", text) == "":
        days = sum(float(n) * (DAYS[unit] / DAYS["d"]) for n, unit in PART.findall(text))
        if 0 < days <= LONGEST / DAYS["d"]:
            return timedelta(days=days)
    raise ValueError("wanted is a length of time such as 90s, 10m, 2h or 3d")
