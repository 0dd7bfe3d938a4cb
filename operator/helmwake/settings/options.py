"""The flags and variables: which value of the model each one sets.

A row here is all that a new option needs; `cli/` makes its flags of this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from helmwake.settings.selector import parse_selector

PREFIX: Final = "HELMWAKE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    path: tuple[str, ...]  # in the model, by the names of a ReleaseObserver
    flag: str
    metavar: str
    help: str
    # False where a standard variable has it already (OTEL_EXPORTER_OTLP_*).
    has_variable: bool = True
    read: Callable[[str], Any] = str

    @property
    def name(self) -> str:
        """As a Python argument: rollout_limit."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def variable(self) -> str | None:
        """As an environment variable: HELMWAKE_ROLLOUT_LIMIT."""
        return PREFIX + self.name.upper() if self.has_variable else None


OPTIONS: Final = (
    Option(
        path=("otlp", "endpoint"),
        flag="--otlp-endpoint",
        metavar="URL",
        help="The collector's address. Default: OTEL_EXPORTER_OTLP_ENDPOINT.",
        has_variable=False,
    ),
    Option(
        path=("otlp", "protocol"),
        flag="--otlp-protocol",
        metavar="grpc|http/protobuf",
        help="Default: OTEL_EXPORTER_OTLP_PROTOCOL.",
        has_variable=False,
    ),
    Option(
        path=("namespaceSelector",),
        flag="--namespace-selector",
        metavar="SELECTOR",
        help="Labels of the namespaces to observe, in kubectl's notation. "
        "Default: helmwake.dev/observe=enabled.",
        read=parse_selector,
    ),
    *(
        Option(
            path=("keptn", name),
            flag=f"--keptn-{name}-key",
            metavar="KEY",
            help=f"Label and annotation with Keptn's {name}. Default: keptn.sh/{name}.",
        )
        for name in ("context", "project", "stage", "service")
    ),
    Option(
        path=("rolloutLimit",),
        flag="--rollout-limit",
        metavar="DURATION",
        help="How long a rollout is followed. Default: 30m.",
    ),
    Option(
        path=("stuckAfter",),
        flag="--stuck-after",
        metavar="DURATION",
        help="How long Helm may be silent in an operation. Default: 15m.",
    ),
    Option(
        path=("backfill",),
        flag="--backfill",
        metavar="AGE|none|all",
        help="How far back operations are told that happened before their namespace was "
        "observed. Default: 24h.",
    ),
    Option(
        path=("retention", "age"),
        flag="--retention-age",
        metavar="AGE",
        help="How long the ledger keeps an operation, such as 36h or 7d. Default: 7d.",
    ),
    Option(
        path=("retention", "perRelease"),
        flag="--retention-per-release",
        metavar="COUNT",
        help="How many operations of one release it keeps. Default: 20.",
    ),
    Option(
        path=("retention", "total"),
        flag="--retention-total",
        metavar="COUNT",
        help="How many operations it keeps in all. Default: 5000.",
    ),
    Option(
        path=("retention", "undeliveredAge"),
        flag="--retention-undelivered-age",
        metavar="AGE",
        help="How long it keeps what no backend has taken. Default: 30d.",
    ),
    Option(
        path=("clusterName",),
        flag="--cluster-name",
        metavar="NAME",
        help="The cluster's name in telemetry.",
    ),
    Option(
        path=("kubeconfig",),
        flag="--kubeconfig",
        metavar="FILE",
        help="Default: KUBECONFIG, then the pod's ServiceAccount, then ~/.kube/config.",
    ),
    Option(
        path=("context",),
        flag="--context",
        metavar="NAME",
        help="Of the kubeconfig. Default: its current one.",
    ),
    Option(
        path=("watchNamespaces",),
        flag="--watch-namespaces",
        metavar="NAME,...",
        help="Ask for nothing outside of these namespaces. Default: the whole cluster.",
    ),
    Option(
        path=("httpAddress",),
        flag="--http-address",
        metavar="[HOST]:PORT",
        help="Where probes and metrics are served. Default: :8080.",
    ),
    Option(
        path=("logLevel",),
        flag="--log-level",
        metavar="debug|info|warning|error",
        help="Default: info.",
    ),
    Option(
        path=("logFormat",),
        flag="--log-format",
        metavar="text|json",
        help="Default: text.",
    ),
    Option(
        path=("namespace",),
        flag="--namespace",
        metavar="NAME",
        help="The operator's own namespace. Default: helmwake-system.",
    ),
)
