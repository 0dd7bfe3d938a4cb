"""Helm's records, read from their metadata alone."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from helmwake.facts.identity import Driver, RecordRef, ReleaseKey
from helmwake.facts.keptn import (
    NO_CONTEXT,
    KeptnContext,
    KeptnKeys,
    TraceParent,
    parse_traceparent,
    read_context,
)
from helmwake.facts.meta import items, metadata, text, texts
from helmwake.facts.times import last_write, parse_time

# Names may contain dots, so the first group is greedy.
# A revision is a Go int.
RECORD_NAME: Final = re.compile(r"sh\.helm\.release\.v1\.(.+)\.v(\d{1,19})", re.ASCII)
OPT_OUT: Final = ("helmwake.dev/observe", "disabled")
COMMIT_KEY: Final = "keptn.sh/commitid"


class Status(StrEnum):
    """A record's status. Source: helm/helm, pkg/release, Status."""

    UNKNOWN = "unknown"
    DEPLOYED = "deployed"
    UNINSTALLED = "uninstalled"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    UNINSTALLING = "uninstalling"
    PENDING_INSTALL = "pending-install"
    PENDING_UPGRADE = "pending-upgrade"
    PENDING_ROLLBACK = "pending-rollback"

    @property
    def pending(self) -> bool:
        return self.value.startswith("pending-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a record's labels say beside Helm's own: who delivers, and on whose behalf."""

    keptn: KeptnContext = NO_CONTEXT
    traceparent: TraceParent | None = None
    commit: str | None = None  # of the source, where the delivery names it
    opted_out: bool = False


NO_TAGS: Final = Tags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One version of one record as its metadata shows it.

    `created` is the operation's start by the server's clock, to a second. `written` is the
    time of the last write, as precise. Helm's own labels `createdAt` and `modifiedAt` are
    never renewed and not read (helm/helm#32404).
    """

    release: ReleaseKey
    revision: int
    driver: Driver
    uid: str
    resource_version: str
    status: Status
    created: datetime
    written: datetime
    tags: Tags = NO_TAGS
    seen: datetime
    origin: Origin = Origin.WATCHED
    gone: bool = False  # deleted; the rest is what was last known
    # Of a RELISTED one: what it told until then, an earlier process knew.
    told_until: datetime | None = None

    @property
    def ref(self) -> RecordRef:
        return RecordRef(
            driver=self.driver,
            namespace=self.release.namespace,
            name=f"sh.helm.release.v1.{self.release.name}.v{self.revision}",
            uid=self.uid,
            resource_version=self.resource_version,
        )


def is_record(obj: Mapping[str, Any]) -> bool:
    """Tell whether a Secret or ConfigMap claims to be one of Helm's."""
    meta = metadata(obj)
    return texts(meta, "labels").get("owner") == "helm" and str(meta.get("name", "")).startswith(
        "sh.helm.release.v1."
    )


def parse_record(change: Change, *, keys: KeptnKeys) -> Record:
    """Read a record's metadata.

    Raises:
        BadObjectError: the name, the status or a time is not what Helm writes.
    """
    meta = metadata(change.object)
    name = RECORD_NAME.fullmatch(text(meta, "name"))
    if name is None:
        raise BadObjectError(meta, path="metadata.name", wanted="sh.helm.release.v1.NAME.vN")
    labels = texts(meta, "labels")
    created = parse_time(meta.get("creationTimestamp"))
    if created is None:
        raise BadObjectError(meta, path="metadata.creationTimestamp", wanted="a time")
    written = last_write(items(meta, "managedFields"))
    return Record(
        # Each name is in thousands of records: let them share one text.
        release=ReleaseKey(sys.intern(text(meta, "namespace")), sys.intern(name[1])),
        revision=int(name[2]),
        driver=_driver(change.object, meta),
        uid=text(meta, "uid"),
        resource_version=text(meta, "resourceVersion"),
        status=_status(labels, meta),
        created=created,
        # Mostly the same second, and then the same object.
        written=created if written is None or written == created else written,
        tags=_tags(labels, keys),
        seen=change.seen,
        origin=change.origin,
        gone=change.type is ChangeType.DELETED,
    )


def _driver(obj: Mapping[str, Any], meta: Mapping[str, Any]) -> Driver:
    try:
        return Driver(str(obj.get("kind")))
    except ValueError:
        raise BadObjectError(meta, path="kind", wanted="Secret or ConfigMap") from None


def _status(labels: Mapping[str, str], meta: Mapping[str, Any]) -> Status:
    try:
        return Status(labels.get("status", ""))
    except ValueError:
        raise BadObjectError(
            meta, path="metadata.labels.status", wanted="a status of Helm's"
        ) from None


def _tags(labels: Mapping[str, str], keys: KeptnKeys) -> Tags:
    key, disabled = OPT_OUT
    tags = Tags(
        keptn=read_context(labels, keys),
        traceparent=parse_traceparent(labels.get("traceparent")),
        commit=labels.get(COMMIT_KEY) or None,
        opted_out=labels.get(key) == disabled,
    )
    # Thousands of records without any: let them share one.
    return NO_TAGS if tags == NO_TAGS else tags
