"""Bytes of a stream to lines, of any length up to a cap.

aiohttp's own reading by line stops at a limit of 512 KiB, less than one object may have.
"""

from typing import Final

MIB: Final = 1 << 20
# etcd takes objects of 1.5 MiB by default; this is for those who raised it, and for escapes.
MAX_LINE_BYTES: Final = 32 * MIB
NEWLINE: Final = b"\n"


class LineSplitter:
    """Give back the whole lines of what was fed so far, without their newlines."""

    def __init__(self, *, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_bytes = max_bytes
        # Pieces are joined once a line is whole: joining at every chunk would be quadratic.
        self._pieces: list[bytes] = []
        self._held_bytes = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the stream.

        Raises:
            OverflowError: a line has more than the cap. The splitter is spent then.

        """
        *whole, rest = chunk.split(NEWLINE)
        if whole:
            self._hold(whole[0])
            whole[0] = b"".join(self._pieces)
            self._pieces.clear()
            self._held_bytes = 0
        if any(len(line) > self._max_bytes for line in whole):
            raise self._overflow()
        self._hold(rest)
        return whole

    def _hold(self, piece: bytes) -> None:
        self._held_bytes += len(piece)
        if self._held_bytes > self._max_bytes:
            self._pieces.clear()
            raise self._overflow()
        if piece:
            self._pieces.append(piece)

    def _overflow(self) -> OverflowError:
        return OverflowError(f"a line has more than {self._max_bytes} bytes")

    @property
    def rest(self) -> bytes:
        """What came after the last newline."""
        return b"".join(self._pieces)
