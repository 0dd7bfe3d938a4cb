"""kubectl and both Helms, called as a person would call them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from tests.controlplane import toolbox

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HelmVersion: TypeAlias = Literal[3, 4]
HELMS: Final[Mapping[HelmVersion, toolbox.Tool]] = {3: toolbox.HELM_3, 4: toolbox.HELM_4}


class CommandError(AssertionError):
    """A command that had to succeed and did not; carries all that it said."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        command = " ".join(map(str, done.args))
        super().__init__(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Commands under one login, with nothing of the user of this machine in them."""

    kubeconfig: Path
    home: Path

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl.

        Raises:
            CommandError: it failed, unless `check` is off.

        """
        binary = toolbox.locate(toolbox.KUBERNETES, "kubectl")
        return self._run([str(binary), *arguments], stdin=stdin, check=check)

    def helm(
        self,
        *arguments: str,
        version: HelmVersion = 4,
        env: Mapping[str, str] | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run helm and wait for its end.

        Raises:
            CommandError: it failed, if `check` is on.

        """
        binary = toolbox.locate(HELMS[version], "helm")
        return self._run([str(binary), *arguments], env=env, check=check)

    def helm_process(
        self,
        *arguments: str,
        version: HelmVersion = 4,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start helm, to be signalled by the test, which also waits for it."""
        return subprocess.Popen(
            [toolbox.locate(HELMS[version], "helm"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(env),
        )

    def _run(
        self,
        command: Sequence[str],
        *,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            input=stdin or "",
            capture_output=True,
            text=True,
            env=self._environment(env),
            check=False,
        )
        if check and done.returncode:
            raise CommandError(done)
        return done

    def _environment(self, more: Mapping[str, str] | None) -> Mapping[str, str]:
        # HELM_NAMESPACE, HELM_DRIVER and the like of this shell would change what is tested.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
        folders = {
            f"HELM_{kind}_HOME": str(self.home / kind.lower())
            for kind in ("CACHE", "CONFIG", "DATA")
        }
        return kept | folders | {"KUBECONFIG": str(self.kubeconfig)} | dict(more or {})
