"""Allow-lists as data: what a shape does not name is not in what it returns.

A shape takes a value and returns what may be kept of it, or `DROPPED`. So a field that
Kubernetes adds tomorrow, or one of a type nobody expects, is left out and cannot leak.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

DROPPED: Final = object()
MAX_VALUE_CHARACTERS: Final = 256
Shape = Callable[[Any], Any]


def whole(value: Any) -> Any:
    """Keep everything below, for the places where nobody can put a secret."""
    return value


def scalar(value: Any) -> Any:
    """Keep a number, a truth value or a short text."""
    if isinstance(value, str):
        return value[:MAX_VALUE_CHARACTERS]
    return value if isinstance(value, int | float | bool) else DROPPED


def text(limit: int) -> Shape:
    """Keep a text, but no more than `limit` characters of it."""

    def shape(value: Any) -> Any:
        return value[:limit] if isinstance(value, str) else DROPPED

    return shape


def fields(shapes: Mapping[str, Shape]) -> Shape:
    """Keep the named fields of an object, each in its shape."""

    def shape(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return DROPPED
        kept = {key: keep(value[key]) for key, keep in shapes.items() if key in value}
        return {key: value for key, value in kept.items() if value is not DROPPED}

    return shape


def each(item: Shape) -> Shape:
    """Keep a list's items, each in its shape."""

    def shape(value: Any) -> Any:
        if not isinstance(value, list):
            return DROPPED
        return [kept for kept in map(item, value) if kept is not DROPPED]

    return shape


def texts(*prefixes: str, limit: int) -> Shape:
    """Keep texts of a flat map (labels, annotations) whose keys begin with one of `prefixes`."""

    def shape(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return DROPPED
        return {
            key: found[:limit]
            for key, found in value.items()
            if isinstance(key, str) and isinstance(found, str) and key.startswith(prefixes)
        }

    return shape
