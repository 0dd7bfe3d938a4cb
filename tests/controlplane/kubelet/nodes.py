"""A node that has room for what tests put on it."""

from __future__ import annotations

from typing import Final

from tests.controlplane.kubelet.stage import Delay, Stage, condition_status, is_not_in

# Its lease is renewed by KWOK itself, so no heartbeat is needed in the status.
READY_NODE: Final = """\
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- type: InternalIP
  address: {{ NodeIP | Quote }}
- type: Hostname
  address: {{ .metadata.name | Quote }}
capacity: &room
  cpu: "64"
  memory: 256Gi
  pods: "1000"
allocatable: *room
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: containerd://2.1.4
  kernelVersion: ""
  kubeProxyVersion: ""
  kubeletVersion: v1.37.2
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
"""

STAGES: Final = (
    Stage(
        name="node-ready",
        kind="Node",
        where=(is_not_in(condition_status("Ready"), "True"),),
        delay=Delay(milliseconds=0),
        steps=({"patch": {"subresource": "status", "root": "status", "template": READY_NODE}},),
    ),
)
