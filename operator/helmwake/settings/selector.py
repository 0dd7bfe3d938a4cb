"""Label selectors, as Kubernetes means them (apimachinery, pkg/apis/meta/v1/helpers.go)."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from helmwake.models import Model

NAME: Final = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)"
PREFIX: Final = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)"
KEY_PATTERN: Final = f"^{PREFIX}?{NAME}$"
VALUE_PATTERN: Final = f"^{NAME}?$"
MAX_KEY_LENGTH: Final = 317  # 253 of the prefix, a slash, 63 of the name

Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN, max_length=MAX_KEY_LENGTH)]
Value = Annotated[str, StringConstraints(pattern=VALUE_PATTERN, max_length=63)]


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


WITH_VALUES: Final = frozenset({Operator.IN, Operator.NOT_IN})
_VALUES_RULE: Final = {
    "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    "message": "In and NotIn need values; Exists and DoesNotExist take none",
}


class Requirement(Model, json_schema_extra={"x-kubernetes-validations": [_VALUES_RULE]}):
    """One condition on the labels."""

    key: Key
    operator: Operator
    values: Annotated[tuple[Value, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _values_fit_the_operator(self) -> Self:
        if (self.operator in WITH_VALUES) != bool(self.values):
            raise PydanticCustomError("selector", str(_VALUES_RULE["message"]))
        return self

    def matches(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case Operator.IN:
                return self.key in labels and labels[self.key] in self.values
            case Operator.NOT_IN:
                # A missing label is not in the values, says Kubernetes.
                return self.key not in labels or labels[self.key] not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels


class LabelSelector(Model):
    """All conditions must hold. One without conditions matches everything."""

    match_labels: dict[Key, Value] = Field(default_factory=dict, max_length=32)
    match_expressions: Annotated[tuple[Requirement, ...], Field(max_length=16)] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        equal = all(labels.get(key) == value for key, value in self.match_labels.items())
        return equal and all(each.matches(labels) for each in self.match_expressions)


_SET: Final = re.compile(r"(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
_OUTSIDE_OF_SETS: Final = re.compile(r",(?![^()]*\))")


def parse_selector(text: str) -> dict[str, Any]:
    """Read kubectl's notation: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.

    The names in it are checked when a LabelSelector is made of the result.
    """
    parts = [part.strip() for part in _OUTSIDE_OF_SETS.split(text)]
    return {"matchExpressions": [_parse_requirement(part) for part in parts if part]}


def _parse_requirement(text: str) -> dict[str, Any]:
    if found := _SET.fullmatch(text):
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        values = [value.strip() for value in found["values"].split(",")]
        return {"key": found["key"], "operator": operator, "values": values}
    for sign, operator in (("!=", Operator.NOT_IN), ("==", Operator.IN), ("=", Operator.IN)):
        key, found_sign, value = text.partition(sign)
        if found_sign:
            return {"key": key.strip(), "operator": operator, "values": [value.strip()]}
    if text.startswith("!"):
        return {"key": text[1:].strip(), "operator": Operator.DOES_NOT_EXIST}
    return {"key": text, "operator": Operator.EXISTS}
