"""Rows: rollback; its pods never get ready; it cannot be applied; its hook fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEVER_READY, NEW_IMAGE, WAIT, WAIT_LONG, hooks

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


@scenario()
def rollback(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    helm.upgrade(values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True)])
    helm.wait_until_ready()
    about: dict[str, str | int | None] = {
        "helm.release.rollback.revision": 1,
        "helm.release.status": "deployed",
    }
    helm.rollback(1, shows=[deploys("rollback", 3, attributes=about, links=("previous",))])


@scenario()
def rollback_after_a_failure(helm: Helm) -> None:
    """By hand, and right after it: a trace of its own that links to what it remedies."""
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    failed = deploys(
        "upgrade", 2, "timeout timeout", rollout="cancellation cancelled", inherited=True
    )
    helm.upgrade(*WAIT, values=NEVER_READY, exits=1, shows=[failed])
    helm.rollback(1, *WAIT_LONG, shows=[deploys("rollback", 3, links=("remedied",))])


@scenario(slow=True)
def rollback_never_ready(helm: Helm) -> None:
    """The revision rolled back to was never ready either, and nobody had waited for it."""
    first = deploys("install", 1, apply="success", rollout="cancellation cancelled")
    helm.install(values=NEVER_READY, shows=[first])
    helm.upgrade(*WAIT_LONG, values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True)])
    # Helm 3 does not wait for the pods of the template before to be gone.
    helm.wait_until_ready()
    failed = deploys("rollback", 3, "timeout timeout", rollout="timeout timeout")
    helm.rollback(1, *WAIT, exits=1, shows=[failed])


@scenario()
def rollback_refused(helm: Helm) -> None:
    """An immutable ConfigMap does not let itself be changed back."""
    config = {"config": {"colour": "blue"}}
    helm.install(values=config, shows=[deploys("install", 1)])
    helm.wait_until_ready()
    fixed = {"config": {"colour": "red"}, "configImmutable": True}
    helm.upgrade(values=fixed, shows=[deploys("upgrade", 2, rollout=None, inherited=True)])
    failed = deploys(
        "rollback",
        3,
        "failure _OTHER",
        rollout=None,
        message="ConfigMap cart: field is immutable",
    )
    helm.rollback(1, exits=1, shows=[failed])


@scenario()
def rollback_hook_fails(helm: Helm) -> None:
    """It stays pending for ever: until something else begins, it is running."""
    values = hooks("pre-rollback", fails=True)
    helm.install(values=values, shows=[deploys("install", 1)])
    helm.wait_until_ready()
    helm.upgrade(values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True)])
    helm.wait_until_ready()
    left = deploys(
        "rollback",
        3,
        "error abandoned",
        rollout=None,
        hooks={hook("pre-rollback"): "error abandoned"},
        ends_later=True,
        attributes={"helm.release.status": "pending-rollback"},
    )
    helm.rollback(1, exits=1, shows=[left])
    helm.rollback(1, "--no-hooks", shows=[deploys("rollback", 4)])
