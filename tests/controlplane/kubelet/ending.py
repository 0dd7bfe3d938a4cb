"""How pods end: by themselves, as those of Jobs and tests do, or deleted."""

from __future__ import annotations

from typing import Final

from tests.controlplane.kubelet.shapes import (
    condition,
    conditions,
    containers,
    readiness,
    status,
    terminated,
)
from tests.controlplane.kubelet.stage import (
    FAULT,
    LIVING,
    PHASE,
    RESTART_POLICY,
    RUN_FOR,
    RUNNING,
    Delay,
    Stage,
    exists,
    is_in,
    is_missing,
    is_not_in,
)

# From the moment it is ready, or from its start where it never will be.
RUN_TIME: Final = Delay(milliseconds=500, expression=f'.metadata.annotations["{RUN_FOR}"]')
SANDBOX_GONE: Final = condition("PodReadyToStartContainers", value=False)

STAGES: Final = (
    # pkg/kubelet/status/generate.go, the conditions of a succeeded pod.
    Stage(
        name="pod-succeeded",
        where=(
            LIVING,
            is_in(PHASE, "Running"),
            exists(RUNNING),
            is_in('.status.conditions.[] | select( .type == "Ready" ) | .status', "True"),
            is_in(RESTART_POLICY, "Never", "OnFailure"),
            is_not_in(FAULT, "crash-loop", "oom", "unready", "hook-fails"),
        ),
        delay=RUN_TIME,
        steps=(
            status(
                conditions(
                    SANDBOX_GONE,
                    condition("Initialized", value=True, reason="PodCompleted"),
                    readiness(value=False, reason="PodCompleted"),
                ),
                containers(terminated(reason="Completed", exit_code="0")),
                "phase: Succeeded",
            ),
        ),
    ),
    # KWOK deletes without grace, as a kubelet does at the end of a pod's own.
    Stage(
        name="pod-deleted",
        where=(exists(".metadata.deletionTimestamp"), is_missing(".metadata.finalizers")),
        delay=Delay(milliseconds=300),
        steps=({"delete": True},),
    ),
)
