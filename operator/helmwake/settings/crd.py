"""The CustomResourceDefinition, made of the models: `python -m helmwake.settings.crd`.

It has no defaults on purpose. The apiserver would write them into every
resource, as if someone had set them, and they would win over flags and
environment. The descriptions name them instead.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final

from helmwake.definitions import OBJECT_PROPERTIES, column, custom_resource_definition
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
    return custom_resource_definition(
        group=GROUP,
        version=VERSION,
        scope="Cluster",
        kind=KIND,
        plural=PLURAL,
        # Not `ro`: that is Argo's Rollout.
        short_name="relobs",
        columns=[*_columns()],
        schema=_resource(),
    )


def _columns() -> Iterator[dict[str, Any]]:
    for name in ("Ready", "Delivering"):
        yield column(name, f".status.conditions[?(@.type=='{name}')].status")
    yield column("Endpoint", ".spec.otlp.endpoint")
    # In the wide view alone: it is long.
    yield column("Error", ".status.lastError", priority=1)
    yield column("Age", ".metadata.creationTimestamp", kind="date")


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "How the operator observes this cluster. There is one, named `default`; "
        "a change of it applies at once.",
        "properties": {
            **OBJECT_PROPERTIES,
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
