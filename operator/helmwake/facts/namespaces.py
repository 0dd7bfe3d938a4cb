"""Namespaces: whether they are observed, and which delivery they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.keptn import KeptnContext, KeptnKeys, read_object_context
from helmwake.facts.meta import metadata, text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    name: str
    uid: str
    labels: Mapping[str, str]  # what a selector is held against
    keptn: KeptnContext
    terminating: bool
    seen: datetime
    origin: Origin = Origin.WATCHED
    gone: bool = False


def parse_namespace(change: Change, *, keys: KeptnKeys) -> Namespace:
    """Read a namespace.

    Raises:
        BadObjectError: it has no name or uid.
    """
    meta = metadata(change.object)
    labels = texts(meta, "labels")
    return Namespace(
        name=text(meta, "name"),
        uid=text(meta, "uid"),
        labels=labels,
        keptn=read_object_context(texts(meta, "annotations"), labels, keys),
        terminating=bool(meta.get("deletionTimestamp")),
        seen=change.seen,
        origin=change.origin,
        gone=change.type is ChangeType.DELETED,
    )
