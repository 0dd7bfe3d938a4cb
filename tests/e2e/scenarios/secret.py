"""Values and manifests with something secret in them, quoted by Helm's own failure texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.e2e.expected import deploys
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEW_IMAGE

if TYPE_CHECKING:
    from tests.e2e.helm import Helm

MARKER: Final = "hunter2-c0ffee-marker"
HELD: Final[dict[str, Any]] = {
    "config": {"password": MARKER},
    "secretValue": MARKER,
    "podAnnotations": {"note": MARKER},
}


@scenario()
def secrets_in_values_and_manifest(helm: Helm) -> None:
    helm.install(values=HELD, shows=[deploys("install", 1)])
    helm.wait_until_ready()
    # No label: the API server refuses it, and quotes it.
    refused = HELD | {"podLabels": {"password": f"{MARKER}/!"}}
    helm.upgrade(
        values=refused,
        exits=1,
        shows=[deploys("upgrade", 2, "failure _OTHER", rollout=None, inherited=True)],
    )
    assert MARKER in helm.commands[-1].output
    helm.upgrade(values=HELD | NEW_IMAGE, shows=[deploys("upgrade", 3, inherited=True)])
