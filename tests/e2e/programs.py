"""`helmwake run` and `helmwake record`, as processes that a user would start."""

from __future__ import annotations

import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.controlplane.process import Process, free_port
from tests.controlplane.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

HELMWAKE: Final = Path(sys.executable).with_name("helmwake")
# The shipped Deployment's terminationGracePeriodSeconds.
GRACE_SECONDS: Final = 30
# What no log may hold, whatever Helm does.
DEFECTS: Final = re.compile(r"Traceback|could not be applied|\b(?:ERROR|CRITICAL)\b")


class Program(Process):
    """A command of ours."""

    def __init__(
        self, *arguments: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__([HELMWAKE, *arguments], log=log, environment=environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> int:
        """End it with SIGTERM; its exit code, which is -9 where it outlasted its grace."""
        self.stop(grace_seconds=GRACE_SECONDS)
        return int(self._popen.returncode)

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


class Operator(Program):
    """A running operator, ready."""

    def __init__(
        self,
        *arguments: str,
        kubeconfig: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.http: Final = f"http://127.0.0.1:{free_port()}"
        address = self.http.removeprefix("http://")
        super().__init__(
            "run",
            "--kubeconfig",
            str(kubeconfig),
            "--http-address",
            address,
            *arguments,
            log=log,
            environment=environment,
        )
        try:
            self.wait_until(lambda: self.ask("/readyz") is not None)
        except BaseException:
            self.finish()
            raise

    def ask(self, path: str) -> str | None:
        """The page at this path; None if it is not there, or says no."""
        try:
            with urllib.request.urlopen(self.http + path, timeout=10) as answer:  # noqa: S310
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except OSError:
            return None


class Recorder(Program):
    """A running recorder, which has seen what there was."""

    def __init__(self, file: Path, *, kubeconfig: Path, log: Path) -> None:
        self.file: Final = file
        super().__init__("record", str(file), "--kubeconfig", str(kubeconfig), log=log)

        def begun() -> bool:
            return file.exists() and '"Namespace"' in file.read_text(encoding="utf-8")

        try:
            wait_for("the recorder's first lines", begun)
        except BaseException:
            self.finish()
            raise


def defects(log: str) -> list[str]:
    """Return the lines of a log that tell of a defect of ours."""
    return [line for line in log.splitlines() if DEFECTS.search(line)]
