"""JSON documents in a stream of lines.

kubectl writes a watch event on one line, and everything else over many, indented by four
(cli-runtime, pkg/printers/json.go); `jq` indents events too. Three rules find documents in
all of them, and find the next one after a broken one:

- No JSON string holds a raw line feed, so each line can be scanned by itself.
- What starts with `{` in the first column starts a document: inside, lines are indented.
- The items of a List are handed out one by one: a List may be larger than memory.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from helmwake.recording.json_text import BadJsonError, parse_object
from helmwake.recording.lines import MAX_OBJECT_BYTES, Line, too_long
from helmwake.recording.problems import Problems

# A whole string, a bracket, or a quote whose string does not end on its line. Possessive, so
# that 64 MiB without an end are scanned once.
TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]"]')
OPENING: Final = frozenset({b"{", b"["})
CLOSING: Final = frozenset({b"}", b"]"})
QUOTE: Final = b'"'
ITEMS_KEY: Final = b'"items"'
IN_DOCUMENT: Final = 1  # depth of brackets
IN_ITEMS: Final = 2

NOT_JSON: Final = "not JSON; passed over up to the next line that starts with {"
CUT_OFF: Final = "an object is cut off here and passed over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One JSON object, where it starts, and how long its text is.

    A List's items come first, each with `item` set, then the List itself, emptied.
    """

    line: int
    value: Mapping[str, Any]
    size: int
    item: bool = False


def read_documents(
    lines: Iterable[Line], problems: Problems, *, max_bytes: int = MAX_OBJECT_BYTES
) -> Iterator[Document]:
    """Find the documents; what is none is told once, and passed over."""
    scanner = _Scanner(problems=problems, max_bytes=max_bytes)
    for line in lines:
        yield from scanner.feed(line)
    scanner.finish()


@dataclass(slots=True)
class _Part:
    """Text of one document or item as it comes in; over the cap only its length is kept."""

    line: int
    max_bytes: int
    size: int = 0
    pieces: list[bytes] = field(default_factory=list)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self.max_bytes:
            self.pieces.clear()
        else:
            self.pieces.append(piece)


@dataclass(slots=True)
class _Scanner:
    problems: Problems
    max_bytes: int
    depth: int = 0
    document: _Part | None = None
    item: _Part | None = None
    in_items: bool = False  # of the outermost object
    lost: bool = False  # told, and looking for the next start
    before: bytes = b""  # the token before, which may be a key

    def feed(self, line: Line) -> Iterator[Document]:
        starts = line.text.startswith(b"{")
        if line.gap:
            self._lose()
            return
        if starts and self.document and not (self.in_items and self.depth == IN_ITEMS):
            self.problems.report(self.document.line, CUT_OFF)
            self._lose()
        if starts:
            self.lost = False
        if self.lost:
            return
        if starts and line.text.rstrip().endswith(b"}") and self.document is None:
            try:
                value = parse_object(line.text)
            except BadJsonError:
                pass  # two documents on one line, or the scan finds what is wrong
            else:
                yield Document(line=line.number, value=value, size=len(line.text))
                return
        yield from self._scan(line)

    def finish(self) -> None:
        if self.document:
            self.problems.report(self.document.line, CUT_OFF)

    def _scan(self, line: Line) -> Iterator[Document]:
        done = 0  # up to here, the line's text is taken
        for token in TOKEN.finditer(line.text):
            found = token[0]
            if found in OPENING:
                done = self._opens(line, token, done)
            elif found in CLOSING and self.document:
                self.depth -= 1
                if self.in_items and self.depth == IN_DOCUMENT:
                    self.in_items = False
                    done = token.start()
                if ended := self._ended():
                    ended.add(line.text[done : token.end()])
                    done = token.end()
                    yield from self._finished(ended)
            elif found == QUOTE:
                whole = line.text.endswith(b"\n")
                self.problems.report(line.number, NOT_JSON if whole else CUT_OFF)
                self._lose()
            if self.lost:
                return
            self.before = found
        self._take_rest(line, line.text[done:])

    def _opens(self, line: Line, token: re.Match[bytes], done: int) -> int:
        """Go one level deeper, and say up to where the line is taken."""
        if self.document is None:
            if token[0] == b"[" or line.text[done : token.start()].strip():
                self._not_json(line)
                return done
            self.document = _Part(line.number, self.max_bytes)
            done = token.start()
        elif self.in_items and self.depth == IN_ITEMS:
            self.item = _Part(line.number, self.max_bytes)
            done = token.start()
        elif self.depth == IN_DOCUMENT and token[0] == b"[" and self.before == ITEMS_KEY:
            self.in_items = True
            self.document.add(line.text[done : token.end()])
            done = token.end()
        self.depth += 1
        return done

    def _ended(self) -> _Part | None:
        if self.item and self.depth == IN_ITEMS:
            return self.item
        return None if self.depth else self.document

    def _finished(self, part: _Part) -> Iterator[Document]:
        item = part is self.item
        self.item = None
        if not item:
            self.document = None
            self.before = b""
        if part.size > self.max_bytes:
            self.problems.report(part.line, too_long(part.size, self.max_bytes))
            return
        try:
            value = parse_object(b"".join(part.pieces))
        except BadJsonError as error:
            self.problems.report(part.line + error.line, f"{error}; passed over")
            return
        yield Document(line=part.line, value=value, size=part.size, item=item)

    def _take_rest(self, line: Line, text: bytes) -> None:
        if self.item:
            self.item.add(text)
        elif self.document is None:
            if text.strip():
                self._not_json(line)
        elif not self.in_items:
            self.document.add(text)

    def _not_json(self, line: Line) -> None:
        self.problems.report(line.number, NOT_JSON)
        self._lose()

    def _lose(self) -> None:
        self.depth = 0
        self.document = self.item = None
        self.in_items = False
        self.lost = True
