"""ReleaseTraces on a real apiserver."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from helmwake.facts.keptn import KeptnContext
from helmwake.ledger.conditions import unreadable_status
from helmwake.ledger.documents import (
    FIRST_STATUS,
    RELEASE_TRACES,
    merge_patch,
    parse_entry,
    to_object,
    to_status,
    trimmed,
)
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType
from tests.controlplane.api import ApiError
from tests.controlplane.cluster import ControlPlane
from tests.ledger.kept import FIXTURES, KEPT, stored
from tests.ledger.making import BAD, entry, full
from tests.ledger.test_trimming import ABSURD, MANY_HOOKS, good, wide
from tests.lifecycle.making import NOON
from tests.telemetry.operations import failed_upgrade, good_upgrade

CRD: Final = Path(__file__).parents[2] / "crds" / "releasetraces.yaml"
CONTEXT: Final = "3b9b2d0c-26bb-4a4a-9f40-1ad2a1d1d2fa"
WIDTH: Final = 160


def install(cluster: ControlPlane, crd: Path) -> None:
    # A warning fails it: of the schema, a bad column or field.
    cluster.kubectl("apply", "--warnings-as-errors", "-f", str(crd))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "releasetraces.helmwake.dev")


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    # It stays: the cluster is shared, and others may have installed it, too.
    install(control_plane, CRD)
    return control_plane


class Ledger:
    """One namespace's ReleaseTraces, from the outside."""

    def __init__(self, cluster: ControlPlane, namespace: str) -> None:
        self._cluster = cluster
        self.namespace = namespace
        self._path = RELEASE_TRACES.within(namespace).path

    def create(self, obj: dict[str, Any]) -> str:
        """Do as the operator does: the object, its status, and then what held that meanwhile."""
        name: str = obj["metadata"]["name"]
        obj = {**obj, "metadata": {**obj["metadata"], "namespace": self.namespace}}
        self._cluster.api.create(self._path, obj)
        self.tell(name, obj["status"])
        self.change(name, {"metadata": {"annotations": {FIRST_STATUS: None}}})
        return name

    def keep(self, kept: Entry) -> str:
        return self.create(to_object(kept, namespace=self.namespace))

    def tell(self, name: str, status: dict[str, Any]) -> Any:
        return self._cluster.api.patch(f"{self._path}/{name}/status", {"status": status})

    def change(self, name: str, patch: dict[str, Any]) -> Any:
        return self._cluster.api.patch(f"{self._path}/{name}", patch)

    def get(self, name: str) -> Any:
        return self._cluster.api.get(f"{self._path}/{name}")

    def shown(self, *options: str) -> str:
        return self._cluster.kubectl("-n", self.namespace, "get", "rt", *options).stdout


@pytest.fixture
def ledger(cluster: ControlPlane, namespace: str) -> Ledger:
    return Ledger(cluster, namespace)


@pytest.mark.parametrize(
    "operation",
    [good_upgrade(), failed_upgrade(), full(), wide(*good(300)), ABSURD, MANY_HOOKS],
    ids=["good", "failed", "full", "many", "absurd", "hooks"],
)
def test_it_is_stored_whole_at_its_bounds_too(ledger: Ledger, operation: Operation) -> None:
    kept = entry(operation, state=State.SET_ASIDE, problem="é" * 2000, version="v" * 100)

    name = ledger.keep(kept)

    found = ledger.get(name)
    assert found["status"] == to_status(kept)  # nothing pruned, nothing filled in
    assert parse_entry(found) == trimmed(kept)
    assert len(json.dumps(found, ensure_ascii=False).encode()) < 72 * 1024


def test_what_was_created_can_be_read_before_it_has_a_status(
    cluster: ControlPlane, ledger: Ledger
) -> None:
    kept = entry(full())
    obj = to_object(kept, namespace=ledger.namespace)

    created = cluster.api.create(RELEASE_TRACES.within(ledger.namespace).path, obj)

    assert "status" not in created
    assert parse_entry(created) == trimmed(kept)


