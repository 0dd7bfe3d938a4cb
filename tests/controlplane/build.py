"""Build the tools that the tests run: `python -m tests.controlplane.build [TOOL...]`.

Needs Python's standard library alone and a Go module proxy. A first run takes
about 20 minutes on two cores, later ones nothing.
"""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

import argparse
import fcntl
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane import golang, toolbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.controlplane.toolbox import Tool

SAY_EVERY_SECONDS: Final = 30.0
ERROR_LINES: Final = 40
UNFINISHED: Final = ".part"


class BuildError(RuntimeError):
    """The compiler refused; carries the end of what it said."""

    def __init__(self, tool: Tool, *, output: str) -> None:
        tail = "\n".join(output.splitlines()[-ERROR_LINES:])
        super().__init__(f"{tool.name} was not built:\n{tail}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is asked for and missing; print where each binary is."""
    known = {tool.name: tool for tool in toolbox.ALL}
    parser = argparse.ArgumentParser(
        prog="python -m tests.controlplane.build", description=__doc__
    )
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=", ".join(known))
    names = parser.parse_args(arguments).tools
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no such tool: {', '.join(unknown)}; there are {', '.join(known)}")
    tools = [known[name] for name in names] or [tool for tool in known.values() if tool.by_default]
    try:
        build(tools)
    except (BuildError, golang.NoGoError) as error:
        print(error, file=sys.stderr)
        return 1
    for tool in tools:
        for binary in tool.packages:
            print(tool.folder / binary)
    return 0


def build(tools: Sequence[Tool]) -> None:
    """Build those that are missing, one run at a time on this machine."""
    # Also the way of every later run: no lock and no Go is needed then.
    if all(tool.built for tool in tools):
        return
    cache = toolbox.cache()
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"):
        for left_by_a_killed_run in cache.glob(f"*{UNFINISHED}"):
            shutil.rmtree(left_by_a_killed_run)
        missing = [tool for tool in tools if not tool.built]
        go = golang.toolchain(cache=cache) if missing else Path()
        for number, tool in enumerate(missing, start=1):
            with _progress(tool, of=f"{number} of {len(missing)}"):
                _build(tool, go=go)


def _build(tool: Tool, *, go: Path) -> None:
    scratch = Path(
        tempfile.mkdtemp(prefix=f"{tool.name}-", suffix=UNFINISHED, dir=toolbox.cache())
    )
    try:
        sources, output = scratch / "sources", scratch / "output"
        shutil.copytree(tool.sources, sources)
        if toolbox.MAIN_OF_FOLDER in tool.packages.values():
            # Its modules are pinned by our go.mod, so the generator must not choose any.
            generate = ["tool", "builder", "--config=builder.yaml", "--skip-compilation"]
            _run(go, *generate, "--skip-get-modules", tool=tool, cwd=sources)
            shutil.copytree(sources / "generated", sources, dirs_exist_ok=True)
            shutil.rmtree(sources / "generated")
        for binary, package in tool.packages.items():
            flags = ("-trimpath", "-ldflags", tool.ldflags, "-o", str(output / binary))
            _run(go, "build", *flags, package, tool=tool, cwd=sources)
        output.rename(tool.folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(go: Path, *arguments: str, tool: Tool, cwd: Path) -> None:
    done = subprocess.run(
        [go, *arguments],
        cwd=cwd,
        env=golang.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(tool, output=done.stdout)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another build is running: waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _progress(tool: Tool, *, of: str) -> Iterator[None]:
    begun = time.monotonic()
    expected = tool.expected.total_seconds()
    ended = threading.Event()

    def say() -> None:
        while not ended.wait(SAY_EVERY_SECONDS):
            elapsed = time.monotonic() - begun
            print(f"tool {of}: {tool.name}: {elapsed:.0f} s of about {expected:.0f} s", flush=True)

    print(f"tool {of}: {tool.name}: about {expected:.0f} s on two cores", flush=True)
    speaker = threading.Thread(target=say, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        ended.set()
        speaker.join()
    print(f"tool {of}: {tool.name}: built in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
