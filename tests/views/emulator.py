"""A terminal's screen, as far as a progress display writes to it."""

import re
from typing import Final

TOKEN: Final = re.compile(r"\x1b\[(?P<number>[0-9;]*)(?P<code>[A-Za-z])|(?P<text>[^\x1b]+)")


class Emulator:
    """Takes what is written; `lines` is what a person sees, what has scrolled away among it.

    It knows carriage returns, new lines, the cursor's way up, clearing below and colours. Anything
    else is a mistake of who writes.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: list[str] = [""]
        self._row = self._column = 0
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        shown = [row.rstrip() for row in self._rows]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def write(self, text: str) -> None:
        text = self._rest + text
        # An escape code may come in two pieces.
        cut = text.rfind("\x1b")
        unfinished = cut >= 0 and re.fullmatch(r"\x1b(\[[0-9;]*)?", text[cut:]) is not None
        text, self._rest = (text[:cut], text[cut:]) if unfinished else (text, "")
        done = 0
        for token in TOKEN.finditer(text):
            assert token.start() == done, f"what is this? {text[done : token.start()]!r}"
            done = token.end()
            if token["text"] is not None:
                for character in token["text"]:
                    self._put(character)
                continue
            match token["code"]:
                case "A":
                    self._row = max(self._row - int(token["number"] or "1"), 0)
                case "J":
                    del self._rows[self._row + 1 :]
                    self._rows[self._row] = self._rows[self._row][: self._column]
                case code:
                    assert code == "m", f"what is this? {token[0]!r}"
        assert done == len(text)

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._next_row()
        else:
            assert character.isprintable(), f"what is this? {character!r}"
            if self._column == self.width:
                self._next_row()
            row = self._rows[self._row].ljust(self._column)
            self._rows[self._row] = row[: self._column] + character + row[self._column + 1 :]
            self._column += 1

    def _next_row(self) -> None:
        self._row += 1
        self._column = 0
        if self._row == len(self._rows):
            self._rows.append("")
