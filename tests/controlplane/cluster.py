"""A whole control plane on this machine: etcd, Kubernetes, and KWOK in place of kubelets."""

from __future__ import annotations

import itertools
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from tests.controlplane import components
from tests.controlplane.api import Api
from tests.controlplane.commands import Commands
from tests.controlplane.credentials import (
    User,
    write_kubeconfig,
    write_signing_key,
    write_token_file,
)
from tests.controlplane.process import free_port
from tests.controlplane.waiting import wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.controlplane.commands import HelmVersion
    from tests.controlplane.process import Process

TOKEN_SECONDS: Final = 24 * 3600


class AuditOffError(RuntimeError):
    """Requests were to be counted, and nobody wrote them down."""

    def __init__(self) -> None:
        super().__init__("the audit log is off; start with ControlPlane(..., audit=True)")


class ControlPlane:
    """A running cluster. Leave its `with` block, or call `stop`, to end it."""

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int = 1,
        audit: bool = False,
        apiserver_arguments: Sequence[str] = (),
    ) -> None:
        self.directory: Final = directory
        self.processes: Final[dict[str, Process]] = {}
        self._port: Final = free_port()
        self.server: Final = f"https://127.0.0.1:{self._port}"
        # What it makes itself: its certificate, then that of the authority who signed it.
        self.ca_file: Final = directory / "apiserver" / "apiserver.crt"
        self.kubeconfig: Final = directory / "admin.kubeconfig"
        self._apiserver_arguments: Final = tuple(apiserver_arguments)
        self._audit_log: Final = directory / "audit.log" if audit else None
        self._file_numbers: Final = itertools.count(1)

        admin = User.named("admin")
        self.admin_token: Final = admin.token
        self.api: Final = Api(server=self.server, token=admin.token, ca_file=self.ca_file)
        self._commands: Final = Commands(kubeconfig=self.kubeconfig, home=directory / "helm")
        self._write_kubeconfig(self.kubeconfig, token=admin.token)

        parts = [User.named(name) for name in components.CLIENTS]
        write_token_file(directory / "tokens.csv", admin, *parts)
        write_signing_key(directory / "service-accounts.key")
        with ExitStack() as on_error:
            on_error.callback(self.stop)
            self._etcd: Final = components.Etcd(directory)
            self.processes["etcd"] = self._etcd.process
            self.start_apiserver()
            for part in parts:
                login = directory / f"{part.name}.kubeconfig"
                self._write_kubeconfig(login, token=part.token)
                start = components.CLIENTS[part.name]
                self.processes[part.name] = start(directory, login)
            self._add_nodes(nodes)
            on_error.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all its processes, the last started first."""
        while self.processes:
            _, process = self.processes.popitem()
            process.stop()

    def stop_apiserver(self) -> None:
        """Take the apiserver away, as a crash does; all others wait for it to come back."""
        # In order it would wait for its watchers first. It keeps its place in the order of ends.
        self.processes["kube-apiserver"].stop(grace_seconds=0)

    def start_apiserver(self) -> None:
        """Start the apiserver, always at the same address, and wait until it is ready.

        A new one remembers no changes: a watch from before it gets 410 Gone.
        """
        process = self.processes["kube-apiserver"] = components.start_apiserver(
            self.directory,
            port=self._port,
            etcd_url=self._etcd.url,
            audit_log=self._audit_log,
            extra=self._apiserver_arguments,
        )
        impatient = replace(self.api, timeout_seconds=5)
        process.wait_until(lambda: components.is_ready(impatient))

    def compact_etcd(self) -> int:
        """Forget the past in etcd, and return the revision that is left.

        Watches that the apiserver's cache serves go on, with a window of the past of their
        own. Where they must get 410 Gone, restart the apiserver as well, or start with
        `apiserver_arguments=["--watch-cache-sizes=secrets#0"]`.
        """
        return self._etcd.compact()

    def audit_events(
        self,
        *,
        user: str | None = None,
        agent: str | None = None,
        since: datetime | None = None,
    ) -> list[Any]:
        """Read who asked for what: of this user, or of user agents with this beginning.

        `since` leaves out what others asked before, with the same account.

        Raises:
            AuditOffError: nothing was written down.

        """
        if self._audit_log is None:
            raise AuditOffError
        with self._audit_log.open(encoding="utf-8") as lines:
            # The last line may be half written.
            events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [
            event
            for event in events
            if user in {None, event["user"].get("username")}
            and (
                since is None or datetime.fromisoformat(event["requestReceivedTimestamp"]) >= since
            )
            and event.get("userAgent", "").startswith(agent or "")
        ]

    def kubeconfig_for(self, token: str, *, namespace: str = "default") -> Path:
        """Write a kubeconfig that logs in with this token, e.g. of a ServiceAccount."""
        path = self.directory / f"login-{next(self._file_numbers)}.kubeconfig"
        self._write_kubeconfig(path, token=token, namespace=namespace)
        return path

    def token_for(self, namespace: str, service_account: str) -> str:
        """Ask for a token of a ServiceAccount, as its pods get one."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token"
        answer = self.api.create(path, {"spec": {"expirationSeconds": TOKEN_SECONDS}})
        return str(answer["status"]["token"])

    def create_namespace(self, name: str, *, labels: Mapping[str, str] | None = None) -> None:
        """Create a namespace, and wait until pods can be created in it."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.api.create("/api/v1/namespaces", {"metadata": metadata})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        wait_for(f"the default ServiceAccount of {name}", lambda: self.api.find(account))

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as admin; see Commands."""
        return self._commands.kubectl(*arguments, stdin=stdin, check=check)

    def helm(
        self,
        *arguments: str,
        version: HelmVersion = 4,
        env: Mapping[str, str] | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run helm as admin; see Commands."""
        return self._commands.helm(*arguments, version=version, env=env, check=check)

    def helm_process(
        self, *arguments: str, version: HelmVersion = 4, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start helm as admin; see Commands."""
        return self._commands.helm_process(*arguments, version=version, env=env)

    def _write_kubeconfig(self, path: Path, *, token: str, namespace: str = "default") -> None:
        write_kubeconfig(
            path, server=self.server, ca_file=self.ca_file, token=token, namespace=namespace
        )

    def _add_nodes(self, count: int) -> None:
        for number in range(1, count + 1):
            self.api.create("/api/v1/nodes", components.node(f"node-{number}"))

        def all_ready() -> bool:
            nodes = self.api.items("/api/v1/nodes")
            # The taint goes a moment after the condition has come.
            return all(components.is_schedulable(node) for node in nodes)

        wait_for("ready nodes", all_ready)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        wait_for("the default ServiceAccount", lambda: self.api.find(account))
