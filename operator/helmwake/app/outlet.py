"""Final operations on their way out: a trace to the queue, measurements, a line in the log."""

import logging
from collections.abc import Callable

from helmwake.delivery.metrics import Meters
from helmwake.delivery.queue import DeliveryQueue
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.metrics import OwnError, announce_operation, measure_operation
from helmwake.telemetry.traces import Cluster, build_trace

logger = logging.getLogger(__name__)


class Outlet:
    def __init__(
        self, *, queue: DeliveryQueue, meters: Meters, cluster: Callable[[], Cluster]
    ) -> None:
        self._queue = queue
        self._meters = meters
        self._cluster = cluster
        for error in OwnError:
            meters.record(error.measured(0))

    def failed(self, error: OwnError) -> None:
        """Count what the operator itself could not do."""
        self._meters.record(error.measured())

    def begun(self, operation: Operation) -> None:
        for measurement in announce_operation(operation):
            self._meters.record(measurement)
        logger.info(
            "%s: %s of revision %d began",
            operation.release,
            operation.kind.value,
            operation.revision,
        )

    def ended(self, operation: Operation) -> None:
        trace = build_trace(operation, self._cluster())
        self._queue.put(trace)
        for measurement in measure_operation(operation):
            self._meters.record(measurement)
        outcome = operation.outcome
        ended = operation.ended or operation.started
        logger.info(
            "%s: %s of revision %d ended after %.1f s: %s%s (trace %032x)",
            operation.release,
            operation.kind.value,
            operation.revision,
            (ended - operation.started).total_seconds(),
            outcome.result.value if outcome else "unknown",
            f", {outcome.message}" if outcome and outcome.message else "",
            trace.root.context.trace_id,
        )
