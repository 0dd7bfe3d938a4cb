"""The form of a KWOK stage: which objects, after how long, which steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Requirement: TypeAlias = "Mapping[str, object]"
Step: TypeAlias = "Mapping[str, object]"

FAULT_LABEL: Final = "helmwake.test/fault"
READY_AFTER: Final = "helmwake.test/ready-after"
RUN_FOR: Final = "helmwake.test/run-for"

FAULT: Final = f'.metadata.labels["{FAULT_LABEL}"]'
PHASE: Final = ".status.phase"
RESTART_POLICY: Final = ".spec.restartPolicy"
WAITING_FOR: Final = ".status.containerStatuses.[].state.waiting.reason"
EXITED: Final = ".status.containerStatuses.[].state.terminated.finishedAt"
RUNNING: Final = ".status.containerStatuses.[].state.running.startedAt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long an object waits in front of a stage."""

    milliseconds: int
    expression: str = ""
    """In jq; a duration such as "5s", or null for the milliseconds."""

    def to_stage(self) -> Mapping[str, object]:
        """Word it as KWOK does."""
        fixed = {"durationMilliseconds": self.milliseconds}
        if not self.expression:
            return fixed
        return {**fixed, "durationFrom": {"expressionFrom": self.expression}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage. Of those that match an object, KWOK draws one: let only one match."""

    name: str
    where: Sequence[Requirement]
    steps: Sequence[Step]
    delay: Delay
    kind: str = "Pod"

    def to_document(self) -> Mapping[str, object]:
        """Word it as KWOK does."""
        return {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Stage",
            "metadata": {"name": self.name},
            "spec": {
                "resourceRef": {"apiGroup": "v1", "kind": self.kind},
                "selector": {"matchExpressions": self.where},
                "delay": self.delay.to_stage(),
                "steps": self.steps,
            },
        }


def is_in(key: str, *values: str) -> Requirement:
    """Require one of these values at a jq path."""
    return {"key": key, "operator": "In", "values": values}


def is_not_in(key: str, *values: str) -> Requirement:
    """Require none of these values; nothing there is right too."""
    return {"key": key, "operator": "NotIn", "values": values}


def exists(key: str) -> Requirement:
    """Require something at a jq path."""
    return {"key": key, "operator": "Exists"}


def is_missing(key: str) -> Requirement:
    """Require nothing at a jq path."""
    return {"key": key, "operator": "DoesNotExist"}


def condition_status(kind: str) -> str:
    """The jq path of a condition's status."""
    return f'.status.conditions.[] | select( .type == "{kind}" ) | .status'


LIVING: Final = is_missing(".metadata.deletionTimestamp")


def write(path: Path, stages: Iterable[Stage]) -> None:
    """Write a file for `kwok --config`. JSON documents are YAML documents too."""
    documents = (json.dumps(stage.to_document()) for stage in stages)
    path.write_text("\n---\n".join(documents) + "\n", encoding="utf-8")
