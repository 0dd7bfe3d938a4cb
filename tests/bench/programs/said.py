"""What a program says to who measures it, on its standard output."""

from __future__ import annotations

import signal
from typing import Final

KNOWN: Final = "KNOWN"


def known(detail: object = "") -> None:
    print(KNOWN, detail, flush=True)  # noqa: T201 - it is read there


def known_for_good(detail: object = "") -> None:
    """Say so, and stay to be measured."""
    known(detail)
    signal.pause()