def test_an_entry_that_would_be_too_large_with_it_is_created_without_it() -> None:
    assert to_object(entry(ABSURD), namespace="any")["metadata"]["annotations"] == {}


def test_a_patch_makes_one_status_of_another(ledger: Ledger) -> None:
    before = entry(full(), state=State.SET_ASIDE, problem="HTTP 400")
    operation = replace(full(), rollouts=(), stuck=False, awaits_listing=None, previous=None)
    after = entry(operation, state=State.DELIVERED, delivered=NOON)
    name = ledger.keep(before)

    ledger.tell(name, merge_patch(to_status(before), to_status(after)))

    assert ledger.get(name)["status"] == to_status(after)


def test_an_operation_stays_the_one_it_is(ledger: Ledger) -> None:
    name = ledger.keep(entry(full()))

    with pytest.raises(ApiError, match="an operation stays the one it is") as caught:
        ledger.change(name, {"spec": {"revision": 7}})

    assert caught.value.status == 422
    ledger.change(name, {"metadata": {"labels": {"helmwake.dev/state": "delivered"}}})


@pytest.mark.parametrize(
    ("part", "patch", "wanted"),
    [
        ("spec", {"operation": "deploy"}, "supported values"),
        ("spec", {"record": {"driver": "SQL"}}, "supported values"),
        ("spec", {"record": {"uid": None}}, "Required value"),
        ("spec", {"revision": -1}, "should be greater than or equal to 0"),
        ("spec", {"revision": "2"}, "must be of type integer"),
        ("spec", {"start": "noon"}, "must be of type date-time"),
        ("spec", {"release": {"name": "n" * 257}}, "may not be more than 256"),
        ("status", {"state": "Lost"}, "supported values"),
        ("status", {"state": None}, "Required value"),
        ("status", {"result": "good"}, "supported values"),
        ("status", {"traceId": "0AF7651916CD43DD8448EB211C80319C"}, "should match"),
        ("status", {"started": "yesterday"}, "must be of type date-time"),
        ("status", {"cause": "c" * 1025}, "may not be more than 1024"),
        ("status", {"stuck": "yes"}, "must be of type boolean"),
        ("status", {"hooks": [{"name": "a"}]}, "Required value"),
        ("status", {"rollouts": [{}] * 513}, "must have at most 512 items"),
        ("status", {"helm": {"clockOffsetMicroseconds": 2**63}}, "must be of type integer"),
    ],
)
def test_what_is_no_release_trace_is_refused(
    ledger: Ledger, part: str, patch: dict[str, Any], wanted: str
) -> None:
    obj = to_object(entry(full()), namespace=ledger.namespace)
    obj[part] = {key: value for key, value in {**obj[part], **patch}.items() if value is not None}

    with pytest.raises(ApiError) as caught:
        ledger.create(obj)

    assert caught.value.status == 422
    assert wanted in str(caught.value)


@pytest.mark.parametrize("status", [{}, {"state": "Running", "tags": {"commit": "4f3a"}}])
def test_whatever_is_missing_it_can_be_said_that_it_is_unreadable(
    ledger: Ledger, status: dict[str, Any]
) -> None:
    obj = to_object(entry(full()), namespace=ledger.namespace)
    name = ledger.create({**obj, "status": status or {"state": "Running"}})

    ledger.tell(name, unreadable_status("it is empty", now=NOON))

    found = ledger.get(name)["status"]
    assert (found["state"], found["problem"]) == ("Unreadable", "it is empty")
    assert found.get("tags") == status.get("tags")


def delivery(number: int, operation: Operation, context: str = CONTEXT) -> Operation:
    """Make it the revision of that number, in a release with a name of usual length."""
    return replace(
        operation,
        id=replace(operation.id, uid=f"uid-{number}"),
        release=replace(operation.release, name="sockshop-carts"),
        revision=number,
        tags=replace(operation.tags, keptn=KeptnContext(context=context)),
    )


