"""A real control plane on one machine, without containers.

Build its tools once per machine: `python -m tests.controlplane.build`.

| module | what it is about |
|---|---|
| toolbox, golang, build | the tools, pinned in `tools/`, and their cache |
| process, credentials, components | programs, logins, how each part is started |
| cluster, commands, api | the running cluster, and what tests ask of it |
| kubelet | what KWOK plays in place of kubelets, and the faults to choose |
| jaeger, collector | where telemetry arrives |
| fixtures | all of it for pytest |
"""
