"""Certificates and keys, read from the files that a target names."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.target import OtlpTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Pems:
    """The files' content, None where the target names no file."""

    certificate: bytes | None
    client_certificate: bytes | None
    client_key: bytes | None = field(repr=False)


def tls_context(target: OtlpTarget) -> ssl.SSLContext:
    """A context that trusts the target's authority, or the system's where it names none.

    Raises:
        BadTargetError: a file cannot be read or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=target.certificate)
    except OSError as error:  # ssl.SSLError too
        raise BadTargetError(f"certificate {target.certificate}: {_words(error)}") from error
    if target.client_certificate and target.client_key:
        try:
            # Without `password`, an encrypted key asks on the terminal and waits for ever.
            context.load_cert_chain(target.client_certificate, target.client_key, password="")
        except OSError as error:
            files = f"client certificate {target.client_certificate} and key {target.client_key}"
            raise BadTargetError(f"{files}: {_words(error)}") from error
    return context


def read_pems(target: OtlpTarget) -> Pems:
    """The same files as bytes, for libraries that do not take a context.

    Raises:
        BadTargetError: as in `tls_context`, which judges them first: gRPC notices a broken file
            only when it connects, and tells its own log.
    """
    tls_context(target)
    return Pems(
        certificate=_read(target.certificate),
        client_certificate=_read(target.client_certificate),
        client_key=_read(target.client_key),
    )


def _read(path: str | None) -> bytes | None:
    return Path(path).read_bytes() if path else None


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"is no usable PEM ({error.reason or 'unreadable'})"
    return error.strerror or type(error).__name__
