"""Keptn's context and names, as labels, annotations and values carry them.

Source: keptn/keptn (shkeptncontext, helm-service), keptn/lifecycle-toolkit (pod webhook).
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

# Beyond a label's 63 characters a value comes from an annotation or a payload: bound it.
MAX_VALUE_CHARACTERS: Final = 256

# Source: keptn/lifecycle-toolkit, lifecycle-operator/apis/lifecycle/v1/common.
MAX_NAME_CHARACTERS: Final = 253
MIN_NAME_PART_CHARACTERS: Final = 80
MAX_VERSION_CHARACTERS: Final = 63

TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptnKeys:
    """The label and annotation keys that carry a delivery's names."""

    context: str = "keptn.sh/context"
    project: str = "keptn.sh/project"
    stage: str = "keptn.sh/stage"
    service: str = "keptn.sh/service"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptnContext:
    """Which delivery of Keptn something belongs to, as far as known."""

    context: str | None = None
    project: str | None = None
    stage: str | None = None
    service: str | None = None

    def or_else(self, weaker: "KeptnContext") -> "KeptnContext":
        """Fill from a weaker source what this one does not say."""
        return KeptnContext(
            context=self.context or weaker.context,
            project=self.project or weaker.project,
            stage=self.stage or weaker.stage,
            service=self.service or weaker.service,
        )

    @property
    def empty(self) -> bool:
        return not any(getattr(self, part.name) for part in fields(self))


NO_CONTEXT: Final = KeptnContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptnWorkload:
    """A workload's names as Keptn's own telemetry has them."""

    app: str
    workload: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParent:
    """A W3C traceparent of version 00. The ids are hex, and never all zeros."""

    trace_id: str
    span_id: str
    sampled: bool


def read_context(source: Mapping[str, str], keys: KeptnKeys) -> KeptnContext:
    """Read the delivery's names from labels or annotations."""

    def value(key: str) -> str | None:
        return source.get(key, "")[:MAX_VALUE_CHARACTERS] or None

    def shared(key: str) -> str | None:
        # Each is in thousands of facts. A context is not: one text for all would gain nothing.
        found = value(key)
        return sys.intern(found) if found else None

    return KeptnContext(
        context=value(keys.context),
        project=shared(keys.project),
        stage=shared(keys.stage),
        service=shared(keys.service),
    )


def read_object_context(
    annotations: Mapping[str, str], labels: Mapping[str, str], keys: KeptnKeys
) -> KeptnContext:
    """Read from an object's annotations, then its labels."""
    return read_context(annotations, keys).or_else(read_context(labels, keys))


def read_values_context(values: Mapping[str, Any]) -> KeptnContext:
    """Read `keptn.{project,stage,service}` from a release's values (Keptn v1's helm-service)."""
    keptn = values.get("keptn")
    if not isinstance(keptn, Mapping):
        return KeptnContext()
    named = {
        part: found[:MAX_VALUE_CHARACTERS].encode(errors="replace").decode()
        for part in ("project", "stage", "service")
        if isinstance(found := keptn.get(part), str) and found
    }
    return KeptnContext(**named)


def parse_traceparent(text: str | None) -> TraceParent | None:
    """Read a W3C traceparent; `None` where it is missing or invalid.

    Source: W3C Trace Context, "traceparent Header".
    """
    match = TRACEPARENT.fullmatch(text or "")
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return TraceParent(trace_id=match[1], span_id=match[2], sampled=bool(int(match[3], 16) & 1))


def read_workload(
    template: Mapping[str, Any], workload: Mapping[str, Any], images: Mapping[str, str]
) -> KeptnWorkload | None:
    """Name a workload as Keptn's webhook names it; `None` where nothing names it.

    `template` and `workload` are metadata (labels, annotations) of the pod template and of
    its owner, which is consulted only if the template has no workload key. `images` are the
    template's containers and their images.
    """
    for meta in (template, workload):
        name = _key(meta, "workload", "name")
        if name is None:
            continue
        app = _normal(_key(meta, "app", "part-of") or name)
        version = _key(meta, "version", "version")
        if version is None:
            container = _annotation_or_label(meta, "keptn.sh/container")
            version = image_tag(images.get(container or "", ""))
        return KeptnWorkload(
            app=app,
            workload=_resource_name(app, _normal(name)),
            version=version[:MAX_VERSION_CHARACTERS].lower() if version else None,
        )
    return None


def image_tag(image: str) -> str | None:
    """Return an image's tag; `None` without one, or where a digest stands in its place."""
    name = image.rpartition("/")[2]
    if "@" in name:
        return None
    return name.partition(":")[2] or None


def _key(meta: Mapping[str, Any], keptn: str, recommended: str) -> str | None:
    return _annotation_or_label(meta, f"keptn.sh/{keptn}") or _annotation_or_label(
        meta, f"app.kubernetes.io/{recommended}"
    )


def _annotation_or_label(meta: Mapping[str, Any], key: str) -> str | None:
    for source in ("annotations", "labels"):
        found = meta.get(source)
        value = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(value, str) and value:
            return value[:MAX_VALUE_CHARACTERS]
    return None


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def _resource_name(app: str, workload: str) -> str:
    """Join both; where that is too long, the app's name gives way first."""
    excess = len(app) + 1 + len(workload) - MAX_NAME_CHARACTERS
    if excess > 0:
        app = app[: max(MIN_NAME_PART_CHARACTERS, len(app) - excess)]
    return f"{app}-{workload}"[:MAX_NAME_CHARACTERS]
