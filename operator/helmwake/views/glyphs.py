"""The few signs that a waterfall is drawn with, and what stands for them in plain ASCII."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    success: str
    failure: str
    rolled_back: str
    running: str
    neutral: str  # cancelled, skipped
    bar: str
    bar_left: str  # the left half of a cell
    bar_right: str
    bar_open: str  # goes on beyond what is known
    branch: str
    last_branch: str
    trunk: str
    separator: str
    ellipsis: str


UNICODE: Final = Glyphs(
    success="✓",
    failure="✗",
    rolled_back="↺",
    running="…",
    neutral="○",
    bar="━",
    bar_left="╸",
    bar_right="╺",
    bar_open="┅",
    branch="├─ ",
    last_branch="└─ ",
    trunk="│  ",
    separator=" · ",
    ellipsis="…",
)
ASCII: Final = Glyphs(
    success="+",
    failure="x",
    rolled_back="<",
    running="~",
    neutral="-",
    bar="=",
    bar_left="-",
    bar_right="-",
    bar_open=".",
    branch="|- ",
    last_branch="`- ",
    trunk="|  ",
    separator=", ",
    ellipsis="..",
)


def glyphs(*, unicode: bool) -> Glyphs:
    return UNICODE if unicode else ASCII
