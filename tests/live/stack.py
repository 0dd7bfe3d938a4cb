"""The control plane, Jaeger, a collector, and the operator on them."""

from __future__ import annotations

import json
import shlex
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.controlplane import toolbox
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.collector import Collector
from tests.controlplane.jaeger import Jaeger
from tests.live.installed import Operator, install

SERVICE: Final = "helmwake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    cluster: ControlPlane
    jaeger: Jaeger
    operator: Operator

    def query(self, context: str) -> str:
        """The address that shows a Keptn context's traces."""
        tags = json.dumps({"keptn.context": context}, separators=(",", ":"))
        asked = urllib.parse.urlencode({"service": SERVICE, "tags": tags})
        return f"{self.jaeger.query}/api/traces?{asked}"

    def shell(self) -> list[str]:
        """What to paste into a shell, to use this cluster by hand."""
        tools = (
            toolbox.locate(toolbox.HELM_4, "helm").parent,
            toolbox.locate(toolbox.KUBERNETES, "kubectl").parent,
        )
        return [
            f"export KUBECONFIG={shlex.quote(str(self.cluster.kubeconfig))}",
            f'export PATH={":".join(shlex.quote(str(tool)) for tool in tools)}:"$PATH"',
        ]


@contextmanager
def stack(directory: Path, *, say: Callable[[str], None]) -> Iterator[Stack]:
    """Start everything, and end it in the other order."""
    with ExitStack() as running:
        say("Starting etcd, Kubernetes, and KWOK in place of kubelets")
        cluster = running.enter_context(ControlPlane(directory))
        say("Starting Jaeger, and an OpenTelemetry Collector before it")
        jaeger = running.enter_context(Jaeger(directory))
        collector = running.enter_context(Collector(directory, traces_to=jaeger.otlp_grpc))
        say("Applying manifests/, and running helmwake as their ServiceAccount")
        install(cluster)
        operator = Operator(
            cluster, directory, "--otlp-endpoint", collector.otlp_grpc, "--otlp-protocol", "grpc"
        )
        running.callback(operator.stop)
        operator.process.wait_until(operator.is_ready)
        yield Stack(cluster=cluster, jaeger=jaeger, operator=operator)
