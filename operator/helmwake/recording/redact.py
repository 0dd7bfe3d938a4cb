"""What of an object may be in a recording: for each kind an allow-list, for others nothing.

Environment, arguments, volumes, values and manifests are named by none of them.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from helmwake.facts.helm import is_record
from helmwake.facts.meta import mapping
from helmwake.facts.workloads import TEMPLATE_HASH
from helmwake.recording.release_shape import reduce_payload
from helmwake.recording.shapes import DROPPED, Shape, each, fields, scalar, text, texts, whole

MAX_TEXT_CHARACTERS: Final = 1024
NAMESPACE_ANNOTATIONS: Final = ("keptn.sh/", "helmwake.dev/")
WORKLOAD_ANNOTATIONS: Final = (
    "meta.helm.sh/",
    "deployment.kubernetes.io/revision",
    "keptn.sh/",
    "app.kubernetes.io/",
)
POD_ANNOTATIONS: Final = ("keptn.sh/", "app.kubernetes.io/")

message = text(MAX_TEXT_CHARACTERS)
labels = texts("", limit=MAX_TEXT_CHARACTERS)


def metadata_of(*annotations: str) -> Shape:
    """Keep what names an object and dates it, and its annotations with these prefixes."""
    shapes: dict[str, Shape] = dict.fromkeys(
        (
            "name",
            "generateName",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ),
        scalar,
    )
    shapes["labels"] = labels
    # Who wrote when; `fieldsV1`, what was written, is long and may have keys of a secret's data.
    shapes["managedFields"] = _named("manager", "operation", "time", "subresource", many=True)
    shapes["ownerReferences"] = _named(
        "apiVersion", "kind", "name", "uid", "controller", many=True
    )
    if annotations:
        shapes["annotations"] = texts(*annotations, limit=MAX_TEXT_CHARACTERS)
    return fields(shapes)


def _named(*names: str, many: bool = False) -> Shape:
    shape = fields(dict.fromkeys(names, scalar))
    return each(shape) if many else shape


def _object(**shapes: Shape) -> Shape:
    return fields({"apiVersion": scalar, "kind": scalar, **shapes})


CONTAINERS: Final = _named("name", "image", many=True)
TEMPLATE: Final = fields(
    {
        "metadata": fields(
            {
                "labels": labels,
                "annotations": texts(*POD_ANNOTATIONS, limit=MAX_TEXT_CHARACTERS),
            }
        ),
        "spec": fields({"containers": CONTAINERS, "initContainers": CONTAINERS}),
    }
)


def template(value: Any) -> Any:
    """Cut the pod template, and leave its hash there: it tells a rollout from other changes."""
    kept = TEMPLATE(value)
    if kept is DROPPED:
        return DROPPED
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    meta = dict(mapping(kept, "metadata"))
    meta["annotations"] = {
        **mapping(meta, "annotations"),
        TEMPLATE_HASH: hashlib.sha256(canonical.encode()).hexdigest(),
    }
    return {**kept, "metadata": meta}


# An application writes its own termination message: that is left out.
CONTAINER_STATE: Final = fields(
    {
        "waiting": fields({"reason": scalar, "message": message}),
        "running": _named("startedAt"),
        "terminated": _named("exitCode", "signal", "reason", "startedAt", "finishedAt"),
    }
)
CONTAINER_STATUSES: Final = each(
    fields(
        {
            **dict.fromkeys(
                ("name", "ready", "started", "restartCount", "image", "imageID"), scalar
            ),
            "state": CONTAINER_STATE,
            "lastState": CONTAINER_STATE,
        }
    )
)
RECORD: Final = _object(type=scalar, metadata=metadata_of())

SHAPES: Final[Mapping[str, Shape]] = {
    "Namespace": _object(metadata=metadata_of(*NAMESPACE_ANNOTATIONS), status=_named("phase")),
    "Deployment": _object(
        metadata=metadata_of(*WORKLOAD_ANNOTATIONS),
        spec=fields(
            {
                "replicas": scalar,
                "paused": scalar,
                "progressDeadlineSeconds": scalar,
                "selector": whole,
                "strategy": whole,
                "template": template,
            }
        ),
        status=whole,
    ),
    "ReplicaSet": _object(
        metadata=metadata_of(*WORKLOAD_ANNOTATIONS),
        spec=fields({"replicas": scalar, "selector": whole, "template": template}),
        status=whole,
    ),
    "Pod": _object(
        metadata=metadata_of(*POD_ANNOTATIONS),
        spec=fields(
            {
                "nodeName": scalar,
                "restartPolicy": scalar,
                "containers": CONTAINERS,
                "initContainers": CONTAINERS,
            }
        ),
        status=fields(
            {
                "phase": scalar,
                "reason": scalar,
                "message": message,
                "startTime": scalar,
                "conditions": whole,
                "initContainerStatuses": CONTAINER_STATUSES,
                "containerStatuses": CONTAINER_STATUSES,
            }
        ),
    ),
    "Job": _object(
        metadata=metadata_of(*WORKLOAD_ANNOTATIONS),
        spec=_named(
            "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "suspend"
        ),
        status=whole,
    ),
    "Event": _object(
        metadata=metadata_of(),
        involvedObject=_named("apiVersion", "kind", "namespace", "name", "uid", "fieldPath"),
        reason=scalar,
        message=message,
        type=scalar,
        count=scalar,
        firstTimestamp=scalar,
        lastTimestamp=scalar,
        eventTime=scalar,
        series=_named("count", "lastObservedTime"),
        source=_named("component", "host"),
        reportingComponent=scalar,
    ),
}


def redact(obj: Mapping[str, Any]) -> dict[str, Any] | None:
    """Reduce an object to what facts use; `None` where that is nothing at all."""
    kind = str(obj.get("kind"))
    if kind in {"Secret", "ConfigMap"}:
        return _redact_record(obj) if is_record(obj) else None
    shape = SHAPES.get(kind)
    if shape is None:
        return None
    kept: dict[str, Any] = shape(obj)
    return kept


def _redact_record(obj: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = RECORD(obj)
    # Metadata alone, as in a watch of metadata, has none to begin with.
    payload = reduce_payload(obj) if obj.get("data") else None
    if payload is not None:
        kept["data"] = {"release": payload}
    return kept
