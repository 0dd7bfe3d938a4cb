"""Lines of a stream, each bounded, whatever the stream holds."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from helmwake.recording.problems import Problems

MIB: Final = 1024 * 1024
# A Secret holds 1 MiB; an item of a List, or a line made by hand, may be larger.
MAX_OBJECT_BYTES: Final = 64 * MIB


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its line feed; without any text, a gap: what was there cannot be used."""

    number: int
    text: bytes

    @property
    def gap(self) -> bool:
        return not self.text


def read_lines(
    stream: BinaryIO, problems: Problems, *, max_bytes: int = MAX_OBJECT_BYTES
) -> Iterator[Line]:
    """Read line by line; those longer than `max_bytes` are told and become gaps.

    A stream that breaks (a gzip cut short, a disk that fails) is told and ends there.
    """
    number = 0
    try:
        while text := stream.readline(max_bytes + 1):
            number += 1
            if len(text) > max_bytes:
                size = len(text) + _skip_rest(stream, text)
                problems.report(number, too_long(size, max_bytes))
                text = b""
            yield Line(number, text)
    except EOFError:
        problems.report(number + 1, "the gzip data is cut off here; what came before is used")
        yield Line(number + 1, b"")
    except (OSError, zlib.error) as error:
        reason = type(error).__name__
        problems.report(number + 1, f"broken from here on ({reason}); what came before is used")
        yield Line(number + 1, b"")


def too_long(size: int, max_bytes: int) -> str:
    return (
        f"an object of {size / MIB:.0f} MiB is passed over; "
        f"at most {max_bytes / MIB:.0f} MiB are read"
    )


def _skip_rest(stream: BinaryIO, text: bytes) -> int:
    skipped = 0
    while not text.endswith(b"\n") and (text := stream.readline(MIB)):
        skipped += len(text)
    return skipped
