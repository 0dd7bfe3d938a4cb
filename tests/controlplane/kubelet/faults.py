"""What goes wrong with a pod, chosen by its label `helmwake.test/fault`.

| value | what the pod does |
|---|---|
| image-pull | its image is not in the registry |
| config-error | a Secret that its environment needs is missing |
| crash-loop | it exits with 1 again and again |
| oom | it is killed for its memory again and again |
| unready | it runs, and its readiness probe fails |
| hook-fails | it runs, and exits with 1; never restarted, so for pods of Jobs and tests |
| never-starts | no sandbox can be made for it |

A pod that no node has room for needs no stage: ask for more CPU than there is.
"""

from __future__ import annotations

from typing import Final

from tests.controlplane.kubelet.shapes import (
    BACK_OFF,
    BACK_OFFS,
    POD,
    PULL_ERROR,
    RUNNING_STATE,
    condition,
    conditions,
    containers,
    event,
    readiness,
    status,
    terminated,
    unready,
    waiting,
)
from tests.controlplane.kubelet.stage import (
    EXITED,
    FAULT,
    FAULT_LABEL,
    LIVING,
    PHASE,
    RESTART_POLICY,
    RUN_FOR,
    RUNNING,
    WAITING_FOR,
    Delay,
    Stage,
    condition_status,
    exists,
    is_in,
    is_missing,
    is_not_in,
)

READY_TO_START: Final = (
    LIVING,
    is_in(condition_status("PodReadyToStartContainers"), "True"),
    is_in(condition_status("Initialized"), "True"),
)
RESTARTS: Final = ".status.containerStatuses[0].restartCount"
RESTARTED: Final = f"{RESTARTS} | select( . > 0 )"
_STEPS_OF_BACK_OFF: Final = ", ".join(f'"{each}"' for each in BACK_OFFS)

PULLING: Final = '(printf "Pulling image %q" $first.image)'
BACKING_OFF_PULL: Final = '(printf "Back-off pulling image %q" $first.image)'
# pkg/kubelet/secret/secret_manager.go, GetSecret: the API's NotFound, passed on.
NO_SECRET: Final = '(printf "secret %q not found" (printf "%s-missing" $first.name))'

# containerd's words, and the exit code of SIGKILL: internal/cri/server/events.go, on TaskOOM,
# and container_status.go.
OOM: Final = f'(eq (index $pod.metadata.labels "{FAULT_LABEL}") "oom")'
DIED: Final = terminated(
    reason=f"{{{{ if {OOM} }}}}OOMKilled{{{{ else }}}}Error{{{{ end }}}}",
    exit_code=f"{{{{ if {OOM} }}}}137{{{{ else }}}}1{{{{ end }}}}",
)
# As if its readiness probe had no time to succeed.
RESTART: Final = (
    status(containers(RUNNING_STATE, restarted=1)),
    event("Created", '"Container created"', count="(add $restarts 2)"),
    event("Started", '"Container started"', count="(add $restarts 2)"),
)

