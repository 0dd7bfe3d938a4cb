"""Two upgrades by one Helm, a good one and one that fails, and all who look on meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.cli.spans_terminal import CTRL_C, TerminalSession, in_terminal
from tests.controlplane.waiting import wait_for
from tests.e2e.ledger.backend import SECONDS
from tests.e2e.ledger.deliveries import Shop
from tests.e2e.programs import HELMWAKE

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from tests.controlplane.commands import HelmVersion
    from tests.e2e.ledger.home import Home

REPLICAS: Final = 3
WIDTH: Final = 100
# No pod more than there are: the upgrade's first new one is refused.
QUOTA: Final = {"metadata": {"name": "full"}, "spec": {"hard": {"pods": str(REPLICAS)}}}
DEADLINE_SECONDS: Final = 8
VERSIONS: Final[tuple[HelmVersion, ...]] = (3, 4)


def context_of(version: HelmVersion, revision: int) -> str:
    return f"6f1c2d3e-0000-4000-8000-00000000{version:02}{revision:02}"


def namespace_of(version: HelmVersion) -> str:
    return f"shown-{version}"


class Asked:
    """A `helmwake spans` of a pipeline: not in a terminal, and it runs until it has its answer."""

    def __init__(self, *arguments: str, home: Home, kubeconfig: Path, log: Path) -> None:
        self._log: Final = log
        with log.open("wb") as output, log.with_suffix(".err").open("wb") as errors:
            self._popen: Final = subprocess.Popen(
                [HELMWAKE, "spans", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment(home, kubeconfig),
            )

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8")

    @property
    def errors(self) -> str:
        return self._log.with_suffix(".err").read_text("utf-8")

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll()

    def ended(self) -> int:
        return self._popen.wait(SECONDS)

    def interrupt(self) -> int:
        self._popen.send_signal(signal.SIGINT)
        return self.ended()

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()


def environment(home: Home, kubeconfig: Path) -> dict[str, str]:
    more = {"KUBECONFIG": str(kubeconfig), "HELMWAKE_NAMESPACE": home.ledger, "NO_COLOR": "1"}
    return {**os.environ, **more}


@dataclass(slots=True, kw_only=True)
class Shown:
    """What those saw who looked on while one Helm was at work."""

    running: list[str] = field(default_factory=list)  # screens
    failing: list[str] = field(default_factory=list)
    left: str = ""  # on the terminal, when all was over
    exit_code: int | None = None
    exit_codes: dict[str, int | None] = field(default_factory=dict)
    too_early: list[str] = field(default_factory=list)  # waits that ended before the upgrade began


async def show(home: Home, version: HelmVersion, *, reader: Path, files: Path) -> Shown:
    """Upgrade twice; keep the screens that a person at a terminal sees."""
    namespace = namespace_of(version)
    shop = Shop(cluster=home.cluster, namespace=namespace, version=version)
    shown = Shown()
    waits = {
        name: Asked(*asked, home=home, kubeconfig=reader, log=files / f"{name}-{version}.txt")
        for name, asked in _waits(version).items()
    }
    follow = ("spans", "--follow", "--release", f"{namespace}/cart", "--namespace", home.ledger)
    try:
        async with in_terminal(*follow, kubeconfig=str(reader), width=WIDTH) as terminal:
            await terminal.until(lambda lines: lines == ["nothing is running; Ctrl-C ends"])
            await asyncio.to_thread(_wait_until_watched, home, len(VERSIONS) * 2 + 1)
            shown.too_early = [name for name in waits if waits[name].exit_code is not None]
            await _good_upgrade(shop, terminal, shown)
            await _failing_upgrade(shop, terminal, shown)
            terminal.press(CTRL_C)
            shown.exit_code = await terminal.ended()
            shown.left = "\n".join(terminal.lines)
        for name, wait in waits.items():
            shown.exit_codes[name] = await asyncio.to_thread(wait.ended)
    finally:
        for wait in waits.values():
            wait.kill()
    return shown


def _waits(version: HelmVersion) -> dict[str, tuple[str, ...]]:
    """Ask for the good one by its revision and for the other by its context, or contrariwise."""
    by_revision, by_context = (2, 3) if version == VERSIONS[0] else (3, 2)
    release = ("--wait", "--release", f"{namespace_of(version)}/cart")
    return {
        f"revision {by_revision}": (*release, "--revision", str(by_revision)),
        f"context {by_context}": ("--wait", "--keptn-context", context_of(version, by_context)),
    }


def _wait_until_watched(home: Home, watches: int) -> None:
    reader = f"system:serviceaccount:{home.ledger}:reader"

    def all_watch() -> bool:
        events = home.cluster.audit_events(user=reader)
        begun = [each for each in events if each["verb"] == "watch"]
        return len({each["auditID"] for each in begun}) >= watches

    wait_for("all who look on", all_watch, seconds=SECONDS)


async def _good_upgrade(shop: Shop, terminal: TerminalSession, shown: Shown) -> None:
    upgrade = asyncio.to_thread(
        shop.upgrade,
        "cart",
        context=context_of(shop.version, 2),
        replicas=REPLICAS,
        readyAfter="1500ms",
        podAnnotations={"step": "2"},
    )
    await _watched_until(terminal, upgrade, "✓ upgrade", keep=shown.running)


async def _failing_upgrade(shop: Shop, terminal: TerminalSession, shown: Shown) -> None:
    quotas = f"/api/v1/namespaces/{shop.namespace}/resourcequotas"
    shop.cluster.api.create(quotas, QUOTA)
    upgrade = asyncio.to_thread(
        shop.upgrade,
        "cart",
        context=context_of(shop.version, 3),
        replicas=REPLICAS,
        progressDeadlineSeconds=DEADLINE_SECONDS,
        podAnnotations={"step": "3"},
    )
    await _watched_until(terminal, upgrade, "✗ upgrade", keep=shown.failing)


async def _watched_until(
    terminal: TerminalSession, upgrade: Coroutine[Any, Any, None], end: str, *, keep: list[str]
) -> None:
    """Keep each screen until one has a line with this beginning."""

    def seen(lines: list[str]) -> bool:
        screen = "\n".join(lines)
        if not keep or keep[-1] != screen:
            keep.append(screen)
        return any(line.startswith(end) for line in lines)

    await asyncio.gather(upgrade, terminal.until(seen))
