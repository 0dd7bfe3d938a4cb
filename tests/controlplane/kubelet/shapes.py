"""What a kubelet writes, as Go templates: conditions, container states, events.

Sources are files and functions of kubernetes/kubernetes v1.37.2. Left out are
resources, mounts and users of containers, which no test looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.controlplane.kubelet.stage import Step

# Every template begins with these; `$first` is the container that events tell about.
NAMES: Final = """\
{{ $now := Now }}
{{ $pod := . }}
{{ $first := index .spec.containers 0 }}
{{ $statuses := or .status.containerStatuses (list dict) }}
{{ $restarts := (index $statuses 0).restartCount | int }}
"""
# pkg/kubelet/util/format/pod.go, Pod.
POD: Final = '(printf "%s_%s(%s)" $pod.metadata.name $pod.metadata.namespace $pod.metadata.uid)'
# What containerd answers for a tag that the registry does not have, when it pulls by itself:
# internal/cri/server/images/image_pull.go, pullImageWithLocalPull; client/pull.go, fetch;
# core/remotes/docker/resolver.go, Resolve. Through its transfer service the middle differs.
PULL_ERROR: Final = (
    '(printf "rpc error: code = NotFound desc = failed to pull and unpack image %q: '
    'failed to resolve reference %q: %s: not found" $first.image $first.image $first.image)'
)
# pkg/kubelet/kubelet.go, initialCrashLoopBackOff and MaxCrashLoopBackOff; each is twice the last.
BACK_OFFS: Final = ("10s", "20s", "40s", "1m20s", "2m40s", "5m0s")
_LIST_OF_BACK_OFFS: Final = " ".join(f'"{each}"' for each in BACK_OFFS)
BACK_OFF: Final = f"(index (list {_LIST_OF_BACK_OFFS}) (min (sub $restarts 1) 5))"


def status(*parts: str) -> Step:
    """Patch the pod's status."""
    template = NAMES + "\n".join(parts)
    return {"patch": {"subresource": "status", "root": "status", "template": template}}


def conditions(*each: str) -> str:
    """Set these conditions, and leave the others."""
    return "conditions:\n" + "".join(each)


def condition(kind: str, *, value: bool, reason: str = "", message: str = '""') -> str:
    """One condition; the message is an expression.

    Source: pkg/kubelet/kubelet_pods.go, generateAPIPodStatus.
    """
    return f"""\
- type: {kind}
  status: "{value}"
  observedGeneration: {{{{ or $pod.metadata.generation 1 }}}}
  lastProbeTime: null
  lastTransitionTime: {{{{ $now | Quote }}}}
  reason: "{reason}"
  message: {{{{ {message} | Quote }}}}
"""


def readiness(*, value: bool, reason: str = "", message: str = '""') -> str:
    """The two conditions that go together where there are no readiness gates.

    Source: pkg/kubelet/status/generate.go, GeneratePodReadyCondition.
    """
    return "".join(
        condition(kind, value=value, reason=reason, message=message)
        for kind in ("Ready", "ContainersReady")
    )


# pkg/kubelet/status/generate.go, GenerateContainersReadyCondition.
_NAMES_OF_CONTAINERS: Final = (
    "{{ $names := list }}{{ range .spec.containers }}{{ $names = append $names .name }}{{ end }}\n"
)
NOT_READY: Final = readiness(
    value=False,
    reason="ContainersNotReady",
    message='(printf "containers with unready status: %v" $names)',
)


def unready(*more: str) -> str:
    """Conditions of a pod whose containers are not all ready, and some more."""
    return _NAMES_OF_CONTAINERS + conditions(NOT_READY, *more)


