"""Objects as an apiserver writes them, each field to be changed by a test."""

import base64
import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from helmwake.facts.change import Change, ChangeType, Origin

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARKER: Final = "marker-c0ffee"  # stands for a secret: it may come out nowhere


def seen(
    obj: Mapping[str, Any],
    kind: ChangeType = ChangeType.MODIFIED,
    origin: Origin = Origin.WATCHED,
) -> Change:
    return Change(type=kind, object=obj, seen=NOON, origin=origin)


def record_object(
    *, kind: str = "Secret", labels: Mapping[str, Any] | None = None, **meta: Any
) -> dict[str, Any]:
    """Metadata of a record; a field of `meta` that is `None` is left out."""
    helms = {"name": "cart", "owner": "helm", "status": "deployed", "version": "3"}
    fields = {
        "name": "sh.helm.release.v1.cart.v3",
        "namespace": "shop",
        "uid": "uid-3",
        "resourceVersion": "103",
        "creationTimestamp": "2026-11-23T11:59:00Z",
        "labels": {**helms, **(labels or {})},
        "managedFields": [
            {"manager": "helm", "operation": "Update", "time": "2026-11-23T11:59:30Z"}
        ],
        **meta,
    }
    return {"kind": kind, "metadata": {k: v for k, v in fields.items() if v is not None}}


def release_json(**fields: Any) -> dict[str, Any]:
    """What Helm stores, with a marker wherever a secret may stand."""
    return {
        "name": "cart",
        "namespace": "shop",
        "version": 3,
        "info": {
            "first_deployed": "2026-11-23T10:00:00.123456789+01:00",
            "last_deployed": "2026-11-23T12:59:00.5+01:00",
            "deleted": "",
            "description": "Upgrade complete",
            "status": "deployed",
            "notes": f"log in with {MARKER}",
        },
        "chart": {
            "metadata": {"name": "cart", "version": "1.2.0", "appVersion": "7"},
            "values": {"password": MARKER},
            "templates": [{"name": "t", "data": MARKER}],
        },
        "config": {"password": MARKER, "keptn": {"project": "sockshop", "stage": "dev"}},
        "manifest": f"kind: Secret\nstringData:\n  password: {MARKER}\n",
        "hooks": [],
        **fields,
    }


def packed(
    release: object, *, kind: str = "Secret", compress: bool = True, text: bytes | None = None
) -> dict[str, Any]:
    """Store a release as Helm does: JSON, gzip, base64, and the API's base64 for a Secret."""
    plain = json.dumps(release).encode() if text is None else text
    stored = base64.b64encode(gzip.compress(plain, mtime=0) if compress else plain)
    if kind == "Secret":
        stored = base64.b64encode(stored)
    return stored_as(stored.decode(), kind=kind)


def stored_as(stored: object, *, kind: str = "Secret") -> dict[str, Any]:
    return {**record_object(kind=kind), "data": {"release": stored}}


def deployment_object(**meta: Any) -> dict[str, Any]:
    fields = {
        "name": "cart",
        "namespace": "shop",
        "uid": "uid-d",
        "resourceVersion": "50",
        "generation": 2,
        "creationTimestamp": "2026-11-23T10:00:00Z",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {
            "meta.helm.sh/release-name": "cart",
            "meta.helm.sh/release-namespace": "shop",
        },
        **meta,
    }
    template = {
        "metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "cart", "image": "shop/cart:3"}]},
    }
    return {
        "kind": "Deployment",
        "metadata": {k: v for k, v in fields.items() if v is not None},
        "spec": {"replicas": 3, "template": template},
        "status": {},
    }
