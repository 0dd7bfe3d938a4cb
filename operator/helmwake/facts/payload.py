"""What a record's payload tells: times, description, chart, hooks, Keptn's values.

Values and manifest may hold secrets: they are unpacked, what is needed is taken, and the
rest is dropped with the function that unpacked it.

Source: helm/helm, pkg/storage/driver/util.go (decodeRelease), pkg/release, pkg/chart.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from helmwake.facts.descriptions import MAX_READ_CHARACTERS, safe_description
from helmwake.facts.errors import BadObjectError, PayloadError, PayloadTooLargeError
from helmwake.facts.identity import Driver
from helmwake.facts.keptn import KeptnContext, read_values_context
from helmwake.facts.meta import items, mapping, metadata, number, text
from helmwake.facts.times import parse_time

MIB: Final = 1024 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b\x08"
MAX_NAME_CHARACTERS: Final = 253  # of Kubernetes; a foreign payload may say more
MAX_HOOKS: Final = 500
MAX_EVENTS: Final = 9  # so many kinds there are
ROLLBACK_DESCRIPTION: Final = re.compile(r"Rollback to (\d+)")


class HookPhase(StrEnum):
    """Source: helm/helm, pkg/release, HookPhase."""

    UNKNOWN = "Unknown"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    """A hook's last run, by the clock of the machine that ran Helm."""

    started_at: datetime
    completed_at: datetime | None
    phase: HookPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    name: str
    kind: str
    events: tuple[str, ...]  # pre-install, post-upgrade, test, ...
    weight: int
    last_run: HookRun | None

    @property
    def tests(self) -> bool:
        return any(event in {"test", "test-success"} for event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    name: str
    version: str
    app_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What is kept of one record's payload. Times are those of Helm's client."""

    uid: str
    resource_version: str
    revision: int
    namespace: str  # the release's, which may not be the record's
    status: str
    description: str  # safe: see descriptions.py
    first_deployed: datetime | None
    last_deployed: datetime | None
    deleted: datetime | None
    rollback_revision: int | None
    chart: Chart | None
    hooks: tuple[Hook, ...]
    keptn: KeptnContext
    seen: datetime


def unpack_object(obj: Mapping[str, Any], *, max_bytes: int = 64 * MIB) -> dict[str, Any]:
    """Unpack the release in a whole Secret or ConfigMap.

    `max_bytes` counts after decompression: 272 KB can unpack to 200 MiB.

    Raises:
        PayloadTooLargeError: more than `max_bytes` came out.
        PayloadError: there is none, or its base64, gzip or JSON is broken.
    """
    stored = mapping(obj, "data").get("release")
    if not isinstance(stored, str):
        raise PayloadError("there is no data.release")
    try:
        packed = stored.encode("ascii")
        if obj.get("kind") == Driver.SECRET:
            packed = base64.b64decode(packed, validate=True)
        packed = base64.b64decode(packed, validate=True)
        plain = _plain(packed, max_bytes)
        release = json.loads(plain)
    except PayloadError:
        raise  # a ValueError too, and worded already
    except (ValueError, zlib.error) as error:  # of base64, Unicode, JSON, or a huge number
        # Not `from error`: a decoder's error quotes what it could not read.
        raise PayloadError(f"its payload is broken ({type(error).__name__})") from None
    except RecursionError:
        raise PayloadError("its payload is nested too deeply") from None
    if not isinstance(release, dict):
        raise PayloadError("its payload is no JSON object")
    return release


def parse_payload(obj: Mapping[str, Any], *, seen: datetime, max_bytes: int = 64 * MIB) -> Payload:
    """Take from a whole record what a trace needs.

    Raises:
        BadObjectError: the payload cannot be unpacked.
    """
    meta = metadata(obj)
    try:
        release = unpack_object(obj, max_bytes=max_bytes)
    except PayloadError as error:
        raise BadObjectError(
            meta, path="data.release", wanted=f"a Helm release: {error}"
        ) from None
    info = mapping(release, "info")
    description = safe_description(_words(info, "description", MAX_READ_CHARACTERS))
    return Payload(
        uid=text(meta, "uid"),
        resource_version=text(meta, "resourceVersion"),
        revision=number(release, "version"),
        namespace=_words(release, "namespace") or _words(meta, "namespace"),
        status=_words(info, "status"),
        description=description,
        first_deployed=parse_time(info.get("first_deployed")),
        last_deployed=parse_time(info.get("last_deployed")),
        deleted=parse_time(info.get("deleted")),
        rollback_revision=_rollback_revision(info, description),
        chart=_chart(mapping(release, "chart", "metadata")),
        hooks=tuple(_hook(hook) for hook in items(release, "hooks")[:MAX_HOOKS]),
        keptn=read_values_context(mapping(release, "config")),
        seen=seen,
    )


def _plain(packed: bytes, max_bytes: int) -> bytes:
    if not packed.startswith(GZIP_MAGIC):  # a legacy record
        if len(packed) > max_bytes:
            raise PayloadTooLargeError(max_bytes)
        return packed
    inflate = zlib.decompressobj(wbits=31)
    plain = inflate.decompress(packed, max_bytes + 1)
    if len(plain) > max_bytes:
        raise PayloadTooLargeError(max_bytes)
    if not inflate.eof:
        raise PayloadError("its payload is cut short")
    return plain


def _rollback_revision(info: Mapping[str, Any], description: str) -> int | None:
    """Helm 4 says it in a field; Helm 3 only in a text that `--description` replaces."""
    told = number(info, "rollback_revision")
    if told > 0:
        return told
    match = ROLLBACK_DESCRIPTION.fullmatch(description)
    return int(match[1]) if match else None


def _chart(meta: Mapping[str, Any]) -> Chart | None:
    name, version = _words(meta, "name"), _words(meta, "version")
    if not name or not version:
        return None
    return Chart(name=name, version=version, app_version=_words(meta, "appVersion") or None)


def _hook(hook: Mapping[str, Any]) -> Hook:
    events = hook.get("events")
    return Hook(
        name=_words(hook, "name") or "?",
        kind=_words(hook, "kind") or "?",
        events=tuple(_encodable(event) for event in events[:MAX_EVENTS] if isinstance(event, str))
        if isinstance(events, list)
        else (),
        weight=number(hook, "weight"),
        last_run=_hook_run(mapping(hook, "last_run")),
    )


def _hook_run(run: Mapping[str, Any]) -> HookRun | None:
    started_at = parse_time(run.get("started_at"))
    if started_at is None:
        return None
    try:
        phase = HookPhase(str(run.get("phase")))
    except ValueError:
        phase = HookPhase.UNKNOWN
    return HookRun(
        started_at=started_at, completed_at=parse_time(run.get("completed_at")), phase=phase
    )


def _words(parent: Mapping[str, Any], key: str, limit: int = MAX_NAME_CHARACTERS) -> str:
    value = parent.get(key)
    return _encodable(value, limit) if isinstance(value, str) else ""


def _encodable(text: str, limit: int = MAX_NAME_CHARACTERS) -> str:
    """Replace halves of surrogate pairs, which JSON may hold and no exporter can send."""
    return text[:limit].encode(errors="replace").decode()
