"""From a scheduled pod to a ready one."""

from __future__ import annotations

from typing import Final

from tests.controlplane.kubelet.shapes import (
    RUNNING_STATE,
    STILL_RUNNING,
    condition,
    conditions,
    containers,
    event,
    readiness,
    status,
    unready,
    waiting,
)
from tests.controlplane.kubelet.stage import (
    FAULT,
    LIVING,
    PHASE,
    READY_AFTER,
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

SANDBOX: Final = condition_status("PodReadyToStartContainers")
INITIALIZED: Final = condition_status("Initialized")
READY: Final = condition_status("Ready")
INIT_STATES: Final = ".status.initContainerStatuses.[].state"

# pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses, defaultWaitingState.
PENDING: Final = "{{ if .spec.initContainers }}PodInitializing{{ else }}ContainerCreating{{ end }}"
# pkg/kubelet/status/generate.go, GeneratePodInitializedCondition.
NOT_INITIALIZED: Final = (
    "{{ $init := list }}"
    "{{ range .spec.initContainers }}{{ $init = append $init .name }}{{ end }}\n"
)
INITIALIZED_OR_NOT: Final = (
    "{{ if .spec.initContainers }}\n"
    + condition(
        "Initialized",
        value=False,
        reason="ContainersNotInitialized",
        message='(printf "containers with incomplete status: %v" $init)',
    )
    + "{{ else }}\n"
    + condition("Initialized", value=True)
    + "{{ end }}\n"
)
INIT_WAITING: Final = """\
{{ if .spec.initContainers }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  restartCount: 0
  ready: false
  started: false
  state:
    waiting:
      reason: PodInitializing
{{ end }}
{{ end }}
"""
ADDRESSES: Final = """\
{{ $ip := PodIPWith .spec.nodeName (or .spec.hostNetwork false) .metadata.uid .metadata.name \
.metadata.namespace }}
podIP: {{ $ip | Quote }}
podIPs:
- ip: {{ $ip | Quote }}
"""
# A probe, or being told to take long, is what stands between running and ready.
PROBED: Final = (
    f'(or $first.readinessProbe (index (or $pod.metadata.annotations dict) "{READY_AFTER}")'
    f' (index (or $pod.metadata.labels dict) "helmwake.test/fault"))'
)
READY_AT_ONCE: Final = f"""\
{{{{ if not {PROBED} }}}}
{conditions(readiness(value=True))}
{{{{ end }}}}
"""


def init_containers(reached: str, rest: str) -> str:
    """Bring the first init container that has not ended yet into the next state."""
    return f"""\
{{{{ $found := false }}}}
{{{{ $left := list }}}}
initContainerStatuses:
{{{{ range $index, $container := .spec.initContainers }}}}
{{{{ $old := index $pod.status.initContainerStatuses $index }}}}
{{{{ if or $found $old.state.terminated }}}}
- {{{{ toJson $old }}}}
{{{{ if $found }}}}{{{{ $left = append $left .name }}}}{{{{ end }}}}
{{{{ else }}}}
{{{{ $found = true }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: {{{{ printf "%s@sha256:%s" .image (sha256sum .image) | Quote }}}}
  containerID: containerd://{{{{ printf "%s/%s/0" $pod.metadata.uid .name | sha256sum }}}}
  restartCount: 0
{reached}
{{{{ end }}}}
{{{{ end }}}}
{rest}
"""


INIT_RUNNING: Final = init_containers(
    """\
  ready: false
  started: true
  state:
    running:
      startedAt: {{ $now | Quote }}
""",
    "",
)
INIT_ENDED: Final = init_containers(
    """\
  ready: true
  started: false
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $old.state.running.startedAt | Quote }}
      finishedAt: {{ $now | Quote }}
      containerID: {{ $old.containerID }}
""",
    "{{ if not $left }}\n"
    + conditions(condition("Initialized", value=True))
    + "{{ else }}\n"
    + conditions(
        condition(
            "Initialized",
            value=False,
            reason="ContainersNotInitialized",
            message='(printf "containers with incomplete status: %v" $left)',
        )
    )
    + "{{ end }}\n",
)

STAGES: Final = (
    # pkg/kubelet/kubelet.go, SyncPod: the first status, before anything runs.
    Stage(
        name="pod-accepted",
        where=(LIVING, is_missing(".status.startTime"), is_in(PHASE, "Pending")),
        delay=Delay(milliseconds=100),
        steps=(
            status(
                NOT_INITIALIZED,
                unready(condition("PodReadyToStartContainers", value=False), INITIALIZED_OR_NOT),
                INIT_WAITING,
                containers(waiting(PENDING), ran=False),
                "hostIP: {{ NodeIPWith .spec.nodeName | Quote }}",
                "hostIPs: [{ip: {{ NodeIPWith .spec.nodeName | Quote }}}]",
                "phase: Pending",
                "startTime: {{ $now | Quote }}",
            ),
        ),
    ),
    # pkg/kubelet/kubelet.go, OnPodSandboxReady; pkg/kubelet/images/image_manager.go, pullImage.
    Stage(
        name="pod-sandbox",
        where=(
            LIVING,
            is_in(PHASE, "Pending"),
            exists(".status.startTime"),
            is_not_in(SANDBOX, "True"),
            is_not_in(FAULT, "never-starts"),
        ),
        delay=Delay(milliseconds=200),
        steps=(
            status(conditions(condition("PodReadyToStartContainers", value=True)), ADDRESSES),
            event("Pulling", '(printf "Pulling image %q" $first.image)'),
        ),
    ),
    Stage(
        name="pod-init-running",
        where=(
            LIVING,
            is_in(SANDBOX, "True"),
            is_not_in(INITIALIZED, "True"),
            exists(f"{INIT_STATES}.waiting.reason"),
            is_missing(f"{INIT_STATES}.running.startedAt"),
        ),
        delay=Delay(milliseconds=300),
        steps=(status(INIT_RUNNING),),
    ),
    Stage(
        name="pod-init-completed",
        where=(
            LIVING,
            is_not_in(INITIALIZED, "True"),
            exists(f"{INIT_STATES}.running.startedAt"),
        ),
        delay=Delay(milliseconds=300),
        steps=(status(INIT_ENDED),),
    ),
    # pkg/kubelet/kuberuntime/kuberuntime_container.go, startContainer.
    Stage(
        name="pod-running",
        where=(
            LIVING,
            is_in(PHASE, "Pending"),
            is_in(SANDBOX, "True"),
            is_in(INITIALIZED, "True"),
            is_in(WAITING_FOR, "ContainerCreating", "PodInitializing"),
            is_not_in(FAULT, "image-pull", "config-error"),
        ),
        delay=Delay(milliseconds=700),
        steps=(
            status(
                READY_AT_ONCE,
                containers(
                    RUNNING_STATE,
                    ready=f"{{{{ if {PROBED} }}}}false{{{{ else }}}}true{{{{ end }}}}",
                ),
                "phase: Running",
            ),
            event(
                "Pulled",
                '(printf "Successfully pulled image %q in 700ms (700ms including waiting).'
                ' Image size: 10485760 bytes." $first.image)',
            ),
            event("Created", '"Container created"'),
            event("Started", '"Container started"'),
        ),
    ),
    Stage(
        name="pod-ready",
        where=(
            LIVING,
            is_in(PHASE, "Running"),
            is_not_in(READY, "True"),
            exists(RUNNING),
            is_not_in(FAULT, "crash-loop", "oom", "unready", "hook-fails"),
        ),
        delay=Delay(milliseconds=300, expression=f'.metadata.annotations["{READY_AFTER}"]'),
        steps=(
            status(conditions(readiness(value=True)), containers(STILL_RUNNING, ready="true")),
        ),
    ),
)
