"""CustomResourceDefinitions of pydantic models: their structural schema, and YAML."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

# What a structural schema may have (apiextensions, "Specifying a structural schema").
KEPT: Final = frozenset({
    "description", "enum", "format", "maxItems", "maxLength", "maxProperties", "maximum",
    "minItems", "minLength", "minProperties", "minimum", "pattern", "required", "type",
    "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
})  # fmt: skip


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


def to_yaml(value: Mapping[str, Any]) -> str:
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any, *, indent: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(each, Mapping | list) and each:
                yield f"{indent}{_scalar(key)}:"
                yield from _lines(each, indent=f"{indent}  ")
            else:
                yield f"{indent}{_scalar(key)}: {_scalar(each)}"
    elif isinstance(value, Sequence):
        for each in value:
            if isinstance(each, Mapping):
                first, *rest = _lines(each, indent=f"{indent}  ")
                yield f"{indent}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{indent}- {_scalar(each)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    # JSON is YAML.
    return json.dumps(value, ensure_ascii=False)
