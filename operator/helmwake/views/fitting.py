"""Text of any origin, made fit for a terminal: without control characters, cut, wrapped.

Widths are cells: an East Asian character takes two.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len, set_cell_size

# Control, format (which may reverse a line's direction), surrogate, private use, unassigned,
# and the line and paragraph separators: a name must not move the cursor.
UNFIT: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
HEAD_SHARE: Final = 0.6


def clean(text: str) -> str:
    """Make one line of harmless characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_fit(character) for character in text)


def _fit(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    return "\ufffd" if unicodedata.category(character) in UNFIT else character


def shorten(text: str, width: int, *, ellipsis: str) -> str:
    """Cut the middle out: names of a kind begin alike, and differ at their end."""
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    if room <= 0:
        return set_cell_size(text, max(width, 0)).rstrip()
    head = _head(text, max(round(room * HEAD_SHARE), 1))
    tail = _head(text[::-1], room - cell_len(head))[::-1]
    return head + ellipsis + tail


def _head(text: str, width: int) -> str:
    """As many characters as fit into `width` cells."""
    used = 0
    for index, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:index]
    return text


def wrap(text: str, width: int, *, ellipsis: str, lines: int) -> list[str]:
    """Break between words into at most so many lines; the last says if there was more."""
    return join(text.split(" "), width, separator=" ", ellipsis=ellipsis, lines=lines)


def join(
    parts: Iterable[str], width: int, *, separator: str, ellipsis: str, lines: int = 3
) -> list[str]:
    """Put parts in lines, breaking between parts only; a part too long is shortened."""
    done: list[str] = []
    for part in parts:
        fitting = shorten(part, width, ellipsis=ellipsis)
        together = f"{done[-1]}{separator}{fitting}" if done else fitting
        if done and cell_len(together) <= width:
            done[-1] = together
        elif len(done) == lines:
            done[-1] = _head(done[-1], width - cell_len(ellipsis)) + ellipsis
            break
        else:
            done.append(fitting)
    return done


def pad(text: str, width: int) -> str:
    return set_cell_size(text, width) if cell_len(text) < width else text
