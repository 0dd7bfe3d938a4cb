"""Operation -> measurements. Every outcome has a duration; high-cardinality keys stay off."""

from enum import StrEnum

from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType, Outcome
from helmwake.telemetry import semconv
from helmwake.telemetry.ids import root_context
from helmwake.telemetry.measurements import (
    RUN_DURATION,
    RUN_ERRORS,
    SYSTEM_ERRORS,
    Measurement,
)
from helmwake.telemetry.traces import pipeline_name
from helmwake.version import VERSION

RUN_STATE = "cicd.pipeline.run.state"
EXECUTING = "executing"  # Helm's pending-* is executing; a rollout is not finalizing


def measure_operation(operation: Operation) -> tuple[Measurement, ...]:
    """Measure a finished operation: its duration, and each error found in it.

    An operation whose times are mere bounds has no duration to speak of.
    """
    outcome = operation.outcome
    if outcome is None or operation.ended is None:
        return ()
    common = _common(operation)
    exemplar = root_context(operation)
    measured = []
    if not operation.bounded:
        ended = {semconv.PIPELINE_RESULT.name: outcome.result.value}
        if outcome.error is not None:
            ended[semconv.ERROR_TYPE.name] = outcome.error.value
        measured.append(
            Measurement(
                instrument=RUN_DURATION,
                value=max((operation.ended - operation.started).total_seconds(), 0.0),
                attributes={**common, RUN_STATE: EXECUTING, **ended},
                exemplar=exemplar,
            )
        )
    errors = errors_found(operation)
    measured += [
        Measurement(
            instrument=RUN_ERRORS,
            value=1,
            attributes={**common, semconv.ERROR_TYPE.name: error.value},
            exemplar=exemplar,
        )
        for error in errors
    ]
    return tuple(measured)


def announce_operation(operation: Operation) -> tuple[Measurement, ...]:
    """Give birth to the release's error series: one born at 1 is invisible to `increase()`."""
    return tuple(
        Measurement(
            instrument=RUN_ERRORS,
            value=0,
            attributes={**_common(operation), semconv.ERROR_TYPE.name: error.value},
        )
        for error in ErrorType
    )


class OwnError(StrEnum):
    """What can go wrong in the operator: `<component>.<error.type>`."""

    BAD_OBJECT = "reflector.bad_object"
    BAD_PAYLOAD = "payloads.bad_payload"
    NOT_FETCHED = "payloads.not_fetched"
    NOT_LISTED = "workloads.not_listed"
    NOT_APPLIED = "tracking.not_applied"
    NOT_STORED = "ledger.not_stored"
    BAD_ENTRY = "ledger.bad_entry"

    def measured(self, value: int = 1) -> Measurement:
        """Measure one; a value of 0 gives birth to the series."""
        component, _, error = self.value.partition(".")
        return Measurement(
            instrument=SYSTEM_ERRORS,
            value=value,
            attributes={"cicd.system.component": component, semconv.ERROR_TYPE.name: error},
        )


def errors_found(operation: Operation) -> tuple[ErrorType, ...]:
    """Return each kind of error found in the operation once, also those that did not fail it."""
    outcomes: list[Outcome | None] = [operation.outcome, operation.helm_outcome]
    outcomes += [run.outcome for run in operation.hooks]
    outcomes += [rollout.outcome for rollout in operation.rollouts]
    found = [outcome.error for outcome in outcomes if outcome and outcome.bad and outcome.error]
    return tuple(dict.fromkeys(found))


def _common(operation: Operation) -> dict[str, str]:
    keptn = operation.keptn
    named = {
        semconv.PIPELINE_NAME.name: pipeline_name(operation),
        semconv.KEPTN_PROJECT.name: keptn.project,
        semconv.KEPTN_STAGE.name: keptn.stage,
        semconv.KEPTN_SERVICE.name: keptn.service,
    }
    return {key: value for key, value in named.items() if value}


def operator_resource(cluster_name: str | None) -> dict[str, str]:
    """Return the Resource of the operator's own metrics."""
    named = {
        semconv.SERVICE_NAME.name: "helmwake",
        semconv.SERVICE_VERSION.name: VERSION,
        semconv.CLUSTER_NAME.name: cluster_name,
    }
    return {key: value for key, value in named.items() if value}
