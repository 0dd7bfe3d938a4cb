"""The metadata that every Kubernetes object has, read with care."""

from collections.abc import Mapping, Sequence
from typing import Any

from helmwake.facts.errors import BadObjectError


def metadata(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object's metadata, or an empty one where there is none to speak of."""
    found = obj.get("metadata")
    return found if isinstance(found, Mapping) else {}


def text(meta: Mapping[str, Any], key: str) -> str:
    """Return a text that must be there.

    Raises:
        BadObjectError: it is missing, empty, or no text.
    """
    value = meta.get(key)
    if not isinstance(value, str) or not value:
        raise BadObjectError(meta, path=f"metadata.{key}", wanted="a text")
    return value


def mapping(parent: object, *path: str) -> Mapping[str, Any]:
    """Return the mapping at a path; empty where any step is missing or something else."""
    here = parent
    for step in path:
        here = here.get(step) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def items(parent: object, *path: str) -> Sequence[Mapping[str, Any]]:
    """Return the mappings in the list at a path; anything else in it is passed over."""
    here = mapping(parent, *path[:-1]).get(path[-1])
    if not isinstance(here, list):
        return ()
    return [item for item in here if isinstance(item, Mapping)]


def texts(parent: object, *path: str) -> Mapping[str, str]:
    """Return the text values of the mapping at a path: labels, annotations."""
    return {key: value for key, value in mapping(parent, *path).items() if isinstance(value, str)}


def number(parent: Mapping[str, Any], key: str, default: int = 0) -> int:
    """Return a whole number, or the default where there is none."""
    value = parent.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
