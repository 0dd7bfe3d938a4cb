"""Simulated objects look as the server and the controllers make them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.simulator.client import Fate
from tests.simulator.simulated import SimulatedHelm
from tests.simulator.telling import NEVER, NEXT, after, installed, payload, simulated


def twice_upgraded(**more: Any) -> SimulatedHelm:
    helm = installed(**more)
    helm.upgrade(chart=NEXT)
    helm.settle()
    return helm


def labels_of(helm: SimulatedHelm) -> dict[str, str]:
    labels = helm.history()[-1].labels
    return {key: value for key, value in labels.items() if key.startswith("keptn.sh/")}


def test_labels_are_inherited_from_the_latest_revision_even_a_failed_one() -> None:
    helm = simulated()
    helm.install(labels={"keptn.sh/context": "one"})
    helm.upgrade(labels={"keptn.sh/stage": "dev"}, fate=Fate(apply_error=True))
    helm.upgrade()
    assert labels_of(helm) == {"keptn.sh/context": "one", "keptn.sh/stage": "dev"}
    helm.upgrade(labels={"keptn.sh/stage": "null"})
    assert labels_of(helm) == {"keptn.sh/context": "one"}


def test_rollback_has_its_targets_labels_and_a_reinstall_none() -> None:
    helm = simulated()
    helm.install(labels={"keptn.sh/context": "one"})
    helm.upgrade(labels={"keptn.sh/context": "two"})
    helm.rollback()
    assert labels_of(helm) == {"keptn.sh/context": "one"}
    helm.uninstall(keep_history=True)
    helm.install(replace=True)
    assert labels_of(helm) == {}


def test_upgrade_carries_the_old_modified_at_on() -> None:
    helm = installed()
    old = helm.history()[0].labels["modifiedAt"]
    helm.sleep(100)
    helm.upgrade(chart=NEXT)
    assert [known.labels["modifiedAt"] for known in helm.history()] == [old, old]


@pytest.mark.parametrize("helm", [3, 4])
def test_payload_of_a_rollback_decodes(helm: int) -> None:
    made = twice_upgraded(helm=helm, offset=timedelta(hours=2))
    made.rollback()
    found = payload(made)
    info = found["info"]
    assert (found["name"], found["namespace"], found["version"]) == ("cart", "shop", 3)
    assert info["description"] == "Rollback to 1"
    assert info["last_deployed"].endswith("+02:00")
    assert datetime.fromisoformat(info["last_deployed"]) == made.truth[-1].start
    # Helm 3 writes an unset time as "", Helm 4 leaves it out.
    assert info.get("deleted") == ("" if helm == 3 else None)
    assert info.get("rollback_revision") == (None if helm == 3 else 1)
    assert found.get("apply_method") == (None if helm == 3 else "ssa")


def test_config_map_is_one_base64_less_and_has_no_type() -> None:
    secret = next(e for e in installed().events if e["object"]["kind"] == "Secret")["object"]
    plain = installed(driver="configmap").events
    config_map = next(e for e in plain if e["object"]["kind"] == "ConfigMap")["object"]
    assert secret["type"] == "helm.sh/release.v1"
    assert "type" not in config_map
    inner = base64.b64decode(secret["data"]["release"]).decode()
    assert inner == config_map["data"]["release"]


def test_objects_carry_what_the_server_adds() -> None:
    helm = twice_upgraded()
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in helm.events]
    assert versions == sorted(set(versions))
    for event in helm.events:
        meta = event["object"]["metadata"]
        assert meta["uid"]
        assert datetime.fromisoformat(meta["creationTimestamp"]) <= helm.cluster.now
        assert all(entry["time"].endswith("Z") for entry in meta["managedFields"])
    json.dumps(helm.events)


@pytest.mark.parametrize(("helm", "operation"), [(3, "Update"), (4, "Apply")])
def test_deployment_lags_one_event_behind_its_change(helm: int, operation: str) -> None:
    made = installed(helm=helm)
    start = len(made.events)
    upgrade = made.upgrade(chart=NEXT)
    made.settle()

    changes = [e["object"] for e in made.events[start:] if e["object"]["kind"] == "Deployment"]

    first, last = changes[0], changes[-1]
    assert first["metadata"]["generation"] == 2
    assert first["status"]["observedGeneration"] == 1
    assert first["status"]["conditions"][-1]["reason"] == "NewReplicaSetAvailable"
    assert last["status"]["observedGeneration"] == 2
    managers = {(m["manager"], m["operation"]) for m in last["metadata"]["managedFields"]}
    assert ("helm", operation) in managers
    assert upgrade.helm_end is not None
    assert upgrade.end is not None
    assert upgrade.helm_end < upgrade.end


def test_bad_image_exceeds_its_deadline_after_helm_said_deployed() -> None:
    helm = installed()
    upgrade = helm.upgrade(chart=NEVER)
    assert (upgrade.state, upgrade.outcomes) == ("succeeded", ())
    helm.settle()
    (outcome,) = upgrade.outcomes
    assert outcome.admits("failure", "progress_deadline_exceeded")


def test_scale_is_no_rollout_and_restart_is_none_of_helms() -> None:
    helm = installed()
    upgrade = helm.upgrade(chart=NEXT)
    helm.scale(3)
    states = [upgrade.rollouts[0].state]
    helm.restart()
    helm.settle()
    states += [rollout.state for rollout in upgrade.rollouts]
    assert states == ["running", "superseded"]


def test_reserialisation_changes_bytes_only() -> None:
    helm = installed()
    before = helm.history()
    assert after(helm, lambda helm: helm.reserialise()) == ["U v1 deployed"]
    assert helm.history() == before


def test_foreign_deletion_of_a_pending_record_orphans_its_operation() -> None:
    helm = simulated()
    operation = helm.install(fate=Fate(killed_after=1))
    helm.delete_record(1)
    assert operation.state == "orphaned"


def test_namespace_deletion_takes_everything_without_an_uninstall() -> None:
    helm = installed()
    written = after(helm, lambda helm: helm.delete_namespace())
    assert written == ["D v1"]
    assert [operation.kind for operation in helm.truth] == ["install"]
    assert helm.events[-1]["object"]["kind"] == "Namespace"


def test_flux_unlock_abandons_with_a_failed_record() -> None:
    helm = installed()
    operation = helm.upgrade(fate=Fate(killed_after=1))
    assert after(helm, lambda helm: helm.unlock()) == ["U v2 failed"]
    assert operation.state == "abandoned"


def test_helm_4_gives_up_on_a_deadline_that_passed_while_it_waited() -> None:
    flags: dict[str, Any] = {"chart": NEVER, "wait": True, "timeout": 900.0}
    results = [installed(helm=helm).upgrade(**flags).outcomes[0].result for helm in (3, 4)]
    assert results == ["timeout", "failure"]