STAGES: Final = (
    # pkg/kubelet/kuberuntime/kuberuntime_manager.go, SyncPod, step 4.
    Stage(
        name="fault-never-starts",
        where=(
            LIVING,
            is_in(FAULT, "never-starts"),
            exists(".status.startTime"),
        ),
        delay=Delay(milliseconds=200),
        steps=(
            event(
                "FailedCreatePodSandBox",
                '"Failed to create pod sandbox: rpc error: code = DeadlineExceeded'
                ' desc = context deadline exceeded"',
                kind="Warning",
                of_pod=True,
            ),
        ),
    ),
    # pkg/kubelet/images/image_manager.go, pullImage and evalCRIPullErr.
    Stage(
        name="fault-image-pull",
        where=(
            *READY_TO_START,
            is_in(FAULT, "image-pull"),
            is_in(WAITING_FOR, "ContainerCreating", "PodInitializing"),
        ),
        delay=Delay(milliseconds=500),
        steps=(
            status(containers(waiting("ErrImagePull", PULL_ERROR), ran=False)),
            event(
                "Failed",
                f'(printf "Failed to pull image %q: %s" $first.image {PULL_ERROR})',
                kind="Warning",
            ),
            event("Failed", '"Error: ErrImagePull"', kind="Warning"),
        ),
    ),
    Stage(
        name="fault-image-pull-back-off",
        where=(*READY_TO_START, is_in(FAULT, "image-pull"), is_in(WAITING_FOR, "ErrImagePull")),
        delay=Delay(milliseconds=1000),
        steps=(
            status(
                containers(
                    waiting(
                        "ImagePullBackOff",
                        f'(printf "%s: ErrImagePull: %s" {BACKING_OFF_PULL} {PULL_ERROR})',
                    ),
                    ran=False,
                )
            ),
            event("BackOff", BACKING_OFF_PULL),
            event("Failed", '"Error: ImagePullBackOff"', kind="Warning"),
        ),
    ),
    # The reason goes to and fro with each new try. The first pause is 10 s, and stays so here.
    Stage(
        name="fault-image-pull-again",
        where=(
            *READY_TO_START,
            is_in(FAULT, "image-pull"),
            is_in(WAITING_FOR, "ImagePullBackOff"),
        ),
        delay=Delay(milliseconds=10_000),
        steps=(
            status(containers(waiting("ErrImagePull", PULL_ERROR), ran=False)),
            event("Pulling", PULLING),
        ),
    ),
    # pkg/kubelet/kuberuntime/kuberuntime_container.go, startContainer, step 2.
    Stage(
        name="fault-config-error",
        where=(
            *READY_TO_START,
            is_in(FAULT, "config-error"),
            is_in(WAITING_FOR, "ContainerCreating", "PodInitializing"),
        ),
        delay=Delay(milliseconds=700),
        steps=(
            status(containers(waiting("CreateContainerConfigError", NO_SECRET), ran=False)),
            event("Failed", f'(printf "Error: %s" {NO_SECRET})', kind="Warning"),
        ),
    ),
    # pkg/kubelet/prober/prober.go, probe; pkg/probe/http/http.go, DoHTTPProbe.
    Stage(
        name="fault-unready",
        where=(
            LIVING,
            is_in(FAULT, "unready"),
            exists(RUNNING),
        ),
        delay=Delay(milliseconds=1000),
        steps=(
            event(
                "Unhealthy",
                '"Readiness probe failed: HTTP probe failed with statuscode: 503"',
                kind="Warning",
            ),
        ),
    ),
    Stage(
        name="fault-died",
        where=(
            LIVING,
            is_in(FAULT, "crash-loop", "oom"),
            is_not_in(RESTART_POLICY, "Never"),
            exists(RUNNING),
        ),
        delay=Delay(milliseconds=500),
        steps=(status(unready(), containers(DIED)),),
    ),
    # pkg/kubelet/kuberuntime/kuberuntime_manager.go, doBackOff: the first restart comes at once.
    Stage(
        name="fault-first-restart",
        where=(
            LIVING,
            is_in(FAULT, "crash-loop", "oom"),
            is_not_in(RESTART_POLICY, "Never"),
            exists(EXITED),
            is_missing(RESTARTED),
        ),
        delay=Delay(milliseconds=300),
        steps=RESTART,
    ),
    Stage(
        name="fault-back-off",
        where=(
            LIVING,
            is_in(FAULT, "crash-loop", "oom"),
            is_not_in(RESTART_POLICY, "Never"),
            exists(EXITED),
            exists(RESTARTED),
        ),
        delay=Delay(milliseconds=300),
        steps=(
            status(
                containers(
                    waiting(
                        "CrashLoopBackOff",
                        f'(printf "back-off %s restarting failed container=%s pod=%s"'
                        f" {BACK_OFF} $container.name {POD})",
                        last_state=True,
                    )
                )
            ),
            event(
                "BackOff",
                f'(printf "Back-off restarting failed container %s in pod %s" $first.name {POD})',
                kind="Warning",
                count="$restarts",
            ),
        ),
    ),
    Stage(
        name="fault-later-restart",
        where=(
            LIVING,
            is_in(FAULT, "crash-loop", "oom"),
            is_in(WAITING_FOR, "CrashLoopBackOff"),
        ),
        delay=Delay(
            milliseconds=10_000,
            expression=f"[{_STEPS_OF_BACK_OFF}][[{RESTARTS} - 1, 5] | min]",
        ),
        steps=RESTART,
    ),
    # pkg/kubelet/status/generate.go, generateContainersReadyConditionForTerminalPhase.
    Stage(
        name="fault-failed",
        where=(
            LIVING,
            is_in(PHASE, "Running"),
            exists(RUNNING),
            is_in(RESTART_POLICY, "Never"),
            is_in(FAULT, "hook-fails", "oom", "crash-loop"),
        ),
        delay=Delay(milliseconds=500, expression=f'.metadata.annotations["{RUN_FOR}"]'),
        steps=(
            status(
                conditions(
                    condition("PodReadyToStartContainers", value=False),
                    readiness(value=False, reason="PodFailed"),
                ),
                containers(DIED),
                "phase: Failed",
            ),
        ),
    ),
)
