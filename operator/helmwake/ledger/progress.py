"""How far the cluster was read, as the ConfigMap `helmwake-progress` has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from helmwake.facts.identity import Driver

CONFIG_MAP: Final = "helmwake-progress"
READ_TO: Final = "read-to"
# A ConfigMap's key may have dots, a namespace's name may not.
NAMESPACE: Final = "namespace."
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
    """`read_to` is the resource version up to which all is in the ledger, for each driver."""

    read_to: Mapping[Driver, str] = field(default_factory=dict)
    namespaces: Mapping[str, ObservedNamespace] = field(default_factory=dict)
    resource_version: str | None = None  # of the ConfigMap; None: there is none


Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]


class _ReadTo(BaseModel):
    model_config = ConfigDict(extra="ignore")
    secret: Version | None = None
    config_map: Version | None = None

    @classmethod
    def of(cls, versions: Mapping[Driver, str]) -> "_ReadTo":
        return cls(
            secret=versions.get(Driver.SECRET), config_map=versions.get(Driver.CONFIG_MAP)
        )

    def versions(self) -> dict[Driver, str]:
        told = {Driver.SECRET: self.secret, Driver.CONFIG_MAP: self.config_map}
        return {driver: version for driver, version in told.items() if version is not None}


class _Namespace(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)
    uid: Annotated[str, StringConstraints(max_length=64)]
    since: AwareDatetime
    filled_from: AwareDatetime | None = None
    left: _ReadTo | None = None


def dump_progress(progress: Progress) -> dict[str, str]:
    """Make the ConfigMap's data: a key for each namespace, so that a patch stays small."""
    data = {READ_TO: _ReadTo.of(progress.read_to).model_dump_json(exclude_none=True)}
    for name, known in progress.namespaces.items():
        left = None if known.left is None else _ReadTo.of(known.left)
        model = _Namespace(
            uid=known.uid, since=known.since, filled_from=known.filled_from, left=left
        )
        data[NAMESPACE + name] = model.model_dump_json(by_alias=True, exclude_none=True)
    return data


def parse_progress(config_map: Mapping[str, Any]) -> tuple[Progress, list[str]]:
    """Read the ConfigMap, and say of each key that cannot be read that it was passed over.

    What is lost of it costs little: history is told again within its window, where the
    ledger's entries keep it from being told twice.
    """
    data, version = config_map.get("data"), config_map["metadata"]["resourceVersion"]
    read_to: dict[Driver, str] = {}
    namespaces: dict[str, ObservedNamespace] = {}
    problems: list[str] = []
    for key, text in (data if isinstance(data, Mapping) else {}).items():
        try:
            if key == READ_TO:
                read_to = _ReadTo.model_validate_json(text).versions()
            elif key.startswith(NAMESPACE):
                model = _Namespace.model_validate_json(text)
                namespaces[key.removeprefix(NAMESPACE)] = ObservedNamespace(
                    uid=model.uid,
                    since=model.since,
                    filled_from=model.filled_from,
                    left=None if model.left is None else model.left.versions(),
                )
        except (ValidationError, TypeError):
            # The text is not quoted: anybody may have written it.
            problems.append(f"{CONFIG_MAP}: data[{key}] cannot be read; it is passed over")
    return (
        Progress(read_to=read_to, namespaces=namespaces, resource_version=version),
        problems,
    )
