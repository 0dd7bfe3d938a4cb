"""Opening recorded files: plain, gzip, or standard input."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast

from helmwake.recording.errors import BadRecordingError

STDIN: Final = "-"
GZIP_MAGIC: Final = b"\x1f\x8b"
UTF8_BOM: Final = b"\xef\xbb\xbf"
# Windows PowerShell redirects with ">" into UTF-16.
UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def open_recording(file: str) -> Iterator[BinaryIO]:
    """Open for reading, and unpack what is gzip by its content, whatever its name.

    Raises:
        BadRecordingError: it cannot be opened, or is in an encoding that no JSON is in.
    """
    raw = _open(file)
    try:
        yield _decoded(file, raw)
    finally:
        if file != STDIN:
            raw.close()


def _open(file: str) -> BufferedReader:
    if file == STDIN:
        return cast("BufferedReader", sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadRecordingError(
            file,
            problem=f"cannot be read ({reason})",
            remedy="give the path of a recorded file, or - for standard input",
        ) from error


def _decoded(file: str, raw: BufferedReader) -> BinaryIO:
    head = raw.peek(len(UTF8_BOM))
    if head.startswith(GZIP_MAGIC):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb"))
    if head.startswith(UTF16_BOMS):
        raise BadRecordingError(
            file,
            problem="is UTF-16",
            remedy="write it as UTF-8 (PowerShell: | Out-File -Encoding utf8)",
        )
    if head.startswith(UTF8_BOM):
        raw.read(len(UTF8_BOM))
    return raw
