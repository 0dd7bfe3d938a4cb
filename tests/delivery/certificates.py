"""A certificate authority and what it signs, made at the time of the test."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    other_authority: Path

    def server_context(self, *, mutual: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.authority))
        context.load_cert_chain(self.server, self.server_key)
        context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
        return context


def make_certificates(folder: Path) -> Certificates:
    """Needs the `openssl` command."""
    _authority(folder, "ca")
    _authority(folder, "other")
    _signed(folder, "server", extension="subjectAltName=DNS:localhost")
    _signed(folder, "client", extension="extendedKeyUsage=clientAuth")
    return Certificates(
        authority=folder / "ca.pem",
        server=folder / "server.pem",
        server_key=folder / "server.key",
        client=folder / "client.pem",
        client_key=folder / "client.key",
        other_authority=folder / "other.pem",
    )


_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _authority(folder: Path, name: str) -> None:
    _openssl(
        folder, "req", "-x509", *_KEY, "-days", "1", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.pem",
    )  # fmt: skip


def _signed(folder: Path, name: str, *, extension: str) -> None:
    (folder / f"{name}.ext").write_text(extension, encoding="ascii")
    _openssl(
        folder, "req", *_KEY, "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "1", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
    )  # fmt: skip


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
