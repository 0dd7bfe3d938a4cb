"""Rows: upgrade, upgrade fails, upgrade undone, prune."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import (
    GIVEN_UP,
    NEVER_READY,
    NEW_IMAGE,
    NEWER_IMAGE,
    REFUSED,
    WAIT,
    WAIT_LONG,
    hooks,
)

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


def begin(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()


@scenario()
def upgrade(helm: Helm) -> None:
    begin(helm)
    helm.upgrade(
        values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True, links=("previous",))]
    )


@scenario()
def upgrade_that_waits(helm: Helm) -> None:
    begin(helm)
    about = {"helm.release.status": "deployed"}
    helm.upgrade(
        *WAIT_LONG,
        values={**NEW_IMAGE, "readyAfter": "2s"},
        shows=[deploys("upgrade", 2, inherited=True, attributes=about)],
    )


@scenario()
def upgrade_with_words_of_its_own(helm: Helm) -> None:
    """A user's description replaces Helm's, and says nothing of how it went."""
    begin(helm)
    helm.upgrade(
        "--description",
        "hooks failed: context canceled",
        values=NEW_IMAGE,
        shows=[deploys("upgrade", 2, inherited=True)],
    )


@scenario()
def upgrade_of_no_pod(helm: Helm) -> None:
    """A change that is none of the pod template starts no rollout."""
    begin(helm)
    helm.upgrade(
        values={"workload": {"annotations": {"note": "changed"}}},
        shows=[deploys("upgrade", 2, rollout=None, inherited=True)],
    )


@scenario(slow=True)
def upgrade_times_out(helm: Helm) -> None:
    begin(helm)
    shows = deploys(
        "upgrade",
        2,
        "timeout timeout",
        rollout="timeout timeout",
        inherited=True,
        message="cart",
    )
    helm.upgrade(*WAIT, values=NEVER_READY, exits=1, shows=[shows])


@scenario()
def upgrade_without_progress(helm: Helm) -> None:
    begin(helm)
    shows = deploys(
        "upgrade",
        2,
        "failure progress_deadline_exceeded",
        apply="success",
        rollout="failure progress_deadline_exceeded",
        inherited=True,
    )
    helm.upgrade(values=GIVEN_UP, shows=[shows])


@scenario()
def upgrade_refused(helm: Helm) -> None:
    begin(helm)
    shows = deploys(
        "upgrade",
        2,
        "failure _OTHER",
        rollout=None,
        inherited=True,
        message="Deployment cart: is invalid",
    )
    helm.upgrade(values=REFUSED, exits=1, shows=[shows])


@scenario()
def upgrade_hook_fails_then_all_is_well(helm: Helm) -> None:
    """The deployed revision is superseded, which is not the latest one."""
    begin(helm)
    failed = deploys(
        "upgrade",
        2,
        "failure hook_failed",
        rollout=None,
        hooks={hook("pre-upgrade"): "failure hook_failed"},
        inherited=True,
        message="cart-pre-upgrade",
    )
    helm.upgrade(values=hooks("pre-upgrade", fails=True), exits=1, shows=[failed])
    helm.upgrade(values=NEW_IMAGE, shows=[deploys("upgrade", 3, inherited=True)])


@scenario()
def upgrade_undone(helm: Helm) -> None:
    begin(helm)
    failed = deploys(
        "upgrade",
        2,
        "timeout timeout",
        rollout="cancellation cancelled",
        inherited=True,
    )
    undone = deploys(
        "rollback",
        3,
        attributes={"helm.release.rollback.revision": 1},
        links=("remedied",),
    )
    helm.upgrade(
        helm.undo_flag, "--timeout", "4s", values=NEVER_READY, exits=1, shows=[failed, undone]
    )


@scenario()
def upgrade_prunes_the_oldest(helm: Helm) -> None:
    """Records that are pruned are no operations of their own."""
    begin(helm)
    for revision, values in enumerate((NEW_IMAGE, NEWER_IMAGE, NEW_IMAGE, NEWER_IMAGE), start=2):
        helm.upgrade(
            "--history-max",
            "2",
            values=values,
            shows=[deploys("upgrade", revision, inherited=True)],
        )
        helm.wait_until_ready()
