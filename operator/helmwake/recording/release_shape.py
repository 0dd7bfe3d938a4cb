"""What of a Helm release's payload may be in a recording, and how it is packed again."""

import base64
import gzip
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from helmwake.facts.descriptions import safe_description
from helmwake.facts.identity import Driver
from helmwake.facts.payload import unpack_object
from helmwake.recording.shapes import (
    DROPPED,
    MAX_VALUE_CHARACTERS,
    Shape,
    each,
    fields,
    scalar,
    text,
    texts,
)

CHART_ANNOTATIONS: Final = ("keptn.sh/", "helmwake.dev/", "org.opencontainers.image.")
KEPTN_VALUES: Final = ("project", "stage", "service", "deployment")
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
KIND: Final = re.compile(r"[A-Za-z]{1,63}")
NAMESPACE: Final = re.compile(r"namespace:\s*[\"']?([a-z0-9][-a-z0-9]{0,62})[\"']?(?:\s+#.*)?")


def description(value: Any) -> Any:
    """Failures are what a recording is for, but their texts may quote a line of a manifest."""
    return safe_description(value) if isinstance(value, str) else DROPPED


INFO: Final = fields(
    {
        "first_deployed": scalar,
        "last_deployed": scalar,
        "deleted": scalar,
        "description": description,
        "status": scalar,
        "rollback_revision": scalar,
    }
)
CHART: Final = fields(
    {
        "metadata": fields(
            {
                "name": scalar,
                "version": scalar,
                "appVersion": scalar,
                "annotations": texts(*CHART_ANNOTATIONS, limit=MAX_VALUE_CHARACTERS),
            }
        )
    }
)
HOOK_FIELDS: Final = fields(
    {
        "name": scalar,
        "kind": scalar,
        "path": text(1024),
        "events": each(scalar),
        "weight": scalar,
        "last_run": fields({"started_at": scalar, "completed_at": scalar, "phase": scalar}),
    }
)


def hook(value: Any) -> Any:
    kept = HOOK_FIELDS(value)
    if kept is not DROPPED:
        kept["manifest"] = _minimal_manifest(value)
    return kept


RELEASE: Final[Shape] = fields(
    {
        "name": scalar,
        "namespace": scalar,
        "version": scalar,
        "info": INFO,
        "chart": CHART,
        "hooks": each(hook),
        "config": fields({"keptn": fields(dict.fromkeys(KEPTN_VALUES, scalar))}),
    }
)


def reduce_payload(obj: Mapping[str, Any]) -> str | None:
    """Return the reduced payload of a Helm record, packed; `None` where it cannot be read."""
    try:
        release = unpack_object(obj)
    except ValueError:  # PayloadError, or a number of more digits than Python reads
        # What cannot be read cannot be reduced.
        return None
    return pack_release(RELEASE(release), driver=Driver(obj["kind"]))


def pack_object(obj: Mapping[str, Any], release: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Secret or ConfigMap with a release as its payload: `unpack_object` undone."""
    return {**obj, "data": {"release": pack_release(release, driver=Driver(obj["kind"]))}}


def pack_release(release: Mapping[str, Any], *, driver: Driver) -> str:
    """Pack as Helm does, and always the same way.

    Source: helm/helm, pkg/storage/driver/util.go, encodeRelease.
    """
    plain = json.dumps(release, separators=(",", ":")).encode()
    packed = base64.b64encode(gzip.compress(plain, mtime=0))
    if driver is Driver.SECRET:
        packed = base64.b64encode(packed)  # the API's own, around every Secret's data
    return packed.decode("ascii")


def _minimal_manifest(value: Mapping[str, Any]) -> str:
    """Name the hook's object, by which its Job is found, and say nothing else of it."""
    kind, name = str(value.get("kind")), str(value.get("name"))
    namespace = _namespace(str(value.get("manifest") or ""))
    lines = [f"kind: {kind}"] if KIND.fullmatch(kind) else []
    lines.append("metadata:")
    if NAME.fullmatch(name):
        lines.append(f"  name: {name}")
    if namespace:
        lines.append(f"  namespace: {namespace}")
    return "\n".join(lines) + "\n"


def _namespace(manifest: str) -> str | None:
    """Find `metadata.namespace` in block-style YAML, which is what Helm stores.

    One line of it does not make a YAML parser worth its while.
    """
    inside, indent = False, 0
    for line in manifest.splitlines():
        bare = line.strip()
        depth = len(line) - len(line.lstrip())
        if not bare or bare.startswith("#"):
            continue
        if not depth:
            inside, indent = bare.partition("#")[0].strip() == "metadata:", 0
        elif inside:
            indent = indent or depth
            if depth == indent and (match := NAMESPACE.fullmatch(bare)):
                return match[1]
    return None
