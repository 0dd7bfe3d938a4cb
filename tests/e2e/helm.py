"""Helm, as a scenario calls it: every command is noted, and what it must show."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane.test_smoke import CHART
from tests.controlplane.waiting import wait_for
from tests.e2e.counting import Command, Revisions, revisions
from tests.e2e.expected import RELEASE
from tests.e2e.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.commands import HelmVersion
    from tests.e2e.expected import Operation

OBSERVED: Final = {"helmwake.dev/observe": "enabled"}
CONTEXT: Final = "keptn.sh/context"
COMMAND_SECONDS: Final = 60


class Helm:
    """One scenario's Helm of one version, in a namespace of its own."""

    def __init__(
        self,
        cluster: ControlPlane,
        *,
        version: HelmVersion,
        namespace: str,
        context: str,
        files: Path,
        operator_log: Callable[[], str],
    ) -> None:
        self.cluster: Final = cluster
        self.version: Final = version
        self.namespace: Final = namespace
        self.context: Final = context
        self.commands: Final[list[Command]] = []
        self.expected: Final[list[Operation]] = []
        self.driver: str | None = None
        self.observed = True
        self._files: Final = files
        self._workload: Final = Workload(api=cluster.api, namespace=namespace)
        self._operator_log: Final = operator_log
        self._revisions: Revisions = {}

    # What scenarios say.

    def install(
        self,
        *flags: str,
        shows: Iterable[Operation],
        values: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        exits: int = 0,
    ) -> None:
        """Install with the scenario's Keptn context among the labels, unless they name one."""
        labels = {CONTEXT: self.context} | dict(labels or {})
        self.run("install", *flags, values=values, labels=labels, exits=exits, shows=shows)

    def upgrade(
        self,
        *flags: str,
        shows: Iterable[Operation],
        values: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        exits: int = 0,
    ) -> None:
        self.run("upgrade", *flags, values=values, labels=labels, exits=exits, shows=shows)

    def rollback(
        self, revision: int, *flags: str, shows: Iterable[Operation], exits: int = 0
    ) -> None:
        self.run("rollback", str(revision), *flags, exits=exits, shows=shows)

    def uninstall(self, *flags: str, shows: Iterable[Operation], exits: int = 0) -> None:
        self.run("uninstall", *flags, exits=exits, shows=shows)

    def test(self, *flags: str, shows: Iterable[Operation], exits: int = 0) -> None:
        self.run("test", *flags, exits=exits, shows=shows)

    @property
    def undo_flag(self) -> str:
        """What undoes a failed install or upgrade."""
        return "--atomic" if self.version == 3 else "--rollback-on-failure"

    def run(
        self,
        verb: str,
        *flags: str,
        shows: Iterable[Operation],
        values: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        exits: int = 0,
    ) -> None:
        """Run a command to its end; it must end with this exit code."""
        arguments = self._arguments(verb, *flags, values=values, labels=labels)
        self.expected.extend(shows)
        began = datetime.now(UTC)
        done = self.cluster.helm(*arguments, version=self.version, env=self._environment)
        ended = datetime.now(UTC)
        command = self._note(
            verb, arguments, done.returncode, done.stdout + done.stderr, began=began, ended=ended
        )
        assert done.returncode == exits, str(command)

    def cut_short(
        self,
        number: signal.Signals,
        verb: str,
        *flags: str,
        shows: Iterable[Operation],
        values: Mapping[str, Any] | None = None,
        in_hook: bool = False,
    ) -> None:
        """Signal a command that waits, once the workload has changed or a hook's Job is there."""
        self.expected.extend(shows)
        command = self._interrupt(
            lambda process: process.send_signal(number),
            verb,
            *flags,
            values=values,
            in_hook=in_hook,
        )
        # An interrupted Helm says what it was doing, and fails.
        assert command.exit_code == (-number if number is signal.SIGKILL else 1), str(command)

    def meanwhile(
        self,
        do: Callable[[], None],
        verb: str,
        *flags: str,
        shows: Iterable[Operation],
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Do something while a command waits, once the workload has changed; it must succeed."""
        self.expected.extend(shows)
        command = self._interrupt(lambda _: do(), verb, *flags, values=values)
        assert command.exit_code == 0, str(command)

    def label_namespace(self, labels: Mapping[str, str | None], *, says: str) -> None:
        """Change the namespace's labels, and wait until the operator says so."""
        said = f"{self.namespace}: {says}"
        before = self._operator_log().count(said)
        self.cluster.api.patch(
            f"/api/v1/namespaces/{self.namespace}", {"metadata": {"labels": dict(labels)}}
        )
        wait_for(f"the operator's {said!r}", lambda: self._operator_log().count(said) > before)

    def wait_for_end_of(self, operation: str) -> None:
        """Wait until the operator has ended an operation, in the words of its log."""
        said = f"{self.namespace}/{RELEASE}: {operation} ended"
        wait_for(f"the operator's {said!r}", lambda: said in self._operator_log())

    def wait_until_ready(self) -> None:
        """Wait for the rollout, so that nothing of it is left when the next command begins."""
        self._workload.wait_until_ready()

    # How they are carried out.

    @property
    def _environment(self) -> dict[str, str]:
        return {"HELM_DRIVER": self.driver} if self.driver else {}

    def _interrupt(
        self,
        do: Callable[[subprocess.Popen[str]], None],
        verb: str,
        *flags: str,
        values: Mapping[str, Any] | None,
        in_hook: bool = False,
    ) -> Command:
        labels = {CONTEXT: self.context} if verb == "install" else None
        arguments = self._arguments(verb, *flags, values=values, labels=labels)
        look = self._workload.jobs if in_hook else self._workload.generation
        before = look()
        began = datetime.now(UTC)
        process = self.cluster.helm_process(
            *arguments, version=self.version, env=self._environment
        )
        wait_for(f"{verb} in {self.namespace} to be under way", lambda: look() > before)
        do(process)
        output, _ = process.communicate(timeout=COMMAND_SECONDS)
        ended = datetime.now(UTC)
        return self._note(verb, arguments, process.returncode, output, began=began, ended=ended)

    def _arguments(
        self,
        verb: str,
        *flags: str,
        values: Mapping[str, Any] | None,
        labels: Mapping[str, str] | None,
    ) -> tuple[str, ...]:
        arguments = [verb, RELEASE]
        if verb in {"install", "upgrade"}:
            arguments.append(CHART)
        arguments += [*flags, "-n", self.namespace]
        if values:
            number = len(self.commands)
            file = self._files / f"{self.namespace}-{number}.json"
            file.write_text(json.dumps(values), encoding="utf-8")
            arguments += ["-f", str(file)]
        if labels:
            arguments += ["--labels", ",".join(f"{key}={text}" for key, text in labels.items())]
        return tuple(arguments)

    def _note(
        self,
        verb: str,
        arguments: tuple[str, ...],
        code: int,
        output: str,
        *,
        began: datetime,
        ended: datetime,
    ) -> Command:
        after = self._history()
        command = Command(
            verb=verb,
            arguments=arguments,
            exit_code=code,
            output=output,
            began=began,
            ended=ended,
            before=self._revisions,
            after=after,
            observed=self.observed,
        )
        self._revisions = after
        self.commands.append(command)
        return command

    def _history(self) -> Revisions:
        arguments = ("history", RELEASE, "-n", self.namespace, "-o", "json")
        done: subprocess.CompletedProcess[str] = self.cluster.helm(
            *arguments, version=self.version, env=self._environment
        )
        if done.returncode:
            assert "not found" in done.stderr, done.stderr
            return {}
        return revisions(done.stdout)
