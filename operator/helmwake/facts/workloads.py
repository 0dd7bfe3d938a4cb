"""Workloads that Helm manages, each reduced to what tells a rollout."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from helmwake.facts.identity import ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import (
    KeptnContext,
    KeptnKeys,
    KeptnWorkload,
    read_object_context,
    read_workload,
)
from helmwake.facts.meta import items, mapping, metadata, number, text, texts
from helmwake.facts.times import last_write, parse_time

RELEASE_NAME: Final = "meta.helm.sh/release-name"
RELEASE_NAMESPACE: Final = "meta.helm.sh/release-namespace"
TEMPLATE_HASH: Final = "helmwake.dev/template-hash"  # in recordings, whose templates are cut
# Whatever Helm's binary is called, it says `helm`; Flux's says `helm-controller`.
HELM_MANAGERS: Final = frozenset({"helm", "helm-controller"})
MAX_MESSAGE_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    true: bool
    reason: str
    message: str
    updated: datetime | None  # when it last changed, or said so


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload at one moment. Replica counts are those of its status but for `wanted`."""

    key: WorkloadKey
    uid: str
    resource_version: str
    release: ReleaseKey  # its release's namespace and name, not its records'
    created: datetime
    applied: datetime | None  # Helm's last write to it, to a second
    written: datetime | None  # anybody's, status and scale apart
    template: str  # hash of the pod template
    generation: int
    observed_generation: int
    paused: bool
    wanted: int
    replicas: int
    updated: int
    available: int
    progressing: Condition | None
    replica_failure: Condition | None
    keptn: KeptnContext
    names: KeptnWorkload | None
    seen: datetime
    origin: Origin = Origin.WATCHED
    gone: bool = False


def parse_workload(change: Change, *, keys: KeptnKeys) -> Workload | None:
    """Read a workload; `None` where it does not name the release it belongs to.

    Raises:
        BadObjectError: a name, uid or time is missing.
    """
    obj, meta = change.object, metadata(change.object)
    annotations = texts(meta, "annotations")
    release_name = annotations.get(RELEASE_NAME)
    if not release_name:
        return None
    namespace = text(meta, "namespace")
    created = parse_time(meta.get("creationTimestamp"))
    if created is None:
        raise BadObjectError(meta, path="metadata.creationTimestamp", wanted="a time")
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    template = mapping(spec, "template")
    pod = mapping(template, "metadata")
    images = {
        str(container.get("name")): str(container.get("image"))
        for container in items(template, "spec", "containers")
    }
    return Workload(
        key=WorkloadKey(WorkloadKind(str(obj.get("kind"))), namespace, text(meta, "name")),
        uid=text(meta, "uid"),
        resource_version=text(meta, "resourceVersion"),
        release=ReleaseKey(annotations.get(RELEASE_NAMESPACE) or namespace, release_name),
        created=created,
        applied=_applied(meta),
        written=last_write(items(meta, "managedFields")),
        template=_template_hash(template),
        generation=number(meta, "generation"),
        observed_generation=number(status, "observedGeneration"),
        paused=spec.get("paused") is True,
        wanted=number(spec, "replicas", default=1),
        replicas=number(status, "replicas"),
        updated=number(status, "updatedReplicas"),
        available=number(status, "availableReplicas"),
        progressing=_condition(status, "Progressing"),
        replica_failure=_condition(status, "ReplicaFailure"),
        keptn=read_object_context(texts(pod, "annotations"), texts(pod, "labels"), keys).or_else(
            read_object_context(annotations, texts(meta, "labels"), keys)
        ),
        names=read_workload(pod, meta, images),
        seen=change.seen,
        origin=change.origin,
        gone=change.type is ChangeType.DELETED,
    )


def _applied(meta: Mapping[str, Any]) -> datetime | None:
    times = (
        parse_time(entry.get("time"))
        for entry in items(meta, "managedFields")
        if entry.get("manager") in HELM_MANAGERS and not entry.get("subresource")
    )
    return max((time for time in times if time is not None), default=None)


def _template_hash(template: Mapping[str, Any]) -> str:
    recorded = texts(template, "metadata", "annotations").get(TEMPLATE_HASH)
    if recorded:
        return recorded
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _condition(status: Mapping[str, Any], kind: str) -> Condition | None:
    for condition in items(status, "conditions"):
        if condition.get("type") == kind:
            return Condition(
                true=condition.get("status") == "True",
                reason=str(condition.get("reason") or ""),
                message=str(condition.get("message") or "")[:MAX_MESSAGE_CHARACTERS],
                updated=parse_time(condition.get("lastUpdateTime")),
            )
    return None
