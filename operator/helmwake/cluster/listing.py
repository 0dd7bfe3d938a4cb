"""A list, page by page."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from helmwake.cluster.api import Api
from helmwake.cluster.errors import BadAnswerError
from helmwake.cluster.resources import Resource
from helmwake.facts.errors import BadObjectError

# A server that always hands out another page would keep us here for ever.
MAX_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some objects of one list; `version` is that of the whole list, on each of its pages."""

    items: list[dict[str, Any]]
    version: str


async def list_pages(api: Api, resource: Resource) -> AsyncGenerator[Page, None]:
    """Read one consistent list; nothing may be concluded from it before its last page.

    `resourceVersion` stays unset: the list is as new as the write that made us ask for it.

    Raises:
        GoneError: the list took so long that its page token expired. Start again: the token
            that comes with the error would go on with a newer, inconsistent list.
        ApiError: the server gave no page.

    Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
    """
    what = f"LIST {resource.path}"
    params = {"limit": str(resource.page_size), **resource.selectors}
    for _ in range(MAX_PAGES):
        answer = await api.get(resource.path, params=params, accept=resource.list_accept)
        if not isinstance(answer, dict) or not isinstance(meta := answer.get("metadata"), dict):
            raise BadAnswerError(what, reason="the answer is not a list")
        items = answer.get("items")
        if items is None:
            items = []  # Go writes an empty list so
        version = meta.get("resourceVersion")
        if not isinstance(items, list) or not isinstance(version, str) or not version:
            raise BadAnswerError(what, reason="the answer is not a list")
        for item in items:
            typed(item, resource)
        token = meta.get("continue")
        page = Page(items=items, version=version)
        # The page may be gone before the next one comes: hold one of them, not two.
        del answer, meta, items
        yield page
        del page
        if not token:
            return
        params["continue"] = str(token)
    raise BadAnswerError(what, reason=f"the list has more than {MAX_PAGES} pages")


def typed(item: object, resource: Resource) -> None:
    """Give an object the kind that lists leave out, and that partial metadata hides."""
    if isinstance(item, dict):
        item["kind"] = resource.kind
        item["apiVersion"] = resource.api_version


def identity_of(item: object) -> tuple[str, str]:
    """Read (uid, resourceVersion), by which an object and its state are known.

    Raises:
        BadObjectError: it is no object of Kubernetes.

    """
    meta = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(meta, dict):
        raise BadObjectError({}, path="metadata", wanted="an object")
    for key in ("uid", "resourceVersion"):
        if not isinstance(meta.get(key), str) or not meta[key]:
            raise BadObjectError(meta, path=f"metadata.{key}", wanted="a string")
    return meta["uid"], meta["resourceVersion"]
