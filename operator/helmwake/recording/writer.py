"""What `helmwake record` writes: one line for each change, reduced before it is written."""

import gzip
import json
import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from helmwake.facts.change import Change, Origin
from helmwake.recording.errors import BadRecordingError
from helmwake.recording.lines import MIB
from helmwake.recording.redact import redact
from helmwake.recording.times import format_time

GZIP_SUFFIX: Final = ".gz"


class RecordingWriter:
    """Appends to a file, and flushes each line: a recorder may be killed at any time."""

    def __init__(self, path: Path) -> None:
        """Open to append; a line that an earlier recorder left half-written stays one.

        Raises:
            BadRecordingError: the file cannot be written, or nothing can be appended to it.
        """
        self.path = path
        self.lines = 0
        try:
            whole = _ends_whole(path)
            self._file = _open(path)
        except OSError as error:
            raise BadRecordingError(
                str(path),
                problem=f"cannot be written ({error.strerror})",
                remedy="name another file",
            ) from error
        if not whole:
            self._file.write(b"\n")

    def write(self, change: Change) -> bool:
        """Write a change; `False` where its object is nothing that recordings hold."""
        kept = redact(change.object)
        if kept is None:
            return False
        line = {"type": change.type, "time": format_time(change.seen)}
        if change.origin is not Origin.WATCHED:
            # Else what was there before would seem to have happened when the recorder started.
            line["origin"] = change.origin
        text = json.dumps({**line, "object": kept}, separators=(",", ":"))
        self._file.write(text.encode() + b"\n")
        self._file.flush()
        self.lines += 1
        return True

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path) -> BinaryIO:
    if path.suffix == GZIP_SUFFIX:
        return cast("BinaryIO", gzip.open(path, "ab"))
    return path.open("ab")


def _ends_whole(path: Path) -> bool:
    """Whether the file's last line is whole; a new file's is."""
    if not path.exists() or not path.stat().st_size:
        return True
    if path.suffix == GZIP_SUFFIX:
        return _last_unpacked(path) == b"\n"
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _last_unpacked(path: Path) -> bytes:
    """Read a gzip file to its end: what is appended to one that was cut off would be lost."""
    last = b""
    try:
        with gzip.open(path, "rb") as file:
            while block := file.read(MIB):
                last = block[-1:]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadRecordingError(
            str(path),
            problem="is no whole gzip file, so nothing can be appended",
            remedy="name another file; `helmwake replay` reads both",
        ) from error
    return last
