"""Problems of recorded files, told one by one and never with the content: it may be secret."""

from collections.abc import Callable
from dataclasses import dataclass

Warn = Callable[[str], None]


@dataclass(slots=True)
class Problems:
    """Where one file's problems go. Bad input is normal: tell, count, go on."""

    file: str
    warn: Warn
    count: int = 0

    def report(self, line: int, what: str) -> None:
        self.count += 1
        self.warn(f"{self.file}:{line}: {what}")
