"""How far the cluster was read, as the ConfigMap `helmwake-progress` has it.

    read-to.secret: "81726"
    read-to.configmap: "81711"
    ns.shop: UID SINCE FILLED_FROM [LEFT_SECRET LEFT_CONFIGMAP]

A word that says nothing is `-`, and `ever` is the beginning of time. One key for each namespace
keeps a patch small; words in place of JSON keep 5,000 namespaces with names of 63 characters,
all of them left, below 900 KiB, where a ConfigMap may have 1 MiB.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from helmwake.facts.identity import Driver
from helmwake.facts.times import parse_time

CONFIG_MAP: Final = "helmwake-progress"
# A ConfigMap's key may have dots, a namespace's name may not.
READ_TO: Final = "read-to."
READ_AT: Final = "read-at"
NAMESPACE: Final = "ns."
NOTHING: Final = "-"
VERSION: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
MAX_UID_CHARACTERS: Final = 64
NOTHING_READ: Final[Mapping[Driver, str]] = MappingProxyType({})
EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedNamespace:
    uid: str  # empty where nobody may read namespaces
    since: datetime  # when it was first observed: what is older is history
    filled_from: datetime | None = None  # how far back history was told; None: not yet
    left: Mapping[Driver, str] | None = None  # how far it was read when it was last observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`read_to` is the resource version up to which all is in the ledger, for each driver.

    `read_at` is when that was so.
    """

    read_to: Mapping[Driver, str] = field(default_factory=dict)
    read_at: datetime | None = None
    namespaces: Mapping[str, ObservedNamespace] = field(default_factory=dict)
    resource_version: str | None = None  # of the ConfigMap; None: there is none


def dump_progress(progress: Progress) -> dict[str, str]:
    """Make the ConfigMap's data."""
    data = {READ_TO + driver.lower(): version for driver, version in progress.read_to.items()}
    if progress.read_at is not None:
        data[READ_AT] = _time(progress.read_at)
    for name, known in progress.namespaces.items():
        words = [known.uid or NOTHING, _time(known.since), _time(known.filled_from)]
        if known.left is not None:
            words += [known.left.get(driver, NOTHING) for driver in Driver]
        data[NAMESPACE + name] = " ".join(words)
    return data


def parse_progress(config_map: Mapping[str, Any]) -> tuple[Progress, list[str]]:
    """Read the ConfigMap, and say of each key that cannot be read that it was passed over.

    What is lost of it costs little: history is told again within its window, where the
    ledger's entries keep it from being told twice.
    """
    data, version = config_map.get("data"), config_map["metadata"]["resourceVersion"]
    read_to: dict[Driver, str] = {}
    read_at: datetime | None = None
    namespaces: dict[str, ObservedNamespace] = {}
    problems: list[str] = []
    drivers = {READ_TO + driver.lower(): driver for driver in Driver}
    for key, text in (data if isinstance(data, Mapping) else {}).items():
        try:
            if key in drivers:
                read_to[drivers[key]] = _version(text)
            elif key == READ_AT:
                read_at = _read_time(text)
            elif key.startswith(NAMESPACE):
                namespaces[key.removeprefix(NAMESPACE)] = _namespace(text)
        except ValueError:
            # The text is not quoted: anybody may have written it.
            problems.append(f"{CONFIG_MAP}: data[{key}] cannot be read; it is passed over")
    return (
        Progress(
            read_to=read_to, read_at=read_at, namespaces=namespaces, resource_version=version
        ),
        problems,
    )


def _time(time: datetime | None) -> str:
    if time is None:
        return NOTHING
    return "ever" if time == EVER else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_time(text: object) -> datetime:
    time = parse_time(text) if isinstance(text, str) else None
    if time is None:
        raise ValueError
    return time


def _namespace(text: object) -> ObservedNamespace:
    words = text.split(" ") if isinstance(text, str) else []
    if len(words) not in {3, 3 + len(Driver)}:
        raise ValueError
    uid, since, filled_from, *left = words
    began = parse_time(since)
    if began is None or not uid or len(uid) > MAX_UID_CHARACTERS:
        raise ValueError
    filled = EVER if filled_from == "ever" else parse_time(filled_from)
    if filled is None and filled_from != NOTHING:
        raise ValueError
    versions = {
        driver: _version(word)
        for driver, word in zip(Driver, left, strict=False)
        if word != NOTHING
    }
    return ObservedNamespace(
        uid="" if uid == NOTHING else uid,
        since=began,
        filled_from=filled,
        left=versions if left else None,
    )


def _version(text: object) -> str:
    if not isinstance(text, str) or not VERSION.fullmatch(text):
        raise ValueError
    return text
