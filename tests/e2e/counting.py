"""What Helm did, by its own word: exit codes, output and `helm history`.

Nothing of the operator's watching is in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

# Source: helm/helm, pkg/action/install.go, failRelease.
UNDONE: Final = re.compile(r"has been uninstalled due to (?:atomic|rollback-on-failure) being set")
DEPLOYING: Final = ("install", "upgrade", "rollback")

Revisions: TypeAlias = "dict[int, str]"  # number: status


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One helm command as it went."""

    verb: str
    arguments: tuple[str, ...]
    exit_code: int
    output: str
    began: datetime
    ended: datetime
    before: Revisions
    after: Revisions
    observed: bool  # somebody was to trace it

    def __str__(self) -> str:
        return f"helm {' '.join(self.arguments)}: {self.exit_code}\n{self.output}"

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations of this command, in their order."""
        match self.verb:
            case "test":
                return ("test",)
            case "uninstall":
                left = set(self.after.values())
                began = self.exit_code == 0 or "uninstalling" in left
                return ("uninstall",) if began else ()
        new = sorted(set(self.after) - set(self.before))
        # What --atomic, or --rollback-on-failure, does after a failure is an operation too.
        if not new and UNDONE.search(self.output):
            return (self.verb, "uninstall")
        return tuple(self.verb if number == new[0] else "rollback" for number in new)


def revisions(history: str) -> Revisions:
    """Read `helm history -o json`; Helm has no such release where it is empty."""
    entries: list[Any] = json.loads(history) if history.strip() else []
    return {entry["revision"]: entry["status"] for entry in entries}
