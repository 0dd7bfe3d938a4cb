"""The CustomResourceDefinition, made of the models: `python -m helmwake.settings.crd`.

It has no defaults on purpose. The apiserver would write them into every
resource, as if someone had set them, and they would win over flags and
environment. The descriptions name them instead.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final

from helmwake.settings.spec import ObserverSpec
from helmwake.settings.status import ObserverStatus
from helmwake.structural import structural, to_yaml

GROUP: Final = "helmwake.dev"
VERSION: Final = "v1alpha1"
KIND: Final = "ReleaseObserver"
PLURAL: Final = "releaseobservers"
NAME: Final = "default"
HEADER: Final = (
    "# Made by `python -m helmwake.settings.crd` from the models in helmwake.settings.\n"
)


def render() -> str:
    return HEADER + to_yaml(definition())


def definition() -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{PLURAL}.{GROUP}",
            "labels": {"app.kubernetes.io/name": "helmwake"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                # Not `ro`: that is Argo's Rollout.
                "shortNames": ["relobs"],
                "categories": ["helmwake"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [*_columns()],
                    "schema": {"openAPIV3Schema": _resource()},
                }
            ],
        },
    }


def _columns() -> Iterator[dict[str, Any]]:
    for name in ("Ready", "Delivering"):
        path = f".status.conditions[?(@.type=='{name}')].status"
        yield {"name": name, "type": "string", "jsonPath": path}
    yield {"name": "Endpoint", "type": "string", "jsonPath": ".spec.otlp.endpoint"}
    # In the wide view alone: it is long.
    error = {"name": "Error", "type": "string", "jsonPath": ".status.lastError"}
    yield {**error, "priority": 1}
    yield {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "How the operator observes this cluster. There is one, named `default`; "
        "a change of it applies at once.",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(ObserverSpec),
            "status": structural(ObserverStatus),
        },
        "x-kubernetes-validations": [
            {
                "rule": f"self.metadata.name == '{NAME}'",
                "message": f"there is one ReleaseObserver, and its name is {NAME}",
            }
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(render())
