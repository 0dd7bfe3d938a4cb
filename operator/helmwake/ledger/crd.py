"""The CustomResourceDefinition, made of the models: `python -m helmwake.ledger.crd`."""

import sys
from typing import Any, Final

from helmwake.ledger.resource import GROUP, KIND, PLURAL, VERSION
from helmwake.ledger.schema import TraceSpec, TraceStatus
from helmwake.structural import structural, to_yaml

HEADER: Final = "# Made by `python -m helmwake.ledger.crd` from the models in helmwake.ledger.\n"
# Columns of `kubectl get rt`, to fit into 160 characters with a UUID for a context. Those of
# priority 1 come with `-o wide`: an entry's name begins with its release and revision.
COLUMNS: Final = (
    ("Namespace", "string", ".spec.release.namespace", 0),
    ("Release", "string", ".spec.release.name", 1),
    ("Revision", "integer", ".spec.revision", 1),
    ("Operation", "string", ".spec.operation", 0),
    ("Result", "string", ".status.result", 0),
    ("Cause", "string", ".status.error", 0),
    ("Duration", "string", ".status.duration", 0),
    ("Keptn Context", "string", ".status.keptn.context", 0),
    ("State", "string", ".status.state", 1),
    ("Trace Id", "string", ".status.traceId", 1),
    ("Message", "string", ".status.cause", 1),
    # The operation's, not the object's: history is written down late.
    ("Age", "date", ".status.started", 0),
)
# `kubectl get rt --field-selector`, since Kubernetes 1.32. The apiserver takes eight, each a
# text, an integer or a boolean outside of lists (KEP-4358).
SELECTABLE: Final = (
    ".spec.release.namespace",
    ".spec.release.name",
    ".spec.revision",
    ".spec.operation",
    ".status.state",
    ".status.result",
    ".status.keptn.context",
    ".status.traceId",
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
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["rt"],
                "categories": ["helmwake"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in COLUMNS],
                    "selectableFields": [{"jsonPath": path} for path in SELECTABLE],
                    "schema": {"openAPIV3Schema": _resource()},
                }
            ],
        },
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    column = {"name": name, "type": kind, "jsonPath": path}
    return column | {"priority": priority} if priority else column


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One operation of Helm's (install, upgrade, rollback, uninstall or test), "
        "what its trace is made from, and whether a backend has it. The operator writes it.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {
                **structural(TraceSpec),
                "x-kubernetes-validations": [
                    {"rule": "self == oldSelf", "message": "an operation stays the one it is"}
                ],
            },
            # Whatever is missing in a status, it must be possible to say that it is unreadable.
            "status": {**structural(TraceStatus), "required": ["state"]},
        },
    }


if __name__ == "__main__":
    sys.stdout.write(render())
