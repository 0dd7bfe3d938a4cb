"""Every outcome has a duration, each error is counted, and attributes stay few."""

from dataclasses import replace
from typing import Final

import pytest
from tests.lifecycle.making import after
from tests.telemetry.operations import (
    TAGS,
    UPSTREAM,
    failed_upgrade,
    good_upgrade,
    running,
    with_outcome,
)

from helmwake.facts.helm import Tags
from helmwake.lifecycle.outcome import ErrorType, Result
from helmwake.telemetry.ids import root_context
from helmwake.telemetry.measurements import (
    DURATION_BUCKETS,
    INSTRUMENTS,
    RUN_DURATION,
    RUN_ERRORS,
    SYSTEM_ERRORS,
    InstrumentKind,
)
from helmwake.telemetry.metrics import announce_operation, errors_found, measure_operation

# Few values each, whatever happens in the cluster.
FEW: Final = {
    "cicd.pipeline.name",
    "cicd.pipeline.run.state",
    "cicd.pipeline.result",
    "error.type",
    "keptn.project",
    "keptn.stage",
    "keptn.service",
}


def test_instruments_are_named_as_the_conventions_say() -> None:
    assert INSTRUMENTS == (RUN_DURATION, RUN_ERRORS, SYSTEM_ERRORS)
    assert (RUN_DURATION.name, RUN_DURATION.unit, RUN_DURATION.kind) == (
        "cicd.pipeline.run.duration",
        "s",
        InstrumentKind.HISTOGRAM,
    )
    assert (RUN_ERRORS.name, RUN_ERRORS.unit, RUN_ERRORS.kind) == (
        "cicd.pipeline.run.errors",
        "{error}",
        InstrumentKind.COUNTER,
    )


def test_buckets_are_on_the_instrument() -> None:
    assert RUN_DURATION.buckets == DURATION_BUCKETS == (
        1, 2.5, 5, 10, 20, 30, 60, 90, 120, 180, 300, 600, 900, 1800, 3600,
    )  # fmt: skip


@pytest.mark.parametrize("result", list(Result))
def test_every_outcome_has_a_duration(result: Result) -> None:
    operation = with_outcome(result)

    [duration] = [m for m in measure_operation(operation) if m.instrument is RUN_DURATION]

    assert duration.value == 10.0
    expected = {
        "cicd.pipeline.name": "shop/cart",
        "cicd.pipeline.run.state": "executing",
        "cicd.pipeline.result": result.value,
        "keptn.project": "sockshop",
        "keptn.stage": "prod",
        "keptn.service": "cart",
    }
    assert operation.outcome is not None
    if operation.outcome.error is not None:
        expected["error.type"] = operation.outcome.error.value
    assert duration.attributes == expected


def test_an_exemplar_leads_to_the_trace() -> None:
    operation = failed_upgrade()

    measured = measure_operation(operation)

    assert len(measured) > 1
    assert {m.exemplar for m in measured} == {root_context(operation)}


def test_a_clock_that_went_back_makes_no_negative_duration() -> None:
    operation = replace(good_upgrade(), ended=after(0))

    assert measure_operation(operation)[0].value == 0


def test_times_that_are_mere_bounds_make_no_duration() -> None:
    assert measure_operation(replace(good_upgrade(), bounded=True)) == ()


def test_what_runs_is_not_measured() -> None:
    assert measure_operation(running()) == ()


def test_each_error_is_counted_once_also_those_that_did_not_fail_the_run() -> None:
    operation = failed_upgrade()
    counted = [m for m in measure_operation(operation) if m.instrument is RUN_ERRORS]

    assert [m.attributes["error.type"] for m in counted] == [
        error.value for error in errors_found(operation)
    ]
    assert len({m.attributes["error.type"] for m in counted}) == len(counted) > 0
    assert {m.value for m in counted} == {1}


def test_a_good_run_counts_no_error() -> None:
    assert errors_found(good_upgrade()) == ()
    assert errors_found(with_outcome(Result.CANCELLATION)) == ()


def test_every_error_series_is_born_at_0() -> None:
    announced = announce_operation(running())

    assert {m.attributes["error.type"] for m in announced} == {error.value for error in ErrorType}
    assert {(m.instrument, m.value) for m in announced} == {(RUN_ERRORS, 0)}
    assert all(m.exemplar is None for m in announced)


def test_no_key_of_many_values_is_on_a_metric() -> None:
    tags = replace(TAGS, traceparent=UPSTREAM)
    operations = [good_upgrade(tags), failed_upgrade(), good_upgrade(Tags())]
    for operation in operations:
        for measurement in (*measure_operation(operation), *announce_operation(operation)):
            assert set(measurement.attributes) <= FEW
