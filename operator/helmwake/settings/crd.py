"""The CustomResourceDefinition, made of the models: `python -m helmwake.settings.crd`.

It has no defaults on purpose. The apiserver would write them into every
resource, as if someone had set them, and they would win over flags and
environment. The descriptions name them instead.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from helmwake.settings.spec import ObserverSpec
from helmwake.settings.status import ObserverStatus

GROUP: Final = "helmwake.dev"
VERSION: Final = "v1alpha1"
KIND: Final = "ReleaseObserver"
PLURAL: Final = "releaseobservers"
NAME: Final = "default"
HEADER: Final = (
    "# Made by `python -m helmwake.settings.crd` from the models in helmwake.settings.\n"
)
# What a structural schema may have (apiextensions, "Specifying a structural schema").
KEPT: Final = frozenset({
    "description", "enum", "format", "maxItems", "maxLength", "maxProperties", "maximum",
    "minItems", "minLength", "minProperties", "minimum", "pattern", "required", "type",
    "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
})  # fmt: skip


def render() -> str:
    return HEADER + "".join(f"{line}\n" for line in _yaml(definition()))


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


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """A structural schema of a model."""
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, definitions=schema.get("$defs", {}))


def _structural(schema: Mapping[str, Any], *, definitions: Mapping[str, Any]) -> dict[str, Any]:
    if reference := schema.get("$ref"):
        target = definitions[reference.removeprefix("#/$defs/")]
        # What stands beside a reference, such as a description, speaks of this use of it.
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _structural({**target, **beside}, definitions=definitions)
    if alternatives := schema.get("anyOf"):
        # Our only unions are "or None", and that is what an absent field says.
        (only,) = [each for each in alternatives if each.get("type") != "null"]
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        return _structural({**only, **beside}, definitions=definitions)
    result = {key: value for key, value in schema.items() if key in KEPT}
    if "description" in result:
        result["description"] = " ".join(result["description"].split())
    if properties := schema.get("properties"):
        result["properties"] = {
            name: _structural(each, definitions=definitions) for name, each in properties.items()
        }
    if items := schema.get("items"):
        result["items"] = _structural(items, definitions=definitions)
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        result["additionalProperties"] = _structural(values, definitions=definitions)
    elif patterns := schema.get("patternProperties"):
        # pydantic's way to write a mapping whose keys have a pattern.
        (values,) = patterns.values()
        result["additionalProperties"] = _structural(values, definitions=definitions)
    return result


# Twenty lines in place of a dependency: the operator itself writes no YAML.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def _yaml(value: Any, *, indent: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(each, Mapping | list) and each:
                yield f"{indent}{_scalar(key)}:"
                yield from _yaml(each, indent=f"{indent}  ")
            else:
                yield f"{indent}{_scalar(key)}: {_scalar(each)}"
    elif isinstance(value, Sequence):
        for each in value:
            if isinstance(each, Mapping):
                first, *rest = _yaml(each, indent=f"{indent}  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(each)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    # JSON is YAML.
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render())
