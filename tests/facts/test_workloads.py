"""A workload is reduced to what tells a rollout."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helmwake.facts.change import ChangeType
from helmwake.facts.errors import BadObjectError
from helmwake.facts.identity import ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import KeptnContext, KeptnKeys
from helmwake.facts.workloads import Condition, Workload, parse_workload
from tests.facts.objects import NOON, deployment_object, seen

KEYS = KeptnKeys()


def parse(obj: dict[str, Any] | None = None, **meta: Any) -> Workload:
    found = parse_workload(seen(obj or deployment_object(**meta)), keys=KEYS)
    assert found is not None
    return found


def written(manager: str, time: str, **more: str) -> dict[str, str]:
    return {"manager": manager, "operation": "Update", "time": time, **more}


def test_it_names_itself_and_its_release() -> None:
    workload = parse(annotations={
        "meta.helm.sh/release-name": "cart", "meta.helm.sh/release-namespace": "elsewhere",
    })  # fmt: skip

    assert workload.key == WorkloadKey(WorkloadKind.DEPLOYMENT, "shop", "cart")
    assert str(workload.key) == "deployment/cart"
    assert workload.release == ReleaseKey("elsewhere", "cart")


def test_a_release_lives_beside_its_workload_unless_told_otherwise() -> None:
    workload = parse(annotations={"meta.helm.sh/release-name": "cart"})

    assert workload.release == ReleaseKey("shop", "cart")


@pytest.mark.parametrize("odd", [None, {}, {"meta.helm.sh/release-name": ""}, [], "text"])
def test_a_workload_that_names_no_release_is_not_followed(odd: object) -> None:
    assert parse_workload(seen(deployment_object(annotations=odd)), keys=KEYS) is None


@pytest.mark.parametrize("manager", ["helm", "helm-controller"])
def test_helm_applied_it_when_helms_manager_last_wrote(manager: str) -> None:
    workload = parse(managedFields=[
        written(manager, "2026-11-23T11:00:00Z"),
        written(manager, "2026-11-23T11:30:00Z", operation="Apply"),
        written(manager, "2026-11-23T11:50:00Z", subresource="status"),
        written("kubectl-rollout", "2026-11-23T11:40:00Z"),
        written("kube-controller-manager", "2026-11-23T11:45:00Z"),
    ])  # fmt: skip

    assert workload.applied == NOON - timedelta(minutes=30)


def test_what_helm_never_wrote_was_never_applied() -> None:
    assert parse(managedFields=[written("kubectl", "2026-11-23T11:00:00Z")]).applied is None
    assert parse(managedFields=None).applied is None


def test_the_template_alone_decides_its_hash() -> None:
    obj = deployment_object()
    other = copy.deepcopy(obj)
    other["spec"]["replicas"] = 9
    other["metadata"]["generation"] = 77
    other["status"] = {"replicas": 9}
    other["spec"]["template"] = dict(reversed(list(other["spec"]["template"].items())))

    assert parse(other).template == parse(obj).template


def test_any_change_of_the_template_changes_the_hash() -> None:
    obj = deployment_object()
    restarted = copy.deepcopy(obj)
    restarted["spec"]["template"]["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/restartedAt": "2026-11-23T12:00:00Z"
    }

    assert parse(restarted).template != parse(obj).template


def test_a_recorded_hash_stands_for_the_template_that_was_cut() -> None:
    whole = deployment_object()
    cut = copy.deepcopy(whole)
    cut["spec"]["template"] = {
        "metadata": {"annotations": {"helmwake.dev/template-hash": parse(whole).template}}
    }

    assert parse(cut).template == parse(whole).template


def test_the_templates_hash_is_the_same_on_every_machine() -> None:
    assert parse().template == ("b2ced6562cd2591245931832bf2792548c46bad7a40eec021c992317573e497f")


def test_a_status_without_counts_counts_0() -> None:
    workload = parse()

    assert workload.wanted == 3
    counts = (workload.replicas, workload.updated, workload.available)
    assert (counts, workload.observed_generation) == ((0, 0, 0), 0)
    assert (workload.progressing, workload.replica_failure) == (None, None)


def test_unsaid_replicas_are_one() -> None:
    obj = deployment_object()
    del obj["spec"]["replicas"]

    assert parse(obj).wanted == 1


@pytest.mark.parametrize("odd", [None, "3", True, 2.5, [3], {}])
def test_counts_of_a_foreign_type_are_missing(odd: object) -> None:
    obj = deployment_object(generation=odd)
    obj["status"] = {"replicas": odd, "updatedReplicas": odd, "availableReplicas": odd}

    workload = parse(obj)

    assert (workload.generation, workload.replicas, workload.updated) == (0, 0, 0)


@pytest.mark.parametrize("odd", [None, [], "x", {"conditions": "x"}, {"conditions": [None, 7]}])
def test_a_status_of_a_foreign_shape_is_empty(odd: object) -> None:
    obj = deployment_object()
    obj["status"] = odd
    obj["spec"]["template"]["spec"] = odd

    assert parse(obj).progressing is None


def test_conditions_tell_reason_message_and_when() -> None:
    obj = deployment_object()
    obj["status"] = {
        "conditions": [
            {
                "type": "Progressing",
                "status": "False",
                "reason": "ProgressDeadlineExceeded",
                "message": "m" * 5000,
                "lastUpdateTime": "2026-11-23T11:00:00Z",
            },
            {"type": "ReplicaFailure", "status": "True"},
        ]
    }
    workload = parse(obj)

    assert workload.progressing == Condition(
        true=False,
        reason="ProgressDeadlineExceeded",
        message="m" * 1024,
        updated=datetime(2026, 11, 23, 11, tzinfo=UTC),
    )
    assert workload.replica_failure == Condition(true=True, reason="", message="", updated=None)


def test_keptns_context_is_the_templates_then_the_owners() -> None:
    obj = deployment_object()
    obj["spec"]["template"]["metadata"]["labels"]["keptn.sh/context"] = "pods"
    obj["metadata"]["annotations"].update({"keptn.sh/context": "owners", "keptn.sh/stage": "prod"})

    assert parse(obj).keptn == KeptnContext(context="pods", stage="prod")


def test_a_deleted_one_is_gone() -> None:
    found = parse_workload(seen(deployment_object(), ChangeType.DELETED), keys=KEYS)

    assert found is not None
    assert found.gone


@pytest.mark.parametrize("field", ["name", "namespace", "uid", "resourceVersion"])
def test_a_workload_without_identity_is_bad(field: str) -> None:
    with pytest.raises(BadObjectError, match=rf"metadata\.{field} is not a text"):
        parse(**{field: None})


def test_a_workload_that_was_never_created_is_bad() -> None:
    with pytest.raises(BadObjectError, match=r"^shop/cart: metadata\.creationTimestamp is not"):
        parse(creationTimestamp="now")
