"""Rows: uninstall, also --keep-history; a pre-delete hook fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, hook, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEW_IMAGE, hooks

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


@scenario()
def uninstall_all(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    helm.upgrade(values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True)])
    helm.wait_until_ready()
    helm.uninstall(shows=[uninstall(2)])


@scenario()
def uninstall_keeps_the_history(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    about = {"helm.release.status": "uninstalled"}
    helm.uninstall("--keep-history", shows=[uninstall(1, attributes=about)])


@scenario()
def uninstall_hook_fails_then_goes_on_without(helm: Helm) -> None:
    helm.install(values=hooks("pre-delete", fails=True), shows=[deploys("install", 1)])
    helm.wait_until_ready()
    left = uninstall(
        1, "error abandoned", hooks={hook("pre-delete"): "error abandoned"}, ends_later=True
    )
    helm.uninstall(exits=1, shows=[left])
    # It waits, so that its write can be told from that of the hook before.
    helm.uninstall("--no-hooks", "--wait", shows=[uninstall(1)])
