"""What the operator asks of the API server, as its audit log has it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.e2e.installing import NAMESPACE

if TYPE_CHECKING:
    from tests.e2e.conftest import Performance

OBSERVED: Final = {"secrets", "configmaps", "deployments", "namespaces"}
READS: Final = {"get", "list", "watch"}
# Nobody needs a right for them: kopf looks which resources there are.
DISCOVERY: Final = ("/api", "/apis", "/version")
WRITES: Final = {"create", "update", "patch"}
PROGRESS: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps/helmwake-progress"
HTTP_OK: Final = 200
TICK: Final = timedelta(seconds=1)
# How far the cluster was read. A POST to the collection names nothing in an audit event.
OURS: Final = {(NAMESPACE, "helmwake-progress"), (NAMESPACE, "")}


def about(event: Any) -> tuple[str, str]:
    """Name the object a request is about."""
    reference = event["objectRef"]
    return reference.get("namespace", ""), reference.get("name", "")


def resource(event: Any) -> str:
    return str(event.get("objectRef", {}).get("resource", ""))


def payloads(performance: Performance) -> Counter[tuple[str, str]]:
    """Count the reads of single records."""
    return Counter(
        about(event)
        for event in performance.requests
        if event["verb"] == "get" and resource(event) in {"secrets", "configmaps"}
    )


def test_observed_kinds_are_only_read(performance: Performance) -> None:
    asked = {
        (resource(event), event["verb"])
        for event in performance.requests
        if resource(event) in OBSERVED and about(event) not in OURS
    }

    assert {kind for kind, _ in asked} == OBSERVED
    assert {verb for _, verb in asked} <= READS


def test_nothing_is_written_outside_of_the_operators_namespace(performance: Performance) -> None:
    written = Counter(
        (about(event)[0], resource(event))
        for event in performance.requests
        if event["verb"] not in READS and event.get("objectRef")
    )

    assert written
    assert {namespace for namespace, _ in written} == {NAMESPACE}
    assert {kind for _, kind in written} == {"releasetraces", "configmaps"}


def test_an_operation_costs_few_requests(performance: Performance) -> None:
    written = sum(
        resource(event) == "releasetraces" and event["verb"] not in READS
        for event in performance.requests
    )
    operations = sum(len(play.expected) for play in performance.plays.values())

    # Created; its status; its end; delivered: each with its label; and what it went through.
    assert written <= 12 * operations


def test_nothing_else_is_asked_for_than_the_role_allows(performance: Performance) -> None:
    kinds = {resource(event) for event in performance.requests if event.get("objectRef")}
    refused = [
        (event["verb"], event["requestURI"])
        for event in performance.requests
        if event["responseStatus"]["code"] == 403
    ]

    assert kinds <= OBSERVED | {"releaseobservers", "releasetraces"}
    assert refused == []


def test_records_are_listed_and_watched_as_metadata(performance: Performance) -> None:
    uris = {
        event["requestURI"]
        for event in performance.requests
        if resource(event) == "secrets" and event["verb"] in {"list", "watch"}
    }

    assert uris
    for uri in uris:
        assert "owner%3Dhelm" in uri
        assert "type%3Dhelm.sh" in uri


def test_nothing_is_asked_for_at_rest(performance: Performance) -> None:
    """But once, up to half a minute late, how far it read is written."""
    began, ended = performance.rest
    asked = [
        (event["verb"], event["requestURI"].partition("?")[0])
        for event in performance.requests
        if began < datetime.fromisoformat(event["requestReceivedTimestamp"]) < ended
        and event["verb"] != "watch"
    ]

    assert asked in ([], [("patch", PROGRESS)])


def test_watches_are_few(performance: Performance) -> None:
    """One for each driver, workload kind, namespaces and our own resource; renewed rarely."""
    watches = Counter(
        resource(event)
        for event in performance.requests
        if event["verb"] == "watch" and event["stage"] == "ResponseStarted"
    )

    assert set(watches) == OBSERVED | {"releaseobservers"}
    assert max(watches.values()) <= 3, watches


def test_no_payload_of_what_is_not_observed_is_fetched(performance: Performance) -> None:
    for version in (3, 4):
        namespaces = {namespace for namespace, _ in payloads(performance)}
        assert f"e2e-namespace-that-is-not-observed-{version}" not in namespaces
        opted_out = f"e2e-release-that-opts-out-{version}"
        fetched = {name for namespace, name in payloads(performance) if namespace == opted_out}
        assert fetched <= {"sh.helm.release.v1.cart.v3"}


def test_a_payload_is_fetched_once_for_each_write_at_most(performance: Performance) -> None:
    writes = Counter(
        about(event)
        for event in performance.writes
        if resource(event) in {"secrets", "configmaps"}
        and event["verb"] in WRITES
        and event["responseStatus"]["code"] in {HTTP_OK, 201}
        and event["objectRef"].get("name", "").startswith("sh.helm.release.")
    )
    fetched = {
        key: count for key, count in payloads(performance).items() if key[0].startswith("e2e-")
    }

    assert fetched
    assert {key: count for key, count in fetched.items() if count > writes[key]} == {}
