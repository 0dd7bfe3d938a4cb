"""Reading in tests: bytes in, changes and warnings out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helmwake.facts.change import Change
from helmwake.recording import read_changes


@dataclass(frozen=True, slots=True)
class Read:
    changes: list[Change]
    warnings: list[str]

    @property
    def names(self) -> list[str]:
        return [change.object["metadata"]["name"] for change in self.changes]

    @property
    def seen(self) -> list[str]:
        return [change.seen.isoformat() for change in self.changes]


def read(*files: Path, max_bytes: int = 1 << 20) -> Read:
    warnings: list[str] = []
    changes = list(
        read_changes([str(file) for file in files], warn=warnings.append, max_bytes=max_bytes)
    )
    return Read(changes, warnings)


def lines(*values: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def pretty(*values: Mapping[str, Any]) -> bytes:
    """Write as kubectl does all but watch events: Go's MarshalIndent, keys in order."""
    return b"".join(
        json.dumps(value, indent=4, sort_keys=True).encode() + b"\n" for value in values
    )


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
