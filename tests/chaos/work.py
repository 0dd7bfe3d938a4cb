"""Sixty operations of Helm and a few more, in several releases at the same time."""

from __future__ import annotations

import itertools
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.e2e.helm import CONTEXT, Helm
from tests.e2e.scenarios.values import (
    NEVER_READY,
    NEW_IMAGE,
    NEWER_IMAGE,
    REFUSED,
    SLOW,
    WAIT,
    WAIT_LONG,
    hooks,
    tests,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.commands import HelmVersion
    from tests.e2e.counting import Command
    from tests.e2e.expected import Operation

LANES: Final = 3
POLL_SECONDS: Final = 0.2
# Kills that do not come must not hold up the work for ever.
GATE_SECONDS: Final = 20.0


class PacedHelm(Helm):
    """Gives each revision a Keptn context of its own, and waits its turn."""

    def __init__(self, *arguments: Any, turn: Callable[[], None], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._turn: Final = turn

    def run(
        self,
        verb: str,
        *flags: str,
        shows: Iterable[Operation] = (),
        values: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        exits: int = 0,
    ) -> None:
        self._turn()
        if verb in {"install", "upgrade"}:
            labels = {CONTEXT: str(uuid.uuid4())}
        super().run(verb, *flags, shows=shows, values=values, labels=labels, exits=exits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is done to one release."""

    name: str
    operations: int
    tell: Callable[[PacedHelm], None]


def delivers(helm: PacedHelm) -> None:
    helm.run("install", *WAIT_LONG)
    helm.run("upgrade", values=NEW_IMAGE)
    helm.run("upgrade", *WAIT_LONG, values=NEWER_IMAGE)
    helm.wait_until_ready()
    helm.run("rollback", "1", *WAIT_LONG)
    helm.run("uninstall")


def fails(helm: PacedHelm) -> None:
    helm.run("install")
    helm.wait_until_ready()
    helm.run("upgrade", *WAIT, values=NEVER_READY, exits=1)
    helm.run("rollback", "1", *WAIT_LONG)
    helm.run("upgrade", values=NEW_IMAGE)
    helm.run("uninstall", "--keep-history")


def undoes(helm: PacedHelm) -> None:
    helm.run("install")
    helm.wait_until_ready()
    helm.run("upgrade", helm.undo_flag, "--timeout", "4s", values=NEVER_READY, exits=1)
    helm.run("upgrade", values=NEW_IMAGE)
    helm.run("uninstall", "--wait")


def takes_back(helm: PacedHelm) -> None:
    helm.run("install", helm.undo_flag, "--timeout", "4s", values=NEVER_READY, exits=1)
    helm.run("install", *WAIT_LONG)
    helm.run("uninstall")


def dies(helm: PacedHelm) -> None:
    helm.run("install")
    helm.wait_until_ready()
    helm.cut_short(signal.SIGKILL, "upgrade", *WAIT_LONG, values=SLOW, shows=())
    helm.run("rollback", "1")
    helm.run("upgrade", values=NEW_IMAGE)
    helm.wait_until_ready()


def tries_out(helm: PacedHelm) -> None:
    helm.run("install", values=tests(first=True, second=True))
    helm.wait_until_ready()
    helm.run("test")
    helm.run("test")
    helm.run("upgrade", values=NEW_IMAGE | tests(first=False))
    helm.wait_until_ready()
    helm.run("test", exits=1)
    helm.run("uninstall")


def hooks_in(helm: PacedHelm) -> None:
    some = ("pre-install", "post-install", "pre-upgrade", "pre-rollback", "pre-delete")
    values = hooks(*some, runFor="1s")
    helm.run("install", values=values)
    helm.run("upgrade", values=values | NEW_IMAGE)
    helm.wait_until_ready()
    helm.run("rollback", "1")
    helm.run("uninstall")


def hurries(helm: PacedHelm) -> None:
    helm.run("install")
    for values in (NEW_IMAGE, NEWER_IMAGE, NEW_IMAGE):
        helm.run("upgrade", "--history-max", "2", values=values)
    helm.run("uninstall")


def replaces(helm: PacedHelm) -> None:
    helm.run("install", values=REFUSED, exits=1)
    helm.run("install", "--replace")
    helm.wait_until_ready()
    helm.run("uninstall", "--keep-history")
    helm.run("install", "--replace", values=NEW_IMAGE)


STORIES: Final = (
    Story(name="delivers", operations=5, tell=delivers),
    Story(name="fails", operations=5, tell=fails),
    Story(name="undoes", operations=5, tell=undoes),
    Story(name="takes-back", operations=4, tell=takes_back),
    Story(name="dies", operations=4, tell=dies),
    Story(name="tries-out", operations=6, tell=tries_out),
    Story(name="hooks-in", operations=4, tell=hooks_in),
    Story(name="hurries", operations=5, tell=hurries),
    Story(name="replaces", operations=4, tell=replaces),
)


def choose(operations: int, rng: Random) -> list[tuple[Story, HelmVersion]]:
    """Choose stories of so many operations or a few more: each once before any is told again."""
    chosen: list[tuple[Story, HelmVersion]] = []
    left = operations
    versions: Sequence[HelmVersion] = (3, 4)
    while left > 0:
        for story in rng.sample(STORIES, len(STORIES)):
            if left > 0:
                chosen.append((story, versions[len(chosen) % 2]))
                left -= story.operations
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Where it is done."""

    cluster: ControlPlane
    name: str
    labels: Mapping[str, str]  # of its namespaces
    files: Path
    allows: Callable[[float], bool]  # a share of the work to be done

    def do(self, chosen: Sequence[tuple[Story, HelmVersion]]) -> list[tuple[str, list[Command]]]:
        """Tell all stories; what Helm did, by namespace."""
        commands = sum(story.operations for story, _ in chosen)
        turns = itertools.count()

        def turn() -> None:
            share = next(turns) / commands
            pause = threading.Event()
            for _ in range(int(GATE_SECONDS / POLL_SECONDS)):
                if self.allows(share):
                    return
                pause.wait(POLL_SECONDS)

        def tell(number: int, story: Story, version: HelmVersion) -> tuple[str, list[Command]]:
            namespace = f"{self.name}-{number:02}-{story.name}-{version}"
            self.cluster.create_namespace(namespace, labels=self.labels)
            helm = PacedHelm(
                self.cluster,
                version=version,
                namespace=namespace,
                context=str(uuid.uuid4()),
                files=self.files,
                operator_log=str,
                turn=turn,
            )
            story.tell(helm)
            return namespace, helm.commands

        with ThreadPoolExecutor(LANES, thread_name_prefix="lane") as lanes:
            told = [
                lanes.submit(tell, number, story, version)
                for number, (story, version) in enumerate(chosen)
            ]
            return [each.result() for each in told]
