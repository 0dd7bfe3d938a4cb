"""Headers of OTLP requests. Their values are secrets: no text made here holds one."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from helmwake.delivery.errors import BadTargetError

# What both HTTP and gRPC metadata allow in a name.
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
# opentelemetry.util.re.parse_env_headers logs an entry it cannot read, value and all. The
# exporters of metrics read the same variable with it, so what it cannot read is refused here.
_TO_BE_ENCODED: Final = frozenset('";\\')

_REDACTED: Final = "***"
# A tenant called "1" is no secret, and would blot out every 1.
_SECRET_MIN: Final = 6


def parse_headers(text: str, *, variable: str) -> dict[str, str]:
    """`name=value,name=value`, values percent-encoded; names come back in lower case.

    Raises:
        BadTargetError: an entry cannot be read or sent. It is named by its number.

    Source: OpenTelemetry specification, protocol/exporter.md, "Specifying headers via
    environment variables".
    """
    headers: dict[str, str] = {}
    for number, entry in enumerate(text.split(","), start=1):
        if not entry.strip():
            continue
        quoted_name, equals, quoted_value = entry.partition("=")
        name = unquote(quoted_name).strip().lower()
        value = unquote(quoted_value).strip()
        # grpc keeps -bin for binary values.
        if not equals or not name or not set(name) <= _NAME_CHARACTERS or name.endswith("-bin"):
            raise BadTargetError(f"{variable}: make entry {number} NAME=VALUE")
        if set(quoted_value) & _TO_BE_ENCODED or not (
            quoted_value.isprintable() and value.isascii() and value.isprintable()
        ):
            raise BadTargetError(
                f'{variable}: percent-encode ", ; and \\ in the value of {name}, '
                "and leave out what is not printable ASCII"
            )
        headers[name] = value
    return headers


def redact(text: str, headers: Mapping[str, str]) -> str:
    """A foreign text without our header values: backends echo what they were sent."""
    secrets = {part for value in headers.values() for part in (value, *value.split())}
    for secret in sorted(secrets, key=len, reverse=True):
        # The word before a credential is no secret.
        if len(secret) >= _SECRET_MIN and secret.lower() not in {"bearer", "digest"}:
            text = text.replace(secret, _REDACTED)
    return text
