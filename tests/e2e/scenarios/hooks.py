"""Hooks before and after each operation, and hooks of several events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEW_IMAGE, hooks

if TYPE_CHECKING:
    from tests.e2e.helm import Helm

ALL = tuple(
    f"{when}-{what}"
    for what in ("install", "upgrade", "rollback", "delete")
    for when in ("pre", "post")
)


def around(what: str) -> dict[str, str]:
    return {hook(f"pre-{what}"): "success", hook(f"post-{what}"): "success"}


@scenario()
def hooks_around_everything(helm: Helm) -> None:
    values = hooks(*ALL, runFor="200ms")
    helm.install(values=values, shows=[deploys("install", 1, hooks=around("install"))])
    helm.upgrade(
        values=values | NEW_IMAGE,
        shows=[deploys("upgrade", 2, hooks=around("upgrade"), inherited=True)],
    )
    helm.wait_until_ready()
    helm.rollback(1, shows=[deploys("rollback", 3, hooks=around("rollback"))])
    helm.wait_until_ready()
    helm.uninstall(shows=[uninstall(3, hooks=around("delete"))])


@scenario()
def hook_of_two_events(helm: Helm) -> None:
    """It has one slot for both of its runs."""
    name = "pre-upgrade,post-upgrade"
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    job = name.replace(",", "-")
    runs = {hook(event, name=job): "success" for event in name.split(",")}
    helm.upgrade(
        values=hooks(name, runFor="200ms", deletePolicy="before-hook-creation") | NEW_IMAGE,
        shows=[deploys("upgrade", 2, hooks=runs, inherited=True)],
    )
