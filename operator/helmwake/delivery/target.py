"""Where telemetry goes: an OTLP endpoint and how to speak to it.

Source: OpenTelemetry specification, protocol/exporter.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.headers import parse_headers, redact

Signal = Literal["traces", "metrics"]

_WORDS_MAX: Final = 300
_TIMEOUT_MS: Final = "10000"
_PORTS: Final = {"http": 4317, "https": 443}  # gRPC, where the endpoint has none


class Protocol(StrEnum):
    GRPC = "grpc"
    HTTP_PROTOBUF = "http/protobuf"


class Compression(StrEnum):
    NONE = "none"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OtlpTarget:
    """One OTLP endpoint. `repr` and `str` hold no header's value and no query."""

    protocol: Protocol
    endpoint: str  # the whole URL for HTTP, host:port for gRPC
    headers: Mapping[str, str] = field(default_factory=dict)
    insecure: bool = False  # gRPC in plain text; for HTTP the URL's scheme decides
    certificate: str | None = None  # PEM file: the authority that signed the server's
    client_certificate: str | None = None  # PEM file
    client_key: str | None = None  # PEM file
    timeout_s: float = 10.0
    compression: Compression = Compression.NONE

    @property
    def where(self) -> str:
        """The endpoint without its query: keys hide there."""
        return self.endpoint.partition("?")[0]

    def words(self, text: str) -> str:
        """A foreign text as one short line without our secrets."""
        text = redact(text, {**self.headers, "query": self.endpoint.partition("?")[2]})
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _WORDS_MAX else text[: _WORDS_MAX - 1] + "…"

    def __repr__(self) -> str:
        names = ", ".join(sorted(self.headers)) or "none"
        return f"OtlpTarget({self.protocol} to {self.where}, headers: {names})"


def target_from_environment(
    environ: Mapping[str, str],
    *,
    signal: Signal = "traces",
    endpoint: str | None = None,
    protocol: str | None = None,
) -> OtlpTarget | None:
    """The target that OTEL_EXPORTER_OTLP_* describe, None where no endpoint is set.

    `endpoint` and `protocol` are a flag's or our configuration resource's, and win. Such an
    endpoint is a base, as OTEL_EXPORTER_OTLP_ENDPOINT is: HTTP appends /v1/<signal> to it. The
    timeout is in milliseconds, as the specification has it (the Python SDK takes seconds).

    Raises:
        BadTargetError: a value cannot be used.
    """
    settings = _Settings(environ, signal)
    found = _find_endpoint(settings, endpoint)
    if found is None:
        return None
    variable, url = found
    spoken = _protocol(settings, protocol)
    client_certificate, client_key = settings.of("CLIENT_CERTIFICATE"), settings.of("CLIENT_KEY")
    if bool(client_certificate[1]) != bool(client_key[1]):
        raise BadTargetError(f"set both {client_certificate[0]} and {client_key[0]}, or neither")
    header_variable, headers = settings.of("HEADERS")
    address, insecure = (
        _grpc_address(settings, variable, url)
        if spoken is Protocol.GRPC
        else _http_url(settings, variable, url)
    )
    return OtlpTarget(
        protocol=spoken,
        endpoint=address,
        headers=parse_headers(headers, variable=header_variable),
        insecure=insecure,
        certificate=settings.of("CERTIFICATE")[1] or None,
        client_certificate=client_certificate[1] or None,
        client_key=client_key[1] or None,
        timeout_s=_timeout_s(settings),
        compression=_compression(settings),
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    environ: Mapping[str, str]
    signal: Signal

    def specific(self, name: str) -> str:
        return f"OTEL_EXPORTER_OTLP_{self.signal.upper()}_{name}"

    def of(self, name: str) -> tuple[str, str]:
        """The variable that counts and its value: the signal's own, else the common one.

        An empty value is as good as none (specification, "Parsing empty value").
        """
        for variable in (self.specific(name), f"OTEL_EXPORTER_OTLP_{name}"):
            if value := self.environ.get(variable, "").strip():
                return variable, value
        return f"OTEL_EXPORTER_OTLP_{name}", ""


def _find_endpoint(settings: _Settings, given: str | None) -> tuple[str, str] | None:
    if given is not None and given.strip():
        return "the OTLP endpoint", given.strip()
    variable, value = settings.of("ENDPOINT")
    return (variable, value) if value else None


def _protocol(settings: _Settings, given: str | None) -> Protocol:
    variable, value = settings.of("PROTOCOL")
    if given is not None and given.strip():
        variable, value = "the OTLP protocol", given.strip()
    try:
        return Protocol(value.lower() or Protocol.HTTP_PROTOBUF)
    except ValueError as error:
        raise BadTargetError(f"{variable}: use grpc or http/protobuf, not {value!r}") from error


def _split(variable: str, url: str) -> SplitResult:
    """The parts of a URL. The URL is not quoted in errors: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises where it is no number
    except ValueError:
        # "from None": the error quotes the URL.
        raise BadTargetError(f"{variable}: not a URL; write http://HOST:PORT") from None
    if not parts.hostname or port == 0 or any(c.isspace() or not c.isprintable() for c in url):
        raise BadTargetError(f"{variable}: names no host; write http://HOST:PORT")
    if parts.username is not None or parts.password is not None:
        raise BadTargetError(
            f"{variable}: holds credentials; put them into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return parts


def _http_url(settings: _Settings, variable: str, url: str) -> tuple[str, bool]:
    if not url.lower().startswith(("http://", "https://")):
        raise BadTargetError(f"{variable}: has no http:// or https://; write http://HOST:4318")
    parts = _split(variable, url)
    if variable == settings.specific("ENDPOINT"):
        path = parts.path or "/"
    else:
        own = f"/v1/{settings.signal}"
        path = parts.path.rstrip("/").removesuffix(own) + own
    return parts._replace(path=path, fragment="").geturl(), parts.scheme == "http"


def _grpc_address(settings: _Settings, variable: str, url: str) -> tuple[str, bool]:
    bare = "://" not in url
    parts = _split(variable, f"//{url}" if bare else url)
    if not bare and parts.scheme not in _PORTS:
        raise BadTargetError(f"{variable}: use http:// (plain text) or https:// (TLS) for grpc")
    # INSECURE counts only where no scheme decides.
    insecure = _insecure(settings) if bare else parts.scheme == "http"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or _PORTS['http' if insecure else 'https']}", insecure


def _insecure(settings: _Settings) -> bool:
    variable, value = settings.of("INSECURE")
    if value.lower() not in {"", "true", "false"}:
        raise BadTargetError(f"{variable}: use true or false, not {value!r}")
    return value.lower() == "true"


def _timeout_s(settings: _Settings) -> float:
    variable, value = settings.of("TIMEOUT")
    milliseconds = value or _TIMEOUT_MS
    if not milliseconds.isdecimal() or int(milliseconds) == 0:
        raise BadTargetError(f"{variable}: use a whole number of milliseconds, not {value!r}")
    return int(milliseconds) / 1000


def _compression(settings: _Settings) -> Compression:
    variable, value = settings.of("COMPRESSION")
    try:
        return Compression(value.lower() or Compression.NONE)
    except ValueError as error:
        raise BadTargetError(f"{variable}: use gzip or none, not {value!r}") from error
