"""Records in ConfigMaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, runs_tests, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios import values

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


@scenario()
def configmap_driver(helm: Helm) -> None:
    helm.driver = "configmap"
    ours = values.tests(first=True)
    helm.install(values=ours, shows=[deploys("install", 1)])
    helm.wait_until_ready()
    helm.test(shows=[runs_tests(1, first="success")])
    helm.upgrade(values=ours | values.NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True)])
    helm.wait_until_ready()
    helm.rollback(1, shows=[deploys("rollback", 3)])
    helm.wait_until_ready()
    helm.upgrade(
        values=values.REFUSED,
        exits=1,
        shows=[deploys("upgrade", 4, "failure _OTHER", rollout=None, inherited=True)],
    )
    helm.uninstall(shows=[uninstall(4)])
