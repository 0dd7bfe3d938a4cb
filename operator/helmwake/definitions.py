"""What all our CustomResourceDefinitions have in common: one version, with a status."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

# What every object has beside its spec and status, in its schema.
OBJECT_PROPERTIES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
)


def custom_resource_definition(
    *,
    group: str,
    version: str,
    scope: Literal["Cluster", "Namespaced"],
    kind: str,
    plural: str,
    short_name: str,
    columns: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    selectable: Sequence[str] = (),
) -> dict[str, Any]:
    """Make the whole object; `selectable` are the paths for field selectors.

    Source: Kubernetes API reference, CustomResourceDefinition v1.
    """
    fields = {"selectableFields": [{"jsonPath": path} for path in selectable]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "labels": {"app.kubernetes.io/name": "helmwake"},
        },
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": ["helmwake"],
            },
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": list(columns),
                    **(fields if selectable else {}),
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def column(name: str, path: str, *, kind: str = "string", priority: int = 0) -> dict[str, Any]:
    """Make a column of `kubectl get`; with a priority above 0 it comes with `-o wide` alone."""
    made = {"name": name, "type": kind, "jsonPath": path}
    return made | {"priority": priority} if priority else made
