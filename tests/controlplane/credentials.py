"""Who may speak to the test cluster: users with tokens, and keys for ServiceAccounts."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

ADMIN_GROUP: Final = "system:masters"
# The order of the P-256 group, and its object identifier in DER.
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_OID: Final = bytes.fromhex("06082a8648ce3d030107")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the token file, with all rights, to be told apart in the audit log."""

    name: str
    token: str

    @classmethod
    def named(cls, name: str) -> User:
        """Give a user a new random token."""
        return cls(name=name, token=secrets.token_urlsafe())


def write_token_file(path: Path, *users: User) -> None:
    """Write what kube-apiserver's --token-auth-file reads."""
    lines = (f'{user.token},{user.name},{user.name},"{ADMIN_GROUP}"\n' for user in users)
    path.write_text("".join(lines), encoding="utf-8")
    path.chmod(0o600)


def write_signing_key(path: Path) -> None:
    """Write a new P-256 private key, with which ServiceAccount tokens are signed.

    SEC 1 lets the public half be left out, and Go computes it: then a key is a
    random number, and neither OpenSSL nor a package is needed to make one.
    """
    number = secrets.randbelow(P256_ORDER - 1) + 1
    curve = _der(0xA0, P256_OID)
    key = _der(0x30, _der(0x02, b"\x01") + _der(0x04, number.to_bytes(32)) + curve)
    body = base64.encodebytes(key).decode()
    text = f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"
    path.write_text(text, encoding="ascii")
    path.chmod(0o600)


def write_kubeconfig(
    path: Path, *, server: str, ca_file: Path, token: str, namespace: str = "default"
) -> None:
    """Write a kubeconfig of one user. JSON is YAML too."""
    cluster = {"server": server, "certificate-authority": str(ca_file)}
    context = {"cluster": "test", "user": "test", "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    path.chmod(0o600)


def _der(tag: int, content: bytes) -> bytes:
    # One byte of length is enough for a key of this size.
    return bytes((tag, len(content))) + content
