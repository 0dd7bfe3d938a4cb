"""Recorded files -> changes, as if they were happening."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from helmwake.facts.change import Change
from helmwake.recording.documents import read_documents
from helmwake.recording.entries import Entry, read_entries
from helmwake.recording.errors import BadRecordingError
from helmwake.recording.files import open_recording
from helmwake.recording.lines import MAX_OBJECT_BYTES, read_lines
from helmwake.recording.problems import Problems, Warn

REMEDY: Final = (
    "write one with `helmwake record`, or with `kubectl get -o json` "
    "(and `-w --output-watch-events`)"
)


def read_changes(
    files: Sequence[str], *, warn: Warn, max_bytes: int = MAX_OBJECT_BYTES
) -> Iterator[Change]:
    """Read files (`-` is standard input) lazily, an object at a time.

    Files whose lines carry times are merged by them; others follow one another. A line
    without a time counts as seen at the largest time so far. Each problem is told through
    `warn` as `FILE:LINE: what is wrong`, and reading goes on.

    Raises:
        BadRecordingError: one of the files cannot be read, or holds nothing to replay.
    """
    sources = [_Source(file, warn=warn, max_bytes=max_bytes) for file in files]
    if len(sources) > 1 and all(source.timed for source in sources):
        dated = [source.changes(_Clock()) for source in sources]
        yield from heapq.merge(*dated, key=lambda change: change.seen)
        return
    # One clock for all: what comes after is not seen before.
    clock = _Clock()
    for source in sources:
        yield from source.changes(clock)


@dataclass(slots=True)
class _Clock:
    latest: datetime | None = None

    def reach(self, time: datetime | None) -> None:
        if time is not None and (self.latest is None or time > self.latest):
            self.latest = time


class _Source:
    """One file. It is opened when its first entry is asked for."""

    def __init__(self, file: str, *, warn: Warn, max_bytes: int) -> None:
        self._problems = Problems(file, warn)
        self._entries = self._read(file, max_bytes)

    @property
    def timed(self) -> bool:
        """Whether the lines carry times: they do on all or on none, so the first one tells."""
        first = next(self._entries)
        self._entries = chain((first,), self._entries)
        return first.time is not None

    def changes(self, clock: _Clock) -> Iterator[Change]:
        for entry in self._entries:
            clock.reach(entry.time or entry.not_before)
            seen = entry.time or clock.latest
            if seen is None:
                self._problems.report(
                    entry.line, "neither it nor anything before it has a time; passed over"
                )
                continue
            yield Change(type=entry.type, object=entry.object, seen=seen, origin=entry.origin)

    def _read(self, file: str, max_bytes: int) -> Iterator[Entry]:
        empty = True
        with open_recording(file) as stream:
            lines = read_lines(stream, self._problems, max_bytes=max_bytes)
            documents = read_documents(lines, self._problems, max_bytes=max_bytes)
            for entry in read_entries(documents, self._problems):
                empty = False
                yield entry
        if empty:
            raise BadRecordingError(file, problem="holds no recorded object", remedy=REMEDY)
