"""Who is measured, and how one sees that it knows all records."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.programs.said import KNOWN
from tests.bench.usage import Usage, measure
from tests.controlplane.process import Process
from tests.live.installed import ROOT, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.controlplane.cluster import ControlPlane

# `python -X importtime`: self | cumulative | name, indented by depth.
IMPORTED: Final = re.compile(r"import time:\s+\d+ \|\s+\d+ \|\s+(\S+)")
GRACE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One filled cluster, and where the contenders' logs go."""

    cluster: ControlPlane
    directory: Path
    revisions: int
    otlp_options: tuple[str, ...]

    @contextmanager
    def ours(self, *interpreter_options: str) -> Iterator[tuple[Usage, Operator]]:
        """Measure our operator until it is ready; it goes on within the block."""
        started: list[Operator] = []

        def start() -> Process:
            log = self.directory / "helmwake.log"
            log.unlink(missing_ok=True)
            started.append(
                Operator(
                    self.cluster,
                    self.directory,
                    *self.otlp_options,
                    # The records are minutes old, and would be history to tell.
                    "--backfill",
                    "none",
                    interpreter_options=interpreter_options,
                )
            )
            return started[0].process

        def known(_: Process) -> bool:
            return started[0].is_ready() and started[0].listed("secrets") >= self.revisions

        try:
            yield measure(start, known=known), started[0]
        finally:
            for operator in started:
                operator.stop()

    def imports(self) -> list[str]:
        """Name all that a run of ours imports, however late."""
        with self.ours("-X", "importtime") as (_, operator):
            log = operator.process.log
        return IMPORTED.findall(log.read_text(encoding="utf-8"))

    def only_imports(self, names: list[str]) -> Usage:
        file = self.directory / "imports.txt"
        file.write_text("\n".join(names), encoding="utf-8")
        return self.program("imports", str(file))

    def handler(self) -> Usage:
        login = {"KUBECONFIG": str(self.cluster.kubeconfig)}
        return self.program("handler", str(self.revisions), environment=login)

    def bare(self) -> Usage:
        cluster = self.cluster
        return self.program("bare", cluster.server, cluster.admin_token, str(cluster.ca_file))

    def program(
        self, name: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Usage:
        """Measure one of `programs` until it says that it knows all."""
        return measure_program(
            name, *arguments, directory=self.directory, environment=environment
        )[0]


def measure_program(
    name: str,
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[Usage, str]:
    """Measure one of `programs`; return also what it said with KNOWN."""
    log = directory / f"{name}.log"
    log.unlink(missing_ok=True)
    started: list[Process] = []

    def start() -> Process:
        command = [sys.executable, "-m", f"tests.bench.programs.{name}", *arguments]
        paths = {"PYTHONPATH": str(ROOT)}
        started.append(Process(command, log=log, environment={**paths, **(environment or {})}))
        return started[0]

    def said() -> list[str]:
        lines = log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith(f"{KNOWN} ")]

    try:
        usage = measure(start, known=lambda _: bool(said()))
        return usage, said()[0].removeprefix(f"{KNOWN} ")
    finally:
        for process in started:
            process.stop(grace_seconds=GRACE_SECONDS)
