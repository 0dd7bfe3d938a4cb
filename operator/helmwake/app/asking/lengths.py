"""Lengths of time as a person types them: Go's notation, and days."""

from datetime import timedelta
from typing import Final

from helmwake.settings.duration import read_duration

PATTERN: Final = r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+"
LONGEST: Final = timedelta(days=3650)


def parse_length(text: str) -> timedelta:
    """Read 90s, 10m, 2h or 3d, or several of them together.

    Raises:
        ValueError: it says what is wanted.
    """
    length = read_duration(text, pattern=PATTERN)
    if length is None or not timedelta() < length <= LONGEST:
        raise ValueError("wanted is a length of time such as 90s, 10m, 2h or 3d")
    return length
