"""What people and other versions do to what an operator keeps."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane.api import ApiError
from tests.controlplane.waiting import wait_for
from tests.e2e.installing import MANIFESTS
from tests.e2e.ledger.backend import SECONDS
from tests.e2e.ledger.home import CRD, Home, patiently

if TYPE_CHECKING:
    from collections.abc import Mapping

CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
HTTP_INVALID: Final = 422
SERVED_ON: Final = "Probes and metrics are served on "


def status_edited(home: Home, entry: Any, change: object) -> None:
    """Merge into an entry's status; None takes all of it away."""
    _edit(home, entry, {"status": change}, subresource="/status")


def labels_edited(home: Home, entry: Any, change: Mapping[str, str | None]) -> None:
    _edit(home, entry, {"metadata": {"labels": dict(change)}})


def annotations_removed(home: Home, entry: Any) -> None:
    _edit(home, entry, {"metadata": {"annotations": None}})


def entry_deleted(home: Home, entry: Any) -> None:
    home.cluster.api.delete(f"{home.traces}/{entry['metadata']['name']}")


def newer_version_installed(home: Home, entry: Any) -> None:
    """Apply a CRD that knows more words and fields, and wait until it takes them."""
    crd = home.cluster.api.get(f"{CRDS}/{CRD}")
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    _let_in_more(schema["properties"]["status"])
    home.cluster.api.call("PUT", f"{CRDS}/{CRD}", body=crd)

    def taken() -> bool:
        try:
            status_edited(home, entry, {"result": "partial", "future": {"is": "bright"}})
        except ApiError as error:
            if error.status == HTTP_INVALID:
                return False
            raise
        return "future" in home.entries()[entry["metadata"]["name"]]["status"]

    wait_for("the newer CRD", taken, seconds=SECONDS)


def crd_removed(home: Home) -> None:
    home.cluster.kubectl("delete", "crd", CRD)


def crd_applied(home: Home) -> None:
    home.cluster.kubectl("apply", "-k", str(MANIFESTS.parent / "crds"))
    wait_for("the CRD to be served", lambda: patiently(lambda: home.cluster.api.find(home.traces)))


def progress_broken(home: Home) -> None:
    data = home.cluster.api.get(home.progress)["data"]
    home.cluster.api.patch(home.progress, {"data": dict.fromkeys(data, "{nonsense")})


def rights_are_back(home: Home) -> None:
    """Give them, and wait until the apiserver knows."""
    home.give_rights()
    _wait_until_allowed(home, allowed=True)


def rights_are_gone(home: Home) -> None:
    home.take_rights()
    _wait_until_allowed(home, allowed=False)


def readiness(home: Home) -> str:
    """Return what /readyz says, whatever its answer is."""
    line = next(line for line in home.log.splitlines() if SERVED_ON in line)
    address = line.partition(SERVED_ON)[2].strip()
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def counted_durations(metrics: str | None, namespace: str) -> Counter[str]:
    """Return how many operations a process measured, by their result."""
    found: Counter[str] = Counter()
    for line in (metrics or "").splitlines():
        if line.startswith("cicd_pipeline_run_duration_seconds_count") and (
            f'cicd_pipeline_name="{namespace}/' in line
        ):
            result = line.partition('cicd_pipeline_result="')[2].partition('"')[0]
            found[result] += int(float(line.rsplit(" ", 1)[1]))
    return +found


def _edit(home: Home, entry: Any, change: object, *, subresource: str = "") -> None:
    path = f"{home.traces}/{entry['metadata']['name']}{subresource}"
    patiently(lambda: home.cluster.api.patch(path, change))


def _wait_until_allowed(home: Home, *, allowed: bool) -> None:
    asked = {
        "verb": "create",
        "group": "helmwake.dev",
        "resource": "releasetraces",
        "namespace": home.ledger,
    }
    review = {"spec": {"user": home.user, "resourceAttributes": asked}}

    def settled() -> bool:
        return bool(home.cluster.api.create(REVIEWS, review)["status"]["allowed"]) is allowed

    wait_for("the Role", settled, seconds=SECONDS)


def _let_in_more(schema: dict[str, Any]) -> None:
    """Take out of a schema what a newer version may have loosened."""
    schema.pop("enum", None)
    if schema.get("type") == "object" and "properties" in schema:
        schema["x-kubernetes-preserve-unknown-fields"] = True
    for child in schema.get("properties", {}).values():
        _let_in_more(child)
    if "items" in schema:
        _let_in_more(schema["items"])
