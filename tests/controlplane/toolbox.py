"""Which tools the tests need, and where each one's binaries lie.

A tool is a folder under `tools/` with a `go.mod` and a `go.sum`. Its binaries
are kept in a per-user cache under a key made of everything that decides what
comes out of the compiler, so a changed version is built again by itself and two
checkouts share what they have in common.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOLS: Final = Path(__file__).parent / "tools"
COMPONENT_VERSION: Final = "k8s.io/component-base/version"
MAIN_OF_FOLDER: Final = "."


class MissingToolError(RuntimeError):
    """A binary that was never built. Fails the test that asked for it."""

    def __init__(self, tool: Tool, *, binary: str) -> None:
        super().__init__(
            f"{binary} is not built; mend it with: python -m tests.controlplane.build {tool.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One folder under `tools/` and what is built from it."""

    name: str
    packages: Mapping[str, str]
    """Binary to Go package; `.` is a main package that is generated first."""
    expected: timedelta
    """Time of a first build on two cores."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Go string variables set by the linker, for tools that tell their version."""
    by_default: bool = True
    unambiguous: bool = True
    """False where the name on the PATH does not tell which tool it is."""

    @property
    def sources(self) -> Path:
        """The folder with go.mod."""
        return TOOLS / self.name

    @property
    def ldflags(self) -> str:
        """Without symbol table and debug information: half the size."""
        settings = (f"-X {name}={value}" for name, value in self.variables.items())
        return " ".join(("-s -w", *settings))

    @property
    def folder(self) -> Path:
        """Where the binaries are, or will be."""
        digest = hashlib.sha256()
        for path in sorted(self.sources.iterdir()):
            digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
        flags = (self.ldflags, *self.packages.items(), sys.platform, platform.machine())
        digest.update(repr(flags).encode())
        return cache() / f"{self.name}-{digest.hexdigest()[:16]}"

    @property
    def built(self) -> bool:
        """Whether nothing is left to do."""
        return self.folder.is_dir()


def _kubernetes(*names: str) -> Mapping[str, str]:
    return {name: f"k8s.io/kubernetes/cmd/{name}" for name in names}


KUBERNETES: Final = Tool(
    name="kubernetes",
    packages=_kubernetes("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"),
    expected=timedelta(seconds=450),
    # Else it says v0.0.0, and a chart with a kubeVersion refuses the cluster.
    variables={
        f"{COMPONENT_VERSION}.gitVersion": "v1.37.2",
        f"{COMPONENT_VERSION}.gitMajor": "1",
        f"{COMPONENT_VERSION}.gitMinor": "37",
    },
)
ETCD: Final = Tool(
    name="etcd",
    packages={"etcd": "go.etcd.io/etcd/server/v3"},
    expected=timedelta(seconds=30),
)
KWOK: Final = Tool(
    name="kwok",
    packages={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    expected=timedelta(seconds=80),
    variables={"sigs.k8s.io/kwok/pkg/consts.Version": "v0.8.0"},
)
HELM_3: Final = Tool(
    name="helm3",
    packages={"helm": "helm.sh/helm/v3/cmd/helm"},
    expected=timedelta(seconds=80),
    variables={"helm.sh/helm/v3/internal/version.version": "v3.22.0"},
    unambiguous=False,
)
HELM_4: Final = Tool(
    name="helm4",
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    expected=timedelta(seconds=130),
    variables={"helm.sh/helm/v4/internal/version.version": "v4.3.1"},
    unambiguous=False,
)
COLLECTOR: Final = Tool(
    name="otelcol",
    packages={"otelcol": MAIN_OF_FOLDER},
    expected=timedelta(seconds=120),
    unambiguous=False,
)
JAEGER: Final = Tool(
    name="jaeger",
    packages={"jaeger-all-in-one": "github.com/jaegertracing/jaeger/cmd/all-in-one"},
    expected=timedelta(seconds=115),
)
PROMETHEUS: Final = Tool(
    name="prometheus",
    packages={
        name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")
    },
    expected=timedelta(seconds=290),
    by_default=False,
)
# In the order of the build: what most tests wait for comes first.
ALL: Final = (KUBERNETES, ETCD, KWOK, HELM_3, HELM_4, COLLECTOR, JAEGER, PROMETHEUS)


def cache() -> Path:
    """The per-user folder of all builds."""
    if chosen := os.environ.get("HELMWAKE_TOOLS_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "helmwake" / "tools"


def locate(tool: Tool, binary: str) -> Path:
    """Find a binary of a tool.

    HELMWAKE_USE_PATH_TOOLS=1 lets KUBEBUILDER_ASSETS and the PATH go first. It is
    asked for and not the rule, so that results are of the versions pinned here.

    Raises:
        MissingToolError: it is in neither.

    """
    if os.environ.get("HELMWAKE_USE_PATH_TOOLS") == "1" and tool.unambiguous:
        places = (os.environ.get("KUBEBUILDER_ASSETS", ""), os.environ.get("PATH", ""))
        if found := shutil.which(binary, path=os.pathsep.join(filter(None, places))):
            return Path(found)
    path = tool.folder / binary
    if not path.is_file():
        raise MissingToolError(tool, binary=binary)
    return path
