"""Entry <-> ReleaseTrace, as the API takes and gives it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from helmwake.facts.identity import Driver, ReleaseKey
from helmwake.facts.meta import mapping, texts
from helmwake.ledger.contents import entry_of, spec_of
from helmwake.ledger.entry import Entry
from helmwake.ledger.errors import BadEntryError
from helmwake.ledger.labels import entry_labels
from helmwake.ledger.naming import entry_name
from helmwake.ledger.parts import Part
from helmwake.ledger.patching import merge_patch
from helmwake.ledger.resource import KIND, RELEASE_TRACES
from helmwake.ledger.schema import TraceSpec, TraceStatus
from helmwake.ledger.trimming import fitting_status, trimmed
from helmwake.lifecycle.operation import Operation, OperationId

__all__ = [
    "FIRST_STATUS",
    "RELEASE_TRACES",
    "Identity",
    "entry_labels",
    "entry_name",
    "identity_of_spec",
    "merge_patch",
    "parse_entry",
    "to_object",
    "to_spec",
    "to_status",
    "trimmed",
]

FIRST_STATUS: Final = "helmwake.dev/first-status"
MAX_FIRST_CHARACTERS: Final = 24 * 1024
API_VERSION: Final = RELEASE_TRACES.api_version
PartT = TypeVar("PartT", bound=Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the spec alone tells: where to look for what the status said."""

    id: OperationId
    release: ReleaseKey
    revision: int
    driver: Driver  # of the record


def to_spec(operation: Operation) -> dict[str, Any]:
    return _dump(spec_of(operation))


def to_status(entry: Entry) -> dict[str, Any]:
    """Return the status: at most 64 KiB as JSON, see trimming.py."""
    return _dump(fitting_status(entry))


def to_object(entry: Entry, *, namespace: str) -> dict[str, Any]:
    """Return the whole object.

    A POST stores all but its status, which is patched after it. Meanwhile an annotation has it,
    unless it is so large that the object would be too large with both.
    """
    status = to_status(entry)
    # Not escaped: it would be three times as long, and annotations have a limit of their own.
    text = json.dumps(status, ensure_ascii=False, separators=(",", ":"))
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": entry_name(entry.operation),
            "namespace": namespace,
            "labels": entry_labels(entry),
            "annotations": {FIRST_STATUS: text} if len(text) <= MAX_FIRST_CHARACTERS else {},
        },
        "spec": to_spec(entry.operation),
        "status": status,
    }


def parse_entry(obj: Mapping[str, Any]) -> Entry:
    """Make an entry of a ReleaseTrace.

    Raises:
        BadEntryError: it was edited by hand, or a version wrote it that has other words.
    """
    spec = _part(obj, "spec", TraceSpec)
    status = _part(_with_first_status(obj), "status", TraceStatus)
    try:
        entry = entry_of(spec, status)
    except ValidationError as error:
        raise BadEntryError.of(obj, error, part="status") from None
    meta = obj.get("metadata")
    name = entry_name(entry.operation)
    # A copy under another name would never be written to, and so be taken up for ever.
    if not isinstance(meta, Mapping) or meta.get("name") != name:
        raise BadEntryError(obj, path="metadata.name", wanted=f"{name}, as its spec says")
    return replace(entry, omitted=status.omitted)


def identity_of_spec(obj: Mapping[str, Any]) -> Identity:
    """Tell which operation a ReleaseTrace speaks of, whatever its status is.

    Raises:
        BadEntryError: even the spec cannot be read.
    """
    spec = _part(obj, "spec", TraceSpec)
    return Identity(
        id=OperationId(uid=spec.record.uid, kind=spec.operation, start=spec.start),
        release=ReleaseKey(spec.release.namespace, spec.release.name),
        revision=spec.revision,
        driver=spec.record.driver,
    )


def _with_first_status(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give an object that has no status yet the one it was created with."""
    if item.get("status"):
        return item
    text = texts(mapping(item, "metadata"), "annotations").get(FIRST_STATUS)
    try:
        status = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return item
    return {**item, "status": status} if isinstance(status, Mapping) else item


def _part(obj: Mapping[str, Any], name: str, model: type[PartT]) -> PartT:
    if name not in obj:
        raise BadEntryError(obj, path=name, wanted="there")
    try:
        return model.model_validate(obj[name])
    except ValidationError as error:
        # Not `from error`: pydantic's quotes what it could not read.
        raise BadEntryError.of(obj, error, part=name) from None


def _dump(part: Part) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
