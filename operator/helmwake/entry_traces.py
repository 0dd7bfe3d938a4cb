"""The trace of what the ledger holds of an operation."""

from helmwake.ledger.entry import Entry
from helmwake.telemetry.spans import Trace
from helmwake.telemetry.traces import Cluster, build_trace


def trace_of(entry: Entry) -> Trace:
    """Build it of the entry alone: that of a final one is the same whenever it is built."""
    cluster = Cluster(uid=entry.cluster_uid, name=entry.cluster_name)
    return build_trace(entry.operation, cluster, version=entry.version, omitted=entry.omitted)
