"""Why the ledger cannot be read or written, and what a person can do about it."""

from typing import Final

from helmwake.cluster.errors import ApiError, ConflictError, ForbiddenError, NotFoundError
from helmwake.ledger.progress import CONFIG_MAP
from helmwake.ledger.resource import GROUP, PLURAL

VERBS: Final = {"GET": "read", "LIST": "list", "POST": "create", "PATCH": "patch"}
# What the apiserver will say again of this entry, and of no other.
REFUSALS: Final = frozenset({400, 413, 422})


def is_absent(error: ApiError) -> bool:
    """Tell whether a kind is served, and an object of it is not there.

    A path that leads to no kind gets a bare 404, without the Status that would name a reason.
    """
    return isinstance(error, NotFoundError) and error.reason == "NotFound"


def is_refusal(error: ApiError) -> bool:
    """Tell whether the same entry would be refused for ever."""
    return error.status in REFUSALS


def is_uncertain(error: ApiError) -> bool:
    """Tell whether it may have been written all the same."""
    return error.status is None or error.status >= 500  # noqa: PLR2004


def explained(error: ApiError, *, namespace: str) -> str:
    """Say in one line what is wrong, and what to do where that is known."""
    verb, _, path = error.what.partition(" ")
    kind = "configmaps" if "/configmaps" in path else PLURAL
    if isinstance(error, NotFoundError):
        if error.reason == "NotFound" and verb == "POST":
            return f"there is no namespace {namespace}: kubectl apply -k manifests/"
        if kind == PLURAL and not error.reason:
            return f"{PLURAL}.{GROUP} is not installed: kubectl apply -k manifests/"
    if isinstance(error, ForbiddenError):
        what = f"{kind}/status" if path.endswith("/status") else kind
        may_not = f"the operator may not {VERBS.get(verb, verb.lower())} {what} in {namespace}"
        return f"{may_not}: apply manifests/ again"
    if isinstance(error, ConflictError) and kind == "configmaps":
        return f"{CONFIG_MAP} in {namespace} was written by another"
    return str(error)
