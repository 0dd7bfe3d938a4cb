"""Rows: install, install fails, install undone, install --replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import (
    GIVEN_UP,
    NEVER_READY,
    NEW_IMAGE,
    REFUSED,
    WAIT,
    WAIT_LONG,
    hooks,
)

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


@scenario()
def install(helm: Helm) -> None:
    about = {"helm.chart.name": "web", "helm.chart.version": "1.4.0"}
    about |= {"helm.chart.app_version": "2.0", "helm.release.status": "deployed"}
    helm.install(shows=[deploys("install", 1, attributes=about)])


@scenario()
def install_that_waits(helm: Helm) -> None:
    helm.install(*WAIT_LONG, values={"readyAfter": "2s"}, shows=[deploys("install", 1)])


@scenario(slow=True)
def install_times_out(helm: Helm) -> None:
    """Nothing but Helm's own deadline ends it: the rollout is given up a while after."""
    helm.install(
        *WAIT,
        values=NEVER_READY,
        exits=1,
        shows=[
            deploys(
                "install",
                1,
                "timeout timeout",
                rollout="timeout timeout",
                message="cart",
                attributes={"helm.release.status": "failed"},
            )
        ],
    )


@scenario()
def install_without_progress(helm: Helm) -> None:
    """Helm says deployed, and the rollout fails: the operation is a failure."""
    shows = deploys(
        "install",
        1,
        "failure progress_deadline_exceeded",
        apply="success",
        rollout="failure progress_deadline_exceeded",
        message="deployment/cart",
    )
    helm.install(values=GIVEN_UP, shows=[shows])


@scenario()
def install_refused(helm: Helm) -> None:
    shows = deploys(
        "install", 1, "failure _OTHER", rollout=None, message="Deployment cart: is invalid"
    )
    helm.install(values=REFUSED, exits=1, shows=[shows])


@scenario()
def install_hook_fails(helm: Helm) -> None:
    shows = deploys(
        "install",
        1,
        "failure hook_failed",
        rollout=None,
        hooks={hook("pre-install"): "failure hook_failed"},
        message="cart-pre-install",
    )
    helm.install(values=hooks("pre-install", fails=True), exits=1, shows=[shows])


@scenario()
def install_late_hook_fails(helm: Helm) -> None:
    shows = deploys(
        "install",
        1,
        "failure hook_failed",
        hooks={hook("post-install"): "failure hook_failed"},
        message="cart-post-install",
    )
    helm.install(values=hooks("post-install", fails=True), exits=1, shows=[shows])


@scenario()
def install_undone(helm: Helm) -> None:
    """No reason is stored: the workload that was waited for went with the release."""
    shows = deploys(
        "install",
        1,
        "failure _OTHER",
        rollout="cancellation cancelled",
        message="taken back while deployment/cart was not ready",
    )
    helm.install(
        helm.undo_flag,
        "--timeout",
        "4s",
        values=NEVER_READY,
        exits=1,
        shows=[shows, uninstall(1, links=("remedied",))],
    )


@scenario()
def install_undone_for_a_cause(helm: Helm) -> None:
    """No reason is stored: it is taken from the workload."""
    shows = deploys(
        "install",
        1,
        "failure progress_deadline_exceeded",
        apply="failure _OTHER",
        rollout="failure progress_deadline_exceeded",
        message="deployment/cart",
    )
    helm.install(
        helm.undo_flag,
        "--timeout",
        "10s",
        values=GIVEN_UP,
        exits=1,
        shows=[shows, uninstall(1, links=("remedied",))],
    )


@scenario()
def install_replaces_an_uninstalled_one(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    helm.uninstall("--keep-history", shows=[uninstall(1)])
    helm.install("--replace", values=NEW_IMAGE, shows=[deploys("install", 2)])


@scenario()
def install_replaces_a_failed_one(helm: Helm) -> None:
    helm.install(
        values=REFUSED, exits=1, shows=[deploys("install", 1, "failure _OTHER", rollout=None)]
    )
    helm.install("--replace", shows=[deploys("install", 2)])


@scenario()
def install_again_by_the_same_name(helm: Helm) -> None:
    """Another uid, so another operation, though every name is the same."""
    for _ in range(2):
        helm.install(shows=[deploys("install", 1)])
        helm.wait_until_ready()
        helm.uninstall("--wait", shows=[uninstall(1)])
