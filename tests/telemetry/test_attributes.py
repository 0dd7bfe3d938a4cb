"""What a span may say is on a list, and everything can be found by its Keptn context."""

from dataclasses import replace
from typing import Final

import pytest
from tests.telemetry.operations import (
    CONTEXT,
    TAGS,
    a_test,
    failed_upgrade,
    good_upgrade,
    remedy,
    uninstalled,
)

from helmwake.facts.helm import Tags
from helmwake.facts.keptn import KeptnContext, KeptnWorkload
from helmwake.facts.payload import Chart
from helmwake.telemetry.semconv import KEYS
from helmwake.telemetry.spans import Attributes, Trace
from helmwake.telemetry.traces import Cluster, build_trace

COMMON: Final = {
    "helm.release.name",
    "helm.release.revision",
    "helm.release.operation",
    "keptn.context",
    "keptn.context.inherited",
    "keptn.project",
    "keptn.stage",
    "keptn.service",
}
KEPTN_NAMES: Final = {
    "keptn.deployment.app.name",
    "keptn.deployment.workload.name",
    "keptn.deployment.workload.version",
}
TASK: Final = {
    "cicd.pipeline.task.name",
    "cicd.pipeline.task.run.id",
    "cicd.pipeline.task.run.result",
    "error.type",
}
ROOT: Final = KEPTN_NAMES | {
    "cicd.pipeline.name",
    "cicd.pipeline.run.id",
    "cicd.pipeline.result",
    "error.type",
    "helm.release.status",
    "helm.release.rollback.revision",
    "helm.chart.name",
    "helm.chart.version",
    "helm.chart.app_version",
    "k8s.namespace.name",
    "deployment.environment.name",
    "vcs.ref.head.revision",
    "helmwake.time.bounded",
}
# By the first word of a span's name, beside the common ones.
ALLOWED: Final = {
    "upgrade": ROOT,
    "rollback": ROOT,
    "uninstall": ROOT,
    "test": ROOT,
    "apply": TASK,
    "hook": TASK | {"k8s.job.name", "k8s.pod.name", "helmwake.hook.event"},
    "rollout": TASK
    | KEPTN_NAMES
    | {"k8s.namespace.name", "k8s.deployment.name", "k8s.deployment.uid"},
}


def built(make: object) -> Trace:
    assert callable(make)
    return build_trace(make(), Cluster())


def attributes(trace: Trace, name: str) -> Attributes:
    [found] = [each.attributes for each in trace.spans if each.name.split()[0] == name]
    return found


@pytest.mark.parametrize(
    "make", [good_upgrade, failed_upgrade, a_test, uninstalled, lambda: remedy()[1]]
)
def test_a_span_has_the_attributes_on_its_list_and_no_other(make: object) -> None:
    for span in built(make).spans:
        assert set(span.attributes) <= COMMON | ALLOWED[span.name.split()[0]]


def test_every_attribute_is_in_the_table() -> None:
    names = {key.name for key in KEYS}
    for make in (good_upgrade, failed_upgrade, a_test):
        trace = built(make)
        assert set(trace.resource) <= names
        for span in trace.spans:
            assert set(span.attributes) <= names


def test_every_span_can_be_found_by_its_keptn_context() -> None:
    for span in built(good_upgrade).spans:
        assert span.attributes["keptn.context"] == "c-1"
        assert span.attributes["keptn.project"] == "sockshop"
        assert span.attributes["keptn.stage"] == "prod"
        assert span.attributes["keptn.service"] == "cart"
        assert span.attributes["helm.release.name"] == "cart"
        assert span.attributes["helm.release.revision"] == 2
        assert span.attributes["helm.release.operation"] == "upgrade"


def test_the_root_tells_of_the_whole() -> None:
    root = attributes(built(good_upgrade), "upgrade")

    assert {key: root[key] for key in root if key not in COMMON | KEPTN_NAMES} == {
        "cicd.pipeline.name": "shop/cart",
        "cicd.pipeline.run.id": root["cicd.pipeline.run.id"],
        "cicd.pipeline.result": "success",
        "helm.release.status": "deployed",
        "helm.chart.name": "cart",
        "helm.chart.version": "1.2.0",
        "helm.chart.app_version": "7",
        "k8s.namespace.name": "shop",
        "deployment.environment.name": "production",
        "vcs.ref.head.revision": "4f3a",
    }


@pytest.mark.parametrize(
    ("stage", "environment"),
    [("prod", "production"), ("dev", "development"), ("canary", "canary")],
)
def test_a_well_known_stage_has_its_well_known_name(stage: str, environment: str) -> None:
    operation = good_upgrade(Tags(keptn=KeptnContext(stage=stage)))

    root = build_trace(operation, Cluster()).root
    assert root.attributes["deployment.environment.name"] == environment


def test_a_hook_and_a_rollout_name_their_objects() -> None:
    trace = built(good_upgrade)
    hook, rollout = attributes(trace, "hook"), attributes(trace, "rollout")

    assert (hook["k8s.job.name"], hook["helmwake.hook.event"]) == ("migrate", "pre-upgrade")
    assert (rollout["k8s.deployment.name"], rollout["k8s.deployment.uid"]) == ("cart", "uid-d")
    assert rollout["cicd.pipeline.task.run.result"] == "success"
    assert rollout["keptn.deployment.workload.name"] == "shop-cart"


def test_workloads_name_the_root_only_where_all_agree() -> None:
    operation = good_upgrade()
    [rollout] = operation.rollouts
    other = replace(
        rollout, uid="u", names=KeptnWorkload(app="shop", workload="shop-db", version="1")
    )
    divided = build_trace(replace(operation, rollouts=(rollout, other)), Cluster())

    agreed = built(good_upgrade).root.attributes
    assert agreed["keptn.deployment.workload.name"] == "shop-cart"
    assert not KEPTN_NAMES & set(divided.root.attributes)


def test_an_inherited_context_is_marked_on_every_span() -> None:
    inherited = build_trace(good_upgrade(TAGS, before=TAGS), Cluster())
    fresh = build_trace(good_upgrade(TAGS), Cluster())

    assert all(span.attributes["keptn.context.inherited"] is True for span in inherited.spans)
    assert not any("keptn.context.inherited" in span.attributes for span in fresh.spans)


def test_a_rollback_names_its_target() -> None:
    _, rollback = remedy()

    root = build_trace(rollback, Cluster()).root
    assert root.attributes["helm.release.rollback.revision"] == 1


def test_the_release_is_named_by_its_own_namespace_and_not_its_records() -> None:
    operation = good_upgrade()
    assert operation.payload is not None
    elsewhere = replace(operation, payload=replace(operation.payload, namespace="web"))

    root = build_trace(elsewhere, Cluster()).root
    assert root.name == "upgrade web/cart"
    assert root.attributes["k8s.namespace.name"] == "web"


def test_long_values_are_cut() -> None:
    operation = good_upgrade(Tags(keptn=replace(CONTEXT, context="c" * 9000)))
    assert operation.payload is not None
    chart = Chart(name="c" * 9000, version="1", app_version=None)
    operation = replace(operation, payload=replace(operation.payload, chart=chart))

    for span in build_trace(operation, Cluster()).spans:
        assert all(len(v) <= 1024 for v in span.attributes.values() if isinstance(v, str))


def test_spans_are_bounded() -> None:
    operation = good_upgrade()
    [run] = operation.hooks
    many = replace(operation, hooks=tuple(replace(run, name=f"h{n}") for n in range(2000)))

    assert len(build_trace(many, Cluster()).spans) == 1000
