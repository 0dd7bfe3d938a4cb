"""An operation's spans: names, kinds, parents, times, and what each says."""

import pytest
from tests.lifecycle.making import after
from tests.telemetry.operations import (
    a_test,
    failed_upgrade,
    good_upgrade,
    remedy,
    running,
    skewed,
    uninstalled,
    with_outcome,
)

from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import Result
from helmwake.telemetry.spans import Kind, Level, Span, Trace
from helmwake.telemetry.traces import Cluster, build_trace
from helmwake.version import VERSION

CLUSTER = Cluster(uid="cluster-uid", name="here")
EVERY = [good_upgrade, failed_upgrade, a_test, uninstalled, skewed, running]


def built(operation: Operation) -> Trace:
    return build_trace(operation, CLUSTER)


def span(trace: Trace, name: str) -> Span:
    [found] = [each for each in trace.spans if each.name == name]
    return found


def test_a_root_and_its_children_in_the_order_of_time() -> None:
    trace = built(good_upgrade())

    assert [(each.name, each.kind) for each in trace.spans] == [
        ("upgrade shop/cart", Kind.SERVER),
        ("apply", Kind.INTERNAL),
        ("hook pre-upgrade migrate", Kind.INTERNAL),
        ("rollout deployment/cart", Kind.INTERNAL),
    ]
    assert trace.root.parent is None
    assert all(each.parent == trace.root.context for each in trace.spans[1:])


def test_each_part_has_its_own_time() -> None:
    trace = built(good_upgrade())

    assert {each.name: (each.start, each.end) for each in trace.spans} == {
        "upgrade shop/cart": (after(60), after(70)),
        "apply": (after(60), after(65)),
        "hook pre-upgrade migrate": (after(61), after(63)),
        "rollout deployment/cart": (after(64), after(70)),
    }


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (a_test, ["test shop/cart", "hook test smoke"]),
        (uninstalled, ["uninstall shop/cart"]),
        (lambda: remedy()[1], ["rollback shop/cart", "apply"]),
    ],
)
def test_only_what_deploys_has_an_apply(make: object, names: list[str]) -> None:
    assert callable(make)
    assert [each.name for each in built(make()).spans] == names


@pytest.mark.parametrize("make", EVERY)
def test_no_span_ends_before_it_starts_and_no_child_leaves_its_parents_time(
    make: object,
) -> None:
    assert callable(make)
    trace = built(make())
    root = trace.root
    for each in trace.spans:
        assert each.end is None or each.end >= each.start
        assert each.start >= root.start
        if root.end is not None:
            assert each.end is not None
            assert each.end <= root.end


def test_what_runs_has_no_end_and_no_result() -> None:
    trace = built(running())

    assert not trace.finished
    assert [each.end for each in trace.spans] == [None, None, None]
    assert "cicd.pipeline.result" not in trace.root.attributes


@pytest.mark.parametrize("result", [Result.SUCCESS, Result.SKIP, Result.CANCELLATION])
def test_status_stays_unset_on_success_skip_and_cancellation(result: Result) -> None:
    root = built(with_outcome(result)).root

    assert (root.level, root.description) == (Level.UNSET, None)
    assert root.attributes["cicd.pipeline.result"] == result.value


@pytest.mark.parametrize("result", [Result.FAILURE, Result.TIMEOUT, Result.ERROR])
def test_status_is_error_with_a_bounded_description_on_all_else(result: Result) -> None:
    root = built(with_outcome(result)).root

    assert (root.level, root.description) == (Level.ERROR, "m" * 256)
    assert root.attributes["cicd.pipeline.result"] == result.value


def test_only_what_did_not_succeed_has_an_error_type() -> None:
    good, bad = built(good_upgrade()), built(failed_upgrade())

    assert all("error.type" not in each.attributes for each in good.spans)
    errors = {each.name: each.attributes.get("error.type") for each in bad.spans}
    assert errors["apply"] == "timeout"
    assert errors["rollout deployment/cart"] == "timeout"


def test_a_result_may_be_a_timeout_and_its_type_the_cause() -> None:
    root = built(failed_upgrade("pre-upgrade hooks failed: x")).root

    assert root.attributes["cicd.pipeline.result"] == "failure"
    assert root.attributes["error.type"] == "hook_failed"


def test_nothing_of_helms_own_text_is_in_a_span() -> None:
    trace = built(failed_upgrade('cannot patch "x" with kind Secret: marker-c0ffee'))

    assert "marker-c0ffee" not in repr(trace)


def test_the_resource_is_the_operators_the_clusters_and_the_runs() -> None:
    trace = built(good_upgrade())

    assert trace.resource == {
        "service.name": "helmwake",
        "service.version": VERSION,
        "k8s.cluster.uid": "cluster-uid",
        "k8s.cluster.name": "here",
        "cicd.pipeline.name": "shop/cart",
        "cicd.pipeline.run.id": trace.root.attributes["cicd.pipeline.run.id"],
    }


def test_a_trace_says_which_version_closed_the_operation() -> None:
    ours = build_trace(good_upgrade(), CLUSTER)
    older = build_trace(good_upgrade(), CLUSTER, version="0.0.7")

    assert older.resource == {**ours.resource, "service.version": "0.0.7"}
    assert older.spans == ours.spans


def test_an_unknown_cluster_is_left_out_of_the_resource() -> None:
    resource = build_trace(good_upgrade(), Cluster()).resource

    assert not [key for key in resource if key.startswith("k8s.")]


def test_the_same_operation_makes_the_same_trace() -> None:
    operation = good_upgrade()

    assert built(operation) == built(operation)
