"""A recording goes the same way as what is live; what is bad in it is passed over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from helmwake.app.replay import Replayed, replay
from helmwake.facts.change import Change, ChangeType
from helmwake.lifecycle.outcome import Result
from tests.facts.objects import (
    MARKER,
    NOON,
    deployment_object,
    packed,
    record_object,
    release_json,
    seen,
)

CREATED = "2026-11-23T12:00:00Z"


def at(seconds: float, obj: dict[str, Any], kind: ChangeType = ChangeType.MODIFIED) -> Change:
    return replace(seen(obj, kind), seen=NOON + timedelta(seconds=seconds))


def write(status: str, *, version: str, **more: Any) -> dict[str, Any]:
    return record_object(
        resourceVersion=version, creationTimestamp=CREATED, labels={"status": status, **more}
    )


def whole(status: str, *, version: str, **release: Any) -> dict[str, Any]:
    obj = packed(release_json(**release))
    obj["metadata"] = write(status, version=version)["metadata"]
    return obj


async def replayed(*changes: Change) -> tuple[Replayed, list[str]]:
    warnings: list[str] = []
    return await replay(changes, warn=warnings.append, cluster_name="here"), warnings


async def test_metadata_alone_tells_an_operation() -> None:
    found, warnings = await replayed(
        at(0, write("pending-upgrade", version="1")), at(5, write("deployed", version="2"))
    )

    assert warnings == []
    [operation] = found.ended
    assert operation.payload is None
    assert operation.ended == NOON + timedelta(seconds=5)
    assert [trace.root.name for trace in found.traces] == ["upgrade shop/cart"]


async def test_a_whole_record_tells_more() -> None:
    found, warnings = await replayed(
        at(0, whole("pending-upgrade", version="1")), at(5, whole("deployed", version="2"))
    )

    assert warnings == []
    [operation] = found.ended
    assert operation.chart is not None
    assert operation.keptn.project == "sockshop"
    assert MARKER not in repr(found)


async def test_a_rollout_is_taken_from_the_file() -> None:
    deployment = deployment_object(
        resourceVersion="3",
        managedFields=[{"manager": "helm", "operation": "Apply", "time": CREATED}],
    )
    deployment["status"] = {
        "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3,
    }  # fmt: skip
    found, _ = await replayed(
        at(0, write("pending-upgrade", version="1")),
        at(1, deployment, ChangeType.ADDED),
        at(5, write("deployed", version="4")),
    )

    [operation] = found.ended
    assert [str(rollout.key) for rollout in operation.rollouts] == ["deployment/cart"]


async def test_bad_objects_are_warned_of_and_passed_over() -> None:
    found, warnings = await replayed(
        at(0, write("pending-upgrade", version="1")),
        at(1, write(MARKER, version="2")),
        at(2, record_object(name="sh.helm.release.v1.cart")),
        at(3, deployment_object(uid=None)),
        at(4, {"kind": "Namespace", "metadata": {"name": "shop"}}),
        at(5, write("deployed", version="6")),
    )

    assert warnings == [
        "shop/sh.helm.release.v1.cart.v3: metadata.labels.status is not a status of Helm's",
        "shop/sh.helm.release.v1.cart: metadata.name is not sh.helm.release.v1.NAME.vN",
        "shop/cart: metadata.uid is not a text",
        "/shop: metadata.uid is not a text",
    ]
    assert [operation.revision for operation in found.ended] == [3]


async def test_a_bad_payload_is_warned_of_and_the_operation_traced_by_its_metadata() -> None:
    broken = {**write("failed", version="2"), "data": {"release": f"{MARKER}!"}}

    found, warnings = await replayed(at(0, write("pending-upgrade", version="1")), at(5, broken))

    assert len(warnings) == 1
    assert warnings[0].startswith("shop/sh.helm.release.v1.cart.v3: data.release is not")
    assert MARKER not in warnings[0]
    [operation] = found.ended
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILURE


async def test_other_kinds_are_nobodys_business() -> None:
    found, warnings = await replayed(
        at(0, {"kind": "Pod", "metadata": {}}), at(1, {"kind": None}), at(2, {})
    )

    assert (found.ended, found.running, warnings) == ((), (), [])


async def test_what_runs_at_the_end_is_told_as_running() -> None:
    found, _ = await replayed(
        at(0, write("pending-upgrade", version="1")),
        at(5, write("deployed", version="2")),
        at(60, record_object(
            name="sh.helm.release.v1.cart.v4", uid="uid-4", resourceVersion="3",
            creationTimestamp="2026-11-23T12:01:00Z", labels={"status": "pending-upgrade"},
        )),
    )  # fmt: skip

    assert [operation.revision for operation in found.ended] == [3]
    assert [operation.revision for operation in found.running] == [4]
    assert [trace.finished for trace in found.traces] == [True, False]


async def test_time_passes_between_the_lines() -> None:
    found, _ = await replayed(
        at(0, write("pending-upgrade", version="1")),
        at(7200, {"kind": "Pod", "metadata": {}}),
    )

    [operation] = found.running
    assert operation.stuck


async def test_an_opt_in_is_not_asked_for() -> None:
    unlabelled = {"kind": "Namespace", "metadata": {"name": "shop", "uid": "uid-n"}}

    found, _ = await replayed(
        at(0, unlabelled),
        at(0, write("pending-upgrade", version="1")),
        at(5, write("deployed", version="2")),
    )

    assert len(found.ended) == 1


async def test_the_cluster_is_named_by_its_system_namespace() -> None:
    system = {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "cluster-uid"}}

    found, _ = await replayed(at(0, system), at(0, write("pending-upgrade", version="1")))

    assert found.traces[0].resource["k8s.cluster.uid"] == "cluster-uid"
    assert found.traces[0].resource["k8s.cluster.name"] == "here"


async def test_a_recording_replayed_twice_gives_the_same_traces() -> None:
    changes = [
        at(0, whole("pending-upgrade", version="1")), at(5, whole("deployed", version="2")),
    ]  # fmt: skip

    first, _ = await replayed(*changes)
    second, _ = await replayed(*changes)

    assert first == second
    assert first.traces == second.traces
