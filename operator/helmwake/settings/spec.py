"""What can be set in a ReleaseObserver; flags and environment fill what it leaves open.

The CRD in `crds/` is generated from these models.
"""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from helmwake.models import Model
from helmwake.settings.backfill import Backfill, BackfillSetting
from helmwake.settings.duration import Duration
from helmwake.settings.retention import Retention
from helmwake.settings.selector import Key, LabelSelector

OBSERVE_LABEL: Final = "helmwake.dev/observe"
MAX_URL_LENGTH: Final = 1024
_URL: Final = r"^https?://[^\s/?#]+(/[^\s?#]*)?$"
_URL_WANTED: Final = "an http:// or https:// URL with a host, without query or fragment"
_USERINFO: Final = r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@"
_USERINFO_WANTED: Final = (
    "a URL without user and password: give credentials by OTEL_EXPORTER_OTLP_HEADERS, "
    "from a Secret"
)


def _check_endpoint(text: str) -> str:
    # First, so that whoever put a password here is told where it belongs.
    if re.match(_USERINFO, text):
        raise PydanticCustomError("endpoint", _USERINFO_WANTED)
    if len(text) > MAX_URL_LENGTH or not re.fullmatch(_URL, text):
        raise PydanticCustomError("endpoint", _URL_WANTED)
    return text


Endpoint = Annotated[
    str,
    AfterValidator(_check_endpoint),
    WithJsonSchema({"type": "string", "maxLength": MAX_URL_LENGTH}),
]
# At the object, not at the endpoint: the apiserver's refusal quotes the value of a string,
# and there may be a password in it.
_ENDPOINT_RULES: Final = [
    {
        "rule": "!has(self.endpoint) || "
        "!self.endpoint.matches('^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@')",
        "message": f"wanted is {_USERINFO_WANTED}",
        "fieldPath": ".endpoint",
    },
    {
        "rule": "!has(self.endpoint) || isURL(self.endpoint) && "
        "self.endpoint.matches('^https?://[^/?#]+(/[^?#]*)?$')",
        "message": f"wanted is {_URL_WANTED}",
        "fieldPath": ".endpoint",
    },
]


class Protocol(StrEnum):
    """As OTEL_EXPORTER_OTLP_PROTOCOL has them."""

    GRPC = "grpc"
    HTTP = "http/protobuf"


class Otlp(Model, json_schema_extra={"x-kubernetes-validations": _ENDPOINT_RULES}):
    """Where traces and metrics go."""

    endpoint: Endpoint | None = Field(
        default=None,
        description="The collector's address, such as http://collector.observability:4317. "
        "Unset: what OTEL_EXPORTER_OTLP_ENDPOINT says.",
    )
    protocol: Protocol | None = Field(
        default=None,
        description="Unset: what OTEL_EXPORTER_OTLP_PROTOCOL says.",
    )


class KeptnKeys(Model):
    """The keys of labels and annotations that carry Keptn's names."""

    context: Key = Field(default="keptn.sh/context", description="Default: keptn.sh/context.")
    project: Key = Field(default="keptn.sh/project", description="Default: keptn.sh/project.")
    stage: Key = Field(default="keptn.sh/stage", description="Default: keptn.sh/stage.")
    service: Key = Field(default="keptn.sh/service", description="Default: keptn.sh/service.")


ClusterName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^\S+$")]


class ObserverSpec(Model):
    """What is set here wins over the operator's flags and environment; the rest is theirs."""

    otlp: Otlp = Field(default=Otlp())
    namespace_selector: LabelSelector = Field(
        default=LabelSelector(match_labels={OBSERVE_LABEL: "enabled"}),
        description="Namespaces that are observed, by their labels. "
        f"Default: {OBSERVE_LABEL}=enabled. An empty selector observes all.",
    )
    keptn: KeptnKeys = Field(default=KeptnKeys())
    rollout_limit: Duration = Field(
        default=timedelta(minutes=30),
        description="How long a rollout is followed after which it counts as timed out. "
        "Default: 30m.",
    )
    stuck_after: Duration = Field(
        default=timedelta(minutes=15),
        description="How long Helm may be silent in an operation before it counts as stuck. "
        "Default: 15m.",
    )
    backfill: BackfillSetting = Field(
        default=Backfill(timedelta(hours=24)),
        description="How far back operations are told that happened before their namespace was "
        "observed: 24h, 7d, none or all. They become traces, and are not counted. Default: 24h.",
    )
    retention: Retention = Field(default=Retention())
    cluster_name: ClusterName | None = Field(
        default=None, description="The cluster's name in telemetry (k8s.cluster.name)."
    )
