"""A client that is interrupted, and one that dies."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import SLOW, WAIT_LONG, hooks

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


def begin(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()


def interrupted_install(helm: Helm, number: signal.Signals) -> None:
    """The workload gets ready all the same, after Helm has stopped waiting for it."""
    shows = deploys(
        "install",
        1,
        "cancellation cancelled",
        rollout="success",
        attributes={"helm.release.status": "failed"},
    )
    helm.cut_short(number, "install", *WAIT_LONG, values=SLOW, shows=[shows])


def interrupted_upgrade(helm: Helm, number: signal.Signals) -> None:
    begin(helm)
    shows = deploys("upgrade", 2, "cancellation cancelled", rollout="success", inherited=True)
    helm.cut_short(number, "upgrade", *WAIT_LONG, values=SLOW, shows=[shows])


@scenario()
def install_interrupted_by_sigint(helm: Helm) -> None:
    interrupted_install(helm, signal.SIGINT)


@scenario()
def install_interrupted_by_sigterm(helm: Helm) -> None:
    interrupted_install(helm, signal.SIGTERM)


@scenario()
def upgrade_interrupted_by_sigint(helm: Helm) -> None:
    interrupted_upgrade(helm, signal.SIGINT)


@scenario()
def upgrade_interrupted_by_sigterm(helm: Helm) -> None:
    interrupted_upgrade(helm, signal.SIGTERM)


@scenario()
def upgrade_interrupted_in_its_hook(helm: Helm) -> None:
    begin(helm)
    shows = deploys(
        "upgrade",
        2,
        "cancellation cancelled",
        rollout=None,
        hooks={hook("pre-upgrade"): "cancellation cancelled"},
        inherited=True,
    )
    values = hooks("pre-upgrade", runFor="60s")
    helm.cut_short(signal.SIGINT, "upgrade", values=values, in_hook=True, shows=[shows])


@scenario()
def install_killed_then_rolled_back(helm: Helm) -> None:
    """What the client left is the rollback's to finish; the rollout began with the install."""
    killed = deploys("install", 1, "error abandoned", rollout="success", ends_later=True)
    helm.cut_short(signal.SIGKILL, "install", *WAIT_LONG, values=SLOW, shows=[killed])
    helm.rollback(1, shows=[deploys("rollback", 2, rollout=None)])


@scenario()
def install_killed_then_uninstalled(helm: Helm) -> None:
    """Storage shows the very writes of an install that was taken back, and so it is read."""
    undone = deploys(
        "install",
        1,
        "failure _OTHER",
        rollout="cancellation cancelled",
        message="taken back",
        ends_later=True,
    )
    helm.cut_short(signal.SIGKILL, "install", *WAIT_LONG, values=SLOW, shows=[undone])
    helm.uninstall(shows=[uninstall(1, links=("remedied",))])


@scenario()
def upgrade_killed_then_rolled_back(helm: Helm) -> None:
    begin(helm)
    killed = deploys(
        "upgrade",
        2,
        "error abandoned",
        rollout="cancellation cancelled",
        inherited=True,
        ends_later=True,
        message="revision 3 began",
    )
    helm.cut_short(signal.SIGKILL, "upgrade", *WAIT_LONG, values=SLOW, shows=[killed])
    helm.rollback(1, shows=[deploys("rollback", 3)])


@scenario()
def upgrade_killed_then_uninstalled(helm: Helm) -> None:
    begin(helm)
    killed = deploys(
        "upgrade",
        2,
        "error abandoned",
        rollout="cancellation cancelled",
        inherited=True,
        ends_later=True,
        message="uninstall began",
    )
    helm.cut_short(signal.SIGKILL, "upgrade", *WAIT_LONG, values=SLOW, shows=[killed])
    helm.uninstall(shows=[uninstall(2)])
