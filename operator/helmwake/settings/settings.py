"""Everything that can be set: what a ReleaseObserver has, and what a process is told at its start.

One model, filled from four places; `sources` says which wins.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints
from pydantic_core import PydanticCustomError

from helmwake.settings.spec import ObserverSpec

_ADDRESS: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]*)):(?P<port>[0-9]{1,5})"
)
_ADDRESS_WANTED: Final = "an address to listen on, such as :8080 or [::1]:8080"
MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class BindAddress:
    host: str | None  # None: every address of this machine
    port: int  # 0: a free one

    def __str__(self) -> str:
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def parse_bind_address(text: Any) -> BindAddress:
    if isinstance(text, BindAddress):
        return text
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found["port"]) > MAX_PORT:
        raise PydanticCustomError("address", _ADDRESS_WANTED)
    return BindAddress(host=found["v6"] or found["host"] or None, port=int(found["port"]))


def _split(text: Any) -> Any:
    return [part.strip() for part in text.split(",")] if isinstance(text, str) else text


NamespaceName = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)
]


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class Settings(ObserverSpec):
    # None: KUBECONFIG, then the pod's ServiceAccount, then ~/.kube/config.
    kubeconfig: str | None = None
    context: str | None = None
    # Empty: the whole cluster. Else only these are asked for, and Roles in them are enough.
    watch_namespaces: Annotated[tuple[NamespaceName, ...], BeforeValidator(_split)] = ()
    http_address: Annotated[
        BindAddress, BeforeValidator(parse_bind_address), PlainSerializer(str)
    ] = Field(default=BindAddress(host=None, port=8080))
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.TEXT
    # Where the operator keeps what is its own.
    namespace: NamespaceName = "helmwake-system"
