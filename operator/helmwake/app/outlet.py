"""What the tracker tells of operations: into the ledger first, and from there to a backend."""

import logging
from collections.abc import Callable
from typing import Protocol

from helmwake.delivery.metrics import Meters
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.ids import root_context
from helmwake.telemetry.metrics import OwnError, announce_operation, measure_operation
from helmwake.telemetry.traces import Cluster
from helmwake.version import VERSION

logger = logging.getLogger(__name__)


class Offers(Protocol):
    """Who delivers."""

    def offer(self, entry: Entry) -> None:
        """Take a final entry that is stored."""

    def offer_unstored(self, entry: Entry) -> None:
        """Take a final entry that the ledger refuses to store."""


class Outlet:
    """Stands behind the tracker's `Operations`, and hears what the ledger has stored.

    An operation is counted when its end is stored: a process that is killed before that finds
    it running, and one that is killed after it finds it final. So it is never counted twice.
    """

    def __init__(
        self,
        *,
        meters: Meters,
        cluster: Callable[[], Cluster],
        put: Callable[[Entry], None],
        offers: Offers,
    ) -> None:
        self._meters = meters
        self._cluster = cluster
        self._put = put
        self._offers = offers
        for error in OwnError:
            meters.record(error.measured(0))

    def failed(self, error: OwnError) -> None:
        """Count what the operator itself could not do."""
        self._meters.record(error.measured())

    def begun(self, operation: Operation) -> None:
        if operation.history:
            return
        for measurement in announce_operation(operation):
            self._meters.record(measurement)
        logger.info(
            "%s: %s of revision %d began",
            operation.release,
            operation.kind.value,
            operation.revision,
        )

    def changed(self, operation: Operation) -> None:
        self._put(self._entry(operation, State.RUNNING))

    def ended(self, operation: Operation) -> None:
        self._put(self._entry(operation, State.UNDELIVERED))

    def given_up(self, operation: Operation) -> None:
        entry = self._entry(operation, State.GIVEN_UP, problem="it is observed no more")
        self._put(entry)

    def stored(self, entry: Entry) -> None:
        """Go on with what the ledger has."""
        if entry.state is State.UNDELIVERED:
            self._count(entry.operation)
            _log(entry)
            self._offers.offer(entry)

    def refused(self, entry: Entry, why: str) -> None:
        """Deliver all the same what the ledger cannot hold."""
        self.failed(OwnError.NOT_STORED)
        logger.error("%s: the ledger refuses it: %s", entry.operation.release, why)
        if entry.state is State.UNDELIVERED:
            self._count(entry.operation)
            _log(entry)
            self._offers.offer_unstored(entry)

    def known(self, entry: Entry) -> None:
        """Leave alone what was told before: it was found again in what the cluster has left."""
        logger.debug(
            "%s: %s of revision %d was told before",
            entry.operation.release,
            entry.operation.kind.value,
            entry.operation.revision,
        )

    def _entry(self, operation: Operation, state: State, *, problem: str | None = None) -> Entry:
        cluster = self._cluster()
        return Entry(
            operation=operation,
            state=state,
            trace_id=f"{root_context(operation).trace_id:032x}",
            version=VERSION,
            cluster_uid=cluster.uid,
            cluster_name=cluster.name,
            problem=problem,
        )

    def _count(self, operation: Operation) -> None:
        if operation.history:
            return
        for measurement in measure_operation(operation):
            self._meters.record(measurement)


def _log(entry: Entry) -> None:
    operation = entry.operation
    outcome = operation.outcome
    ended = operation.ended or operation.started
    logger.info(
        "%s: %s of revision %d ended after %.1f s: %s%s (trace %s)",
        operation.release,
        operation.kind.value,
        operation.revision,
        (ended - operation.started).total_seconds(),
        outcome.result.value if outcome else "unknown",
        f", {outcome.message}" if outcome and outcome.message else "",
        entry.trace_id,
    )
