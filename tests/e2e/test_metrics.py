"""Durations and errors are counted, on the Prometheus endpoint and by OTLP."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.controlplane.commands import HelmVersion
    from tests.e2e.conftest import Performance
    from tests.e2e.spans import Span

DURATION: Final = "cicd_pipeline_run_duration_seconds"
ERRORS: Final = "cicd_pipeline_run_errors_total"
BAD: Final = {"failure", "timeout", "error"}
# High cardinality has no place on a metric.
NEVER: Final = re.compile(r"revision|run_id|pod_name|context|uid")


@pytest.fixture(scope="package")
def samples(performance: Performance) -> list[tuple[str, Mapping[str, str], float]]:
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(performance.metrics)
        for sample in family.samples
    ]


def counts(
    samples: list[tuple[str, Mapping[str, str], float]], name: str, pipeline: str, *labels: str
) -> dict[str, int]:
    """Sum the samples of a release by these labels; those that are zero are left out."""
    found: Counter[str] = Counter()
    for sample, given, value in samples:
        if sample == name and given["cicd_pipeline_name"] == pipeline:
            found[" ".join(filter(None, (given.get(label) for label in labels)))] += int(value)
    return dict(+found)


def errors(spans: list[Span]) -> Counter[str]:
    """Count each error of an operation once, wherever in it it was found."""
    found = {
        (span.run, str(span["error.type"])) for span in spans if span.verdict.split()[0] in BAD
    }
    return Counter(error for _, error in found)


def test_each_operation_has_a_duration_and_each_error_is_counted(
    performance: Performance,
    samples: list[tuple[str, Mapping[str, str], float]],
    name: str,
    version: HelmVersion,
) -> None:
    play = performance.play(name, version)
    spans = performance.told.of(play)
    pipeline = f"{play.namespace}/cart"

    durations = counts(
        samples, f"{DURATION}_count", pipeline, "cicd_pipeline_result", "error_type"
    )
    news = [each.verdict for each in play.expected if "helmwake.history" not in each.attributes]
    assert sum(durations.values()) == len(play.counted) - (len(play.expected) - len(news))
    assert durations == Counter(news)
    assert counts(samples, ERRORS, pipeline, "error_type") == errors(spans)


def test_durations_are_those_of_the_spans(
    performance: Performance, samples: list[tuple[str, Mapping[str, str], float]]
) -> None:
    told: Counter[str] = Counter()
    for span in performance.spans:
        if span.is_root and "helmwake.history" not in span.attributes:
            pipeline = str(span.resource["cicd.pipeline.name"])
            told[pipeline] += (span.end - span.start).total_seconds()  # type: ignore[assignment]
    measured: Counter[str] = Counter()
    for sample, given, value in samples:
        pipeline = given.get("cicd_pipeline_name", "")
        if sample == f"{DURATION}_sum" and pipeline in told:
            measured[pipeline] += value  # type: ignore[assignment]

    assert measured == pytest.approx(told, abs=0.01)


def test_metrics_have_few_attributes(
    samples: list[tuple[str, Mapping[str, str], float]],
) -> None:
    labels = {label for name, given, _ in samples if name.startswith("cicd_") for label in given}

    assert "cicd_pipeline_name" in labels
    assert not [label for label in labels if NEVER.search(label)]


def test_metrics_arrive_by_otlp_with_an_exemplar(performance: Performance) -> None:
    log = performance.collector_log.read_text(encoding="utf-8")
    runs = {span.context[0] for span in performance.spans if span.is_root}

    assert "Name: cicd.pipeline.run.duration" in log
    assert "Name: cicd.pipeline.run.errors" in log
    for play in performance.plays.values():
        if play.expected:
            assert f"cicd.pipeline.name: Str({play.namespace}/cart)" in log
    assert runs & set(re.findall(r"Trace ID: ([0-9a-f]{32})", log))
