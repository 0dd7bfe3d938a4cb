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

from helmwake.facts.errors import BadObjectError, PayloadError, PayloadTooLargeError
from helmwake.facts.identity import Driver
from helmwake.facts.keptn import KeptnContext, read_values_context
from helmwake.facts.meta import items, mapping, metadata, text
from helmwake.facts.times import parse_time

MIB: Final = 1024 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b\x08"
MAX_DESCRIPTION_CHARACTERS: Final = 1024
MAX_HOOKS: Final = 500
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
    description: str
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
        plain = _gunzip(packed, max_bytes) if packed.startswith(GZIP_MAGIC) else packed
        release = json.loads(plain)
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
    description = str(info.get("description") or "")[:MAX_DESCRIPTION_CHARACTERS]
    revision = release.get("version")
    return Payload(
        uid=text(meta, "uid"),
        resource_version=text(meta, "resourceVersion"),
        revision=revision if isinstance(revision, int) else 0,
        namespace=str(release.get("namespace") or meta.get("namespace", "")),
        status=str(info.get("status") or ""),
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


def _gunzip(packed: bytes, max_bytes: int) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    plain = inflate.decompress(packed, max_bytes + 1)
    if len(plain) > max_bytes:
        raise PayloadTooLargeError(max_bytes)
    if not inflate.eof:
        raise PayloadError("its payload is cut short")
    return plain


def _rollback_revision(info: Mapping[str, Any], description: str) -> int | None:
    """Helm 4 says it in a field; Helm 3 only in a text that `--description` replaces."""
    told = info.get("rollback_revision")
    if isinstance(told, int) and told > 0:
        return told
    match = ROLLBACK_DESCRIPTION.fullmatch(description)
    return int(match[1]) if match else None


def _chart(meta: Mapping[str, Any]) -> Chart | None:
    name, version = meta.get("name"), meta.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    app_version = meta.get("appVersion")
    return Chart(
        name=name,
        version=version,
        app_version=app_version if isinstance(app_version, str) and app_version else None,
    )


def _hook(hook: Mapping[str, Any]) -> Hook:
    events = hook.get("events")
    weight = hook.get("weight")
    return Hook(
        name=str(hook.get("name") or "?"),
        kind=str(hook.get("kind") or "?"),
        events=tuple(str(event) for event in events) if isinstance(events, list) else (),
        weight=weight if isinstance(weight, int) else 0,
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