def test_kubectl_shows_what_was_asked_for(ledger: Ledger) -> None:
    good = ledger.keep(entry(delivery(11, good_upgrade())))
    why = replace(BAD, error=ErrorType.PROGRESS_DEADLINE_EXCEEDED)
    bad = ledger.keep(entry(delivery(12, replace(failed_upgrade(), outcome=why))))

    header, *lines = ledger.shown().splitlines()

    columns = "NAME NAMESPACE OPERATION RESULT CAUSE DURATION KEPTN CONTEXT AGE"
    assert header.split() == columns.split()
    assert max(len(line) for line in (header, *lines)) <= WIDTH
    assert [line.split()[:-1] for line in lines] == [
        [good, "shop", "upgrade", "success", "10.0s", CONTEXT],
        [bad, "shop", "upgrade", "failure", "progress_deadline_exceeded", "1m10s", CONTEXT],
    ]


def test_kubectl_shows_the_rest_when_asked_for_more(ledger: Ledger) -> None:
    kept = entry(delivery(12, replace(failed_upgrade(), outcome=BAD)))
    ledger.keep(kept)

    header, line = ledger.shown("-o", "wide").splitlines()

    columns = "NAME NAMESPACE RELEASE REVISION OPERATION RESULT CAUSE DURATION KEPTN CONTEXT STATE"
    assert header.split() == [*columns.split(), "TRACE", "ID", "MESSAGE", "AGE"]
    for part in ("sockshop-carts", "12", "Undelivered", kept.trace_id, BAD.message):
        assert f" {part} " in line


def test_its_age_is_the_operations(ledger: Ledger) -> None:
    ledger.keep(entry(replace(good_upgrade(), started=NOON.replace(year=2024))))

    [line] = ledger.shown("--no-headers").splitlines()

    assert line.split()[-1].startswith("2y")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("spec.release.namespace=shop,spec.release.name=sockshop-carts", {11, 12, 13}),
        ("spec.release.name=another", set()),
        ("spec.revision=12", {12}),
        ("spec.operation=upgrade", {11, 12, 13}),
        ("spec.operation!=upgrade", set()),
        ("status.state=Running", {11}),
        ("status.result=success", {11, 13}),
        ("status.result!=success", {12}),
        (f"status.keptn.context={CONTEXT}", {11, 12}),
        ("status.keptn.context=a context with spaces", {13}),
        ("status.traceId=00000000000000000000000000000007", {13}),
    ],
)
def test_fields_select(ledger: Ledger, selector: str, found: set[int]) -> None:
    ledger.keep(entry(delivery(11, good_upgrade()), state=State.RUNNING))
    ledger.keep(entry(delivery(12, failed_upgrade())))
    other = delivery(13, good_upgrade(), context="a context with spaces")
    ledger.keep(entry(other, trace_id=f"{7:032x}"))

    shown = ledger.shown("--field-selector", selector, "-o", "jsonpath={.items[*].spec.revision}")

    assert {int(word) for word in shown.split()} == found


def test_labels_select(ledger: Ledger) -> None:
    name = ledger.keep(entry(delivery(11, good_upgrade())))

    assert name in ledger.shown("-l", f"keptn.sh/context={CONTEXT}", "-o", "name")
    assert ledger.shown("-l", "helmwake.dev/state=running", "-o", "name") == ""


def test_kubectl_waits_for_a_delivery(cluster: ControlPlane, ledger: Ledger) -> None:
    name = ledger.keep(entry(good_upgrade(), state=State.DELIVERED, delivered=NOON))

    cluster.kubectl(
        "-n", ledger.namespace, "wait", f"rt/{name}", "--for=condition=Delivered", "--timeout=5s"
    )


def test_what_was_stored_under_the_first_crd_is_read_under_this_one(
    cluster: ControlPlane, ledger: Ledger
) -> None:
    try:
        install(cluster, FIXTURES / "v1alpha1-crd.yaml")
        names = {name: ledger.create(stored(name)) for name in KEPT}
    finally:
        install(cluster, CRD)

    for name, kept in KEPT.items():
        found = ledger.get(names[name])
        assert found["status"] == stored(name)["status"]
        assert parse_entry(found) == kept
        # And it can still be written to.
        ledger.tell(names[name], to_status(replace(kept, state=State.GIVEN_UP)))
