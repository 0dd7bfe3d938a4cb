"""Records that are none, in front of a running operator."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane.waiting import wait_for
from tests.e2e.helm import OBSERVED

if TYPE_CHECKING:
    from tests.controlplane.cluster import ControlPlane
    from tests.e2e.programs import Operator

NAMESPACE: Final = "bad-input"
RECORD_TYPE: Final = "helm.sh/release.v1"
PREFIX: Final = "sh.helm.release.v1."
SECRETS: Final = f"/api/v1/namespaces/{NAMESPACE}/secrets"
# Nobody may quote them.
CONTENT: Final = "content-that-nobody-quotes"

# A release's name and what its record holds.
PAYLOADS: Final = {
    "no-base64": "%%% no base64 %%%",
    "no-gzip": base64.b64encode(b"\x1f\x8b\x08" + CONTENT.encode()).decode(),
    "no-json": base64.b64encode(gzip.compress(b"{" + CONTENT.encode())).decode(),
    "no-object": base64.b64encode(gzip.compress(b"[1, 2]")).decode(),
    "cut-off": base64.b64encode(gzip.compress(b'{"name": "x"}' * 99)[:40]).decode(),
    "bomb": base64.b64encode(gzip.compress(bytes(200 << 20))).decode(),
}
# A secret's name and the label with its status.
ODD: Final = {
    f"{PREFIX}no-revision": "deployed",
    f"{PREFIX}odd-status.v1": "on-fire",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadInput:
    """What was said of it, and whether what follows it went well."""

    log: str
    ready: bool


def give_bad_input(cluster: ControlPlane, operator: Operator) -> BadInput:
    """Create what no Helm would, and finish those operations that have a status."""
    cluster.create_namespace(NAMESPACE, labels=OBSERVED)
    said = f"{NAMESPACE}: observed from now on"
    wait_for(said, lambda: said in operator.text)
    for name, payload in PAYLOADS.items():
        cluster.api.create(SECRETS, record(f"{PREFIX}{name}.v1", "pending-install", payload))
    for name, status in ODD.items():
        cluster.api.create(SECRETS, record(name, status, CONTENT))
    for name in PAYLOADS:
        began = f"{NAMESPACE}/{name}: install of revision 1 began"
        wait_for(began, lambda began=began: began in operator.text)  # type: ignore[misc]
        path = f"{SECRETS}/{PREFIX}{name}.v1"
        cluster.api.patch(path, {"metadata": {"labels": {"status": "deployed"}}})
    for name in PAYLOADS:
        ended = f"{NAMESPACE}/{name}: install of revision 1 ended"
        wait_for(ended, lambda ended=ended: ended in operator.text)  # type: ignore[misc]
    ready = operator.ask("/readyz") is not None
    return BadInput(log=operator.text, ready=ready)


def record(name: str, status: str, payload: str) -> dict[str, Any]:
    labels = {"owner": "helm", "status": status, "version": "1", "name": name.split(".")[4]}
    return {
        "type": RECORD_TYPE,
        "metadata": {"name": name, "labels": labels},
        "stringData": {"release": payload},
    }
