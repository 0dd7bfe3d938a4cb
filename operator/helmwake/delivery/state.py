"""How delivery stands, for conditions, probes and tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """A snapshot. Counts run since the process began."""

    endpoint: str | None = None  # in words; None: none is configured
    delivering: bool = False  # there is an endpoint, and nothing says that it does not take all
    waiting_traces: int = 0  # the ones being sent too
    waiting_spans: int = 0
    oldest_age_s: float = 0.0  # how long the trace that waits longest has waited
    delivered_traces: int = 0
    poisoned_traces: int = 0
    dropped_traces: int = 0
    dropped_spans: int = 0
    rejected_spans: int = 0
    # What went wrong last, in words. Whether it still does is told by `delivering`.
    last_error: str | None = None


NO_ENDPOINT = "no endpoint is configured: set OTEL_EXPORTER_OTLP_ENDPOINT"
