"""Objects as an apiserver returns them, with a marker wherever a secret could be."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

SECRET = "hunter2-marker"
CREATED = "2026-11-23T14:02:11Z"


def release(revision: int = 1, **fields: Any) -> dict[str, Any]:
    """Build a release's JSON as Helm stores it, whole."""
    return {
        "name": "cart",
        "namespace": "shop",
        "version": revision,
        "info": {
            "first_deployed": "2026-11-23T14:02:11.123456789+01:00",
            "last_deployed": "2026-11-23T14:02:11.123456789+01:00",
            "deleted": "",
            "description": "Install complete",
            "status": "deployed",
            "notes": SECRET,
        },
        "chart": {
            "metadata": {
                "name": "cart",
                "version": "1.4.2",
                "appVersion": "2.0",
                "annotations": {"org.opencontainers.image.revision": "abc", "other": SECRET},
            },
            "templates": [{"name": "t", "data": SECRET}],
            "values": {"password": SECRET},
        },
        "config": {
            "password": SECRET,
            "keptn": {"project": "sockshop", "stage": "prod", "service": "cart", "x": SECRET},
        },
        "manifest": f"kind: Secret\ndata: {SECRET}",
        "hooks": [
            {
                "name": "migrate",
                "kind": "Job",
                "path": "cart/templates/migrate.yaml",
                "manifest": (
                    "# Source: cart/templates/migrate.yaml\napiVersion: batch/v1\nkind: Job\n"
                    "metadata:\n  labels:\n    namespace: decoy\n  name: migrate\n"
                    f'  namespace: "jobs"\nspec:\n  env: {SECRET}\n'
                ),
                "events": ["pre-upgrade"],
                "weight": 5,
                "last_run": {"started_at": CREATED, "completed_at": "", "phase": "Running"},
                "delete_policies": ["before-hook-creation"],
            }
        ],
        **fields,
    }


def packed(payload: Mapping[str, Any]) -> str:
    """Pack for a ConfigMap; a Secret has one base64 more."""
    return base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()


def record(
    revision: int = 1, *, name: str = "cart", kind: str = "Secret", **meta: Any
) -> dict[str, Any]:
    text = packed(release(revision))
    if kind == "Secret":
        text = base64.b64encode(text.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": kind,
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{revision}",
            "namespace": "shop",
            "uid": f"uid-{name}-{revision}",
            "resourceVersion": "7",
            "creationTimestamp": CREATED,
            "labels": {"owner": "helm", "name": name, "status": "deployed", "team": "carts"},
            "annotations": {"note": SECRET},
            "managedFields": [
                {
                    "manager": "helm",
                    "operation": "Update",
                    "time": CREATED,
                    "fieldsV1": {"f:data": {f"f:{SECRET}": {}}},
                }
            ],
            **meta,
        },
        "data": {"release": text, "more": SECRET},
    }


def namespace(name: str = "shop", **meta: Any) -> dict[str, Any]:
    return {
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": "u",
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "labels": {"helmwake.dev/observe": "enabled"},
            "annotations": {"keptn.sh/context": "c", "other": SECRET},
            **meta,
        },
        "status": {"phase": "Active", "other": SECRET},
    }


def template(*, password: str = SECRET) -> dict[str, Any]:
    return {
        "metadata": {
            "labels": {"app": "cart"},
            "annotations": {"keptn.sh/version": "1", "checksum": SECRET},
        },
        "spec": {
            "containers": [
                {
                    "name": "cart",
                    "image": "shop/cart:3",
                    "args": [password],
                    "env": [{"name": "P", "value": password}],
                }
            ],
            "volumes": [{"name": SECRET}],
        },
    }


def deployment(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "cart",
            "namespace": "shop",
            "uid": "u-cart",
            "generation": 2,
            "creationTimestamp": CREATED,
            "labels": {"app": "cart"},
            "annotations": {
                "meta.helm.sh/release-name": "cart",
                "deployment.kubernetes.io/revision": "2",
                "kubectl.kubernetes.io/last-applied-configuration": SECRET,
            },
        },
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "cart"}},
            "strategy": {"type": "RollingUpdate"},
            "template": template(),
            "other": SECRET,
            **spec,
        },
        "status": {
            "replicas": 2,
            "conditions": [
                {
                    "type": "Progressing",
                    "status": "True",
                    "lastUpdateTime": "2026-11-23T14:02:30Z",
                    "lastTransitionTime": "2026-11-23T14:02:20Z",
                }
            ],
        },
    }


def event(obj: Mapping[str, Any], *, type_: str = "ADDED", **fields: Any) -> dict[str, Any]:
    return {"type": type_, "object": obj, **fields}
