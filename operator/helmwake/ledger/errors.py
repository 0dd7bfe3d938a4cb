"""What can be wrong with a ReleaseTrace."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

MAX_NAME_CHARACTERS: Final = 253
OTHER_WANTED: Final = "what a ReleaseTrace has there"
# Types of pydantic's errors, and what was wanted there.
WANTED: Final = {
    "missing": "there",
    "string_type": "a text",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "timestamp": "a time (RFC 3339)",
}


class BadEntryError(ValueError):
    """A ReleaseTrace of which no entry can be made: edited by hand, or of another version.

    One line: which object, which field, what was wanted there; never what is there.
    """

    def __init__(self, obj: Mapping[str, Any], *, path: str, wanted: str) -> None:
        meta = obj.get("metadata")
        meta = meta if isinstance(meta, Mapping) else {}
        self.namespace, self.name = _one_line(meta.get("namespace")), _one_line(meta.get("name"))
        self.path = path
        super().__init__(f"{self.namespace}/{self.name}: {path} is not {wanted}")

    @classmethod
    def of(cls, obj: Mapping[str, Any], error: ValidationError, *, part: str) -> "BadEntryError":
        """Map pydantic's error about a part of the object, `spec` or `status`."""
        first = error.errors(include_url=False, include_input=False)[0]
        path = part
        for step in first["loc"]:
            path += f"[{step}]" if isinstance(step, int) else f".{step}"
        if first["type"] == "enum":
            return cls(obj, path=path, wanted=f"one of {first['ctx']['expected']}")
        return cls(obj, path=path, wanted=WANTED.get(first["type"], OTHER_WANTED))


def _one_line(name: object) -> str:
    if not isinstance(name, str):
        return "?"
    return name[:MAX_NAME_CHARACTERS].encode("unicode_escape").decode()
