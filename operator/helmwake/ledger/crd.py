"""The CustomResourceDefinition, made of the models: `python -m helmwake.ledger.crd`."""

import sys
from typing import Any, Final

from helmwake.definitions import OBJECT_PROPERTIES, column, custom_resource_definition
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
    return custom_resource_definition(
        group=GROUP,
        version=VERSION,
        scope="Namespaced",
        kind=KIND,
        plural=PLURAL,
        short_name="rt",
        columns=[
            column(name, path, kind=kind, priority=priority)
            for name, kind, path, priority in COLUMNS
        ],
        schema=_resource(),
        selectable=SELECTABLE,
    )


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "One operation of Helm's (install, upgrade, rollback, uninstall or test), "
        "what its trace is made from, and whether a backend has it. The operator writes it.",
        "required": ["spec"],
        "properties": {
            **OBJECT_PROPERTIES,
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
