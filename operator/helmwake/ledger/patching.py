"""Merge patches (RFC 7386)."""

from collections.abc import Mapping
from typing import Any


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patch that turns one object into the other; it is empty where they are equal.

    Lists are replaced whole. What went is `None`, so no value of `after` may be `None`.
    """
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        known = before.get(key)
        if isinstance(value, Mapping):
            # In the place of anything but an object, a patch makes an object.
            nested = merge_patch(known if isinstance(known, Mapping) else {}, value)
            if nested or not isinstance(known, Mapping):
                patch[key] = nested
        elif key not in before or value != known:
            patch[key] = value
    return patch
