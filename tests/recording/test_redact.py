"""What may be in a recording, and above all what may not."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helmwake.facts.payload import unpack_object
from helmwake.facts.workloads import TEMPLATE_HASH
from helmwake.recording import pack_object, redact
from tests.recording.objects import (
    SECRET,
    deployment,
    namespace,
    packed,
    record,
    release,
    template,
)

POD = {
    "kind": "Pod",
    "metadata": {
        "name": "p",
        "ownerReferences": [{"kind": "ReplicaSet", "uid": "u", "x": SECRET}],
    },
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "c", "image": "i", "env": [{"value": SECRET}], "args": [SECRET]}],
        "volumes": [{"name": SECRET}],
    },
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "c",
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                "lastState": {
                    "terminated": {"exitCode": 137, "reason": "OOMKilled", "message": SECRET}
                },
            }
        ],
    },
}
JOB = {
    "kind": "Job",
    "metadata": {"name": "j", "annotations": {"note": SECRET}},
    "spec": {"backoffLimit": 6, "template": template()},
    "status": {"failed": 1},
}
REPLICA_SET = {
    "kind": "ReplicaSet",
    "metadata": {"name": "r", "annotations": {"deployment.kubernetes.io/revision": "2"}},
    "spec": {"replicas": 2, "template": template()},
    "status": {"readyReplicas": 1},
}
EVENT = {
    "kind": "Event",
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "p"},
    "reason": "Failed",
    "message": "m" * 3000,
    "type": "Warning",
    "other": SECRET,
}


def everything_in(obj: Any) -> str:
    """All text of an object, with what is packed in it unpacked."""
    text = json.dumps(obj)
    if isinstance(obj, dict) and "data" in obj:
        text += json.dumps(unpack_object(obj))
    return text


def kept(obj: dict[str, Any]) -> dict[str, Any]:
    found = redact(obj)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_a_record_keeps_what_a_trace_needs(kind: str) -> None:
    found = kept(record(3, kind=kind))

    whole = release(3)
    payload = unpack_object(found)
    del whole["info"]["notes"]
    assert payload["info"] == whole["info"]
    assert payload["version"] == 3
    assert payload["chart"] == {
        "metadata": {
            "name": "cart",
            "version": "1.4.2",
            "appVersion": "2.0",
            "annotations": {"org.opencontainers.image.revision": "abc"},
        }
    }
    assert payload["config"] == {
        "keptn": {"project": "sockshop", "stage": "prod", "service": "cart"}
    }
    assert payload["hooks"] == [
        {
            "name": "migrate",
            "kind": "Job",
            "path": "cart/templates/migrate.yaml",
            "events": ["pre-upgrade"],
            "weight": 5,
            "last_run": whole["hooks"][0]["last_run"],
            "manifest": "kind: Job\nmetadata:\n  name: migrate\n  namespace: jobs\n",
        }
    ]
    assert set(payload) == {"name", "namespace", "version", "info", "chart", "config", "hooks"}
    assert found["metadata"]["labels"] == record()["metadata"]["labels"]
    assert found["metadata"]["managedFields"] == [
        {"manager": "helm", "operation": "Update", "time": "2026-11-23T14:02:11Z"}
    ]


@pytest.mark.parametrize(
    "obj",
    [record(), record(kind="ConfigMap"), namespace(), deployment(), POD, JOB, REPLICA_SET, EVENT],
    ids=lambda obj: str(obj["kind"]),
)
def test_no_marker_gets_through(obj: dict[str, Any]) -> None:
    before = copy.deepcopy(obj)

    assert SECRET not in everything_in(kept(obj))
    assert obj == before, "the object itself is left alone"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"release": SECRET},
        {"release": base64.b64encode(SECRET.encode()).decode()},
        {"release": base64.b64encode(packed(release()).encode()).decode()[:-40]},
        {"release": 5},
        {"release": base64.b64encode(base64.b64encode(b'{"a":' + b"9" * 5000 + b"}")).decode()},
        SECRET,
    ],
)
def test_what_cannot_be_unpacked_is_dropped_whole(data: Any) -> None:
    found = kept({**record(), "data": data})

    assert "data" not in found
    assert SECRET not in json.dumps(found)
    assert found["metadata"]["name"] == "sh.helm.release.v1.cart.v1"


def test_of_a_description_only_known_phrases_are_kept() -> None:
    text = (
        'Upgrade "cart" failed: cannot patch "cart" with kind Deployment: Deployment.apps "cart"'
        ' is invalid: spec.template.labels: Invalid value: "hunter2"'
    )
    long = pack_object(record(), release(info={"description": text, "status": "failed"}))

    assert unpack_object(kept(long))["info"]["description"] == (
        'Upgrade "cart" failed: cannot patch "cart" with kind Deployment Deployment.apps "cart"'
        " is invalid"
    )


def test_packing_undoes_unpacking() -> None:
    for kind in ("Secret", "ConfigMap"):
        obj = record(kind=kind)

        assert unpack_object(pack_object(obj, release(7))) == release(7)
        assert pack_object(obj, release(7)) == pack_object(obj, release(7))


def test_a_template_is_cut_but_a_change_of_it_still_shows() -> None:
    first = kept(deployment())["spec"]["template"]
    again = kept(deployment())["spec"]["template"]
    other = kept(deployment(template=template(password="changed")))["spec"]["template"]

    assert first == again
    assert first["metadata"]["annotations"].pop(TEMPLATE_HASH) != (
        other["metadata"]["annotations"].pop(TEMPLATE_HASH)
    )
    assert first == other
    assert first == {
        "metadata": {"labels": {"app": "cart"}, "annotations": {"keptn.sh/version": "1"}},
        "spec": {"containers": [{"name": "cart", "image": "shop/cart:3"}]},
    }


def test_a_deployment_keeps_its_state() -> None:
    found = kept(deployment())

    assert found["status"] == deployment()["status"]
    assert set(found["spec"]) == {
        "replicas",
        "progressDeadlineSeconds",
        "selector",
        "strategy",
        "template",
    }
    assert found["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "cart",
        "deployment.kubernetes.io/revision": "2",
    }


def test_a_pod_keeps_why_it_failed() -> None:
    (status,) = kept(POD)["status"]["containerStatuses"]

    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"] == {"exitCode": 137, "reason": "OOMKilled"}


def test_an_events_message_is_bounded() -> None:
    assert len(kept(EVENT)["message"]) == 1024


@pytest.mark.parametrize(
    "obj",
    [
        {"kind": "Service", "metadata": {"name": "s"}},
        {"kind": "Secret", "metadata": {"name": "tls"}, "data": {"key": SECRET}},
        {"kind": "ConfigMap", "metadata": {"name": "env"}, "data": {"key": SECRET}},
        {"metadata": {}},
    ],
)
def test_other_kinds_are_not_recorded(obj: dict[str, Any]) -> None:
    assert redact(obj) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.just(SECRET),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.just("x"), below, max_size=3),
    max_leaves=5,
)


@given(
    kind=st.sampled_from(["Namespace", "Deployment", "Pod", "Job", "ReplicaSet", "Event"]),
    spec=json_values,
    status=json_values,
)
def test_foreign_types_anywhere_are_survived(kind: str, spec: Any, status: Any) -> None:
    obj = {"kind": kind, "metadata": {"name": "x", "labels": spec}, "spec": spec}

    found = kept({**obj, "status": {"conditions": status} if kind == "Pod" else {}})

    assert found["kind"] == kind
    assert SECRET not in json.dumps({**found, "status": None, "metadata": None})
