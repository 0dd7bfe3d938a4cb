"""The ReleaseTrace as the API knows it."""

from typing import Any, Final

from helmwake.cluster.resources import Resource

GROUP: Final = "helmwake.dev"
VERSION: Final = "v1alpha1"
KIND: Final = "ReleaseTrace"
PLURAL: Final = "releasetraces"

RELEASE_TRACES: Final = Resource(
    group=GROUP,
    version=VERSION,
    plural=PLURAL,
    kind=KIND,
    # At most 64 KiB each: a page of the largest is 3 MiB of text, 15 or so of parsed JSON.
    page_size=50,
)


def delete_options(uid: str) -> dict[str, Any]:
    """Make the body of a deletion that meets this object, and not another one of its name."""
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
