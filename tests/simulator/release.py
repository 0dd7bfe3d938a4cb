"""One release record as Helm holds it in memory, and its bytes in storage."""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

TEST: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSpec:
    """A hook of a chart: what runs it, in which order, and for how long."""

    name: str
    events: tuple[str, ...]
    weight: int = 0
    kind: str = "Job"
    seconds: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is delivered. `ready_after` None: its pods never become ready."""

    name: str = "cart"
    version: str = "1.0.0"
    image: str = "1.0"
    deployments: tuple[str, ...] = ("cart",)
    replicas: int = 2
    ready_after: float | None = 8.0
    hooks: tuple[HookSpec, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "apiVersion": "v2",
            "appVersion": self.image,
        }
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        empty: dict[str, Any] = {
            "lock": None,
            "templates": [],
            "values": {},
            "schema": None,
            "files": [],
        }
        return {"metadata": metadata, **empty}


@dataclass(slots=True, kw_only=True)
class Hook:
    """A hook in a record: its spec and the one slot for its last run."""

    spec: HookSpec
    started_at: str = ""
    completed_at: str = ""
    phase: str = ""

    def as_json(self, *, namespace: str, helm: int) -> dict[str, Any]:
        spec = self.spec
        head = {
            "apiVersion": "v1" if spec.kind == "Pod" else "batch/v1",
            "kind": spec.kind,
            "metadata": {"name": spec.name, "namespace": namespace},
        }
        hook: dict[str, Any] = {
            "name": spec.name,
            "kind": spec.kind,
            "path": f"templates/{spec.name}.yaml",
            "manifest": json.dumps(head),
            "events": list(spec.events),
            "last_run": {
                "started_at": self.started_at,
                "completed_at": self.completed_at,
                "phase": self.phase,
            },
            "weight": spec.weight,
            "delete_policies": ["before-hook-creation"],
        }
        if helm >= 4:
            hook["last_run"] = {k: v for k, v in hook["last_run"].items() if v or k == "phase"}
        return {k: v for k, v in hook.items() if v != 0}


@dataclass(slots=True, kw_only=True)
class Info:
    first_deployed: str
    last_deployed: str
    deleted: str = ""
    description: str = ""
    status: str = "unknown"
    rollback_revision: int = 0

    def as_json(self, *, helm: int) -> dict[str, Any]:
        info: dict[str, Any] = {
            "first_deployed": self.first_deployed,
            "last_deployed": self.last_deployed,
            "deleted": self.deleted,
            "description": self.description,
            "status": self.status,
        }
        if helm >= 4:
            if not self.deleted:
                del info["deleted"]
            if self.rollback_revision:
                info["rollback_revision"] = self.rollback_revision
        return info


@dataclass(slots=True, kw_only=True)
class Release:
    """One revision. `labels` are what Helm carries, system labels too once read back."""

    name: str
    namespace: str
    version: int
    info: Info
    chart: Chart
    config: dict[str, Any] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    apply_method: str = ""

    def copy(self) -> "Release":
        return replace(
            self,
            info=replace(self.info),
            hooks=[replace(hook) for hook in self.hooks],
            labels=dict(self.labels),
        )

    def set_status(self, status: str, description: str | None = None) -> None:
        self.info.status = status
        if description is not None:
            self.info.description = description

    def as_json(self, *, helm: int) -> dict[str, Any]:
        release: dict[str, Any] = {
            "name": self.name,
            "info": self.info.as_json(helm=helm),
            "chart": self.chart.as_json(),
            "config": self.config,
            "manifest": self._manifest(),
            "hooks": [hook.as_json(namespace=self.namespace, helm=helm) for hook in self.hooks],
            "version": self.version,
            "namespace": self.namespace,
        }
        if helm >= 4:
            release["apply_method"] = self.apply_method
        return {k: v for k, v in release.items() if v not in ({}, [], "")}

    def _manifest(self) -> str:
        docs = (
            f"---\n# Source: {self.chart.name}/templates/{name}.yaml\napiVersion: apps/v1\n"
            f"kind: Deployment\nmetadata:\n  name: {name}\n# image {self.chart.image}\n"
            for name in self.chart.deployments
        )
        return "".join(docs)


def encode(release: Release, *, helm: int) -> str:
    """Pack a release as Helm does: base64 of gzip of JSON.

    Source: helm/helm, pkg/storage/driver/util.go, encodeRelease.
    """
    text = json.dumps(release.as_json(helm=helm), separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def decode(record: Mapping[str, Any]) -> dict[str, Any]:
    """Unpack the payload of a Secret or ConfigMap as the API gives it."""
    text: str = record["data"]["release"]
    if record["kind"] == "Secret":
        text = base64.b64decode(text).decode()
    payload: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return payload


def client_time(moment: datetime, *, helm: int) -> str:
    """Format a time as Go writes a client's: local offset, up to nine digits, no zeros behind."""
    local = moment.isoformat(timespec="microseconds")
    body, offset = local[:26], local[26:]
    digits = (body + ("147" if helm >= 4 else "021")).rstrip("0")
    return digits + ("Z" if offset == "+00:00" else offset)


def moment(text: str) -> datetime:
    """Read a time that `client_time` wrote, to the microsecond."""
    return datetime.fromisoformat(text)
