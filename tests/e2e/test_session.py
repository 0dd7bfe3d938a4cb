"""The operator as a process, over a whole session."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.e2e.bad_input import NAMESPACE, ODD, PAYLOADS, PREFIX
from tests.e2e.programs import Operator, defects
from tests.e2e.spans import from_jaeger

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.jaeger import Jaeger
    from tests.e2e.conftest import Performance


def test_none_is_missing_and_none_is_told_twice(performance: Performance) -> None:
    counted = Counter(
        f"{kind} {play.namespace}/cart"
        for play in performance.plays.values()
        for kind in play.counted
    )

    assert Counter(span.name for span in performance.spans if span.is_root) == counted
    assert len({span.context for span in performance.spans}) == len(performance.spans)
    assert performance.late == ""


def test_every_span_belongs_to_a_root(performance: Performance) -> None:
    roots = {span.context for span in performance.spans if span.is_root}

    assert {span.parent for span in performance.spans if not span.is_root} <= roots


def test_log_tells_of_no_defect(performance: Performance) -> None:
    assert defects(performance.log) == []


def test_sigterm_ends_it_in_order(performance: Performance) -> None:
    assert performance.exit_code == 0
    assert "operations still run" not in performance.log


def test_bad_payload_is_one_line_and_its_operation_is_traced(performance: Performance) -> None:
    lines = performance.log.splitlines()
    spans = from_jaeger(performance.told.jaeger.traces("helmwake"))
    assert performance.bad_input.ready
    for name in PAYLOADS:
        record = f"{NAMESPACE}/{PREFIX}{name}.v1: "
        told = [line for line in lines if record in line]
        # One for each version of the record that was fetched.
        assert 1 <= len(told) <= 2, told
        assert all(len(line.split(record)[1]) > 10 for line in told), told
        roots = [span for span in spans if span.name == f"install {NAMESPACE}/{name}"]
        assert [root.verdict for root in roots] == ["success"]
        assert roots[0]["helm.chart.name"] is None


def test_bad_name_or_status_is_one_line(performance: Performance) -> None:
    lines = performance.log.splitlines()
    for name in ODD:
        told = [line for line in lines if f"{NAMESPACE}/{name}: " in line]
        assert len(told) == 1, told


def test_bad_input_is_counted(performance: Performance) -> None:
    assert "cicd_system_errors_total" in performance.metrics


def test_traces_go_by_http_too(
    control_plane: ControlPlane,
    jaeger: Jaeger,
    login: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Named namespaces are observed without a label; no other operator sees this one."""
    namespace = "by-http"
    control_plane.create_namespace(namespace)
    with Operator(
        "--watch-namespaces",
        namespace,
        kubeconfig=login,
        log=tmp_path / "operator.log",
        # Jaeger takes traces alone.
        environment={
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{jaeger.otlp_http}/v1/traces",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        },
    ) as operator:
        chart = str(request.config.rootpath / "tests" / "charts" / "web")
        label = "keptn.sh/context=by-http"
        control_plane.helm(
            "install", "cart", chart, "-n", namespace, "--labels", label, check=True
        )
        found = jaeger.wait_for_traces("helmwake", tags={"keptn.context": "by-http"})
        exit_code = operator.finish()

    spans = from_jaeger(found)
    assert {span.name: span.verdict for span in spans} == {
        f"install {namespace}/cart": "success",
        "apply": "success",
        "rollout deployment/cart": "success",
    }
    assert exit_code == 0
    assert defects(operator.text) == []