def containers(state: str, *, ready: str = "false", restarted: int = 0, ran: bool = True) -> str:
    """Put all containers into a state; `ran` if there is or was one in the runtime.

    Source: pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses.
    """
    identity = (
        """\
  imageID: {{ printf "%s@sha256:%s" $container.image (sha256sum $container.image) | Quote }}
  containerID: containerd://{{ printf "%s/%s/%d" $pod.metadata.uid .name $count | sha256sum }}
"""
        if ran
        else '  imageID: ""\n'
    )
    return f"""\
containerStatuses:
{{{{ range $index, $container := .spec.containers }}}}
{{{{ $old := dict }}}}
{{{{ if lt $index (len $statuses) }}}}{{{{ $old = index $statuses $index }}}}{{{{ end }}}}
{{{{ $count := add ($old.restartCount | int) {restarted} }}}}
{{{{ $exited := dict }}}}
{{{{ with $old.lastState }}}}{{{{ $exited = . }}}}{{{{ end }}}}
{{{{ with $old.state }}}}{{{{ if .terminated }}}}{{{{ $exited = . }}}}{{{{ end }}}}{{{{ end }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
{identity}  restartCount: {{{{ $count }}}}
  ready: {ready}
{state}
{{{{ end }}}}
"""


def waiting(reason: str, message: str = "", *, last_state: bool = False) -> str:
    """A container that cannot run; the message is an expression."""
    worded = f"      message: {{{{ {message} | Quote }}}}\n" if message else ""
    last = "  lastState: {{ toJson $exited }}\n" if last_state else ""
    return f"""\
  started: false
{last}  state:
    waiting:
      reason: {reason}
{worded}"""


RUNNING_STATE: Final = """\
  started: true
  lastState: {{ toJson $exited }}
  state:
    running:
      startedAt: {{ $now | Quote }}
"""
STILL_RUNNING: Final = """\
  started: true
  lastState: {{ toJson ($old.lastState | default dict) }}
  state: {{ toJson $old.state }}
"""


def terminated(*, reason: str, exit_code: str) -> str:
    """A container that ended; both may be expressions in braces."""
    return f"""\
  started: false
  lastState: {{{{ toJson ($old.lastState | default dict) }}}}
  state:
    terminated:
      exitCode: {exit_code}
      reason: {reason}
      startedAt: {{{{ $old.state.running.startedAt | Quote }}}}
      finishedAt: {{{{ $now | Quote }}}}
      containerID: {{{{ $old.containerID }}}}
"""


def event(
    reason: str, message: str, *, kind: str = "Normal", of_pod: bool = False, count: str = "1"
) -> Step:
    """Write an event as the kubelet's recorder does; message and count are expressions.

    KWOK's own events have no template, and tell neither container nor node. A second
    one of the same container is counted up on the same object, as the recorder does.

    Source: client-go tools/record/event.go, makeEvent; events_cache.go, eventObserve;
    pkg/kubelet/container/ref.go, fieldPath.
    """
    path = "" if of_pod else '  fieldPath: {{ printf "spec.containers{%s}" $first.name | Quote }}'
    template = f"""\
{NAMES}
{{{{ $message := {message} }}}}
{{{{ $count := {count} | int }}}}
{{{{ $since := $now }}}}
{{{{ if gt $count 1 }}}}{{{{ $since = or $pod.status.startTime $now }}}}{{{{ end }}}}
{{{{ $key := printf "%s%s%s" $pod.metadata.uid "{reason}" $message | sha256sum | trunc 16 }}}}
apiVersion: v1
kind: Event
metadata:
  name: {{{{ printf "%s.%s" $pod.metadata.name $key | Quote }}}}
  namespace: {{{{ $pod.metadata.namespace }}}}
involvedObject:
  apiVersion: v1
  kind: Pod
  namespace: {{{{ $pod.metadata.namespace }}}}
  name: {{{{ $pod.metadata.name | Quote }}}}
  uid: {{{{ $pod.metadata.uid }}}}
  resourceVersion: {{{{ $pod.metadata.resourceVersion | Quote }}}}
{path}
reason: {reason}
message: {{{{ $message | Quote }}}}
type: {kind}
source:
  component: kubelet
  host: {{{{ $pod.spec.nodeName | Quote }}}}
reportingComponent: kubelet
reportingInstance: {{{{ $pod.spec.nodeName | Quote }}}}
firstTimestamp: {{{{ $since | Quote }}}}
lastTimestamp: {{{{ $now | Quote }}}}
count: {{{{ $count }}}}
"""
    return {"apply": {"template": template}}
