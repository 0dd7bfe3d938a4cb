"""Measurements to metrics: by OTLP, on a Prometheus endpoint, or both.

Here the SDK's own exporters are good enough: a metric that is cumulative loses nothing when a
request is lost. They run in a thread of theirs.
"""

import asyncio
import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from helmwake.delivery.metric_exporters import SwitchedExporter
from helmwake.delivery.target import OtlpTarget
from helmwake.telemetry.measurements import (
    INSTRUMENTS,
    Instrument,
    InstrumentKind,
    Measurement,
)
from helmwake.telemetry.readable import SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION
from helmwake.telemetry.spans import SpanContext

logger = logging.getLogger(__name__)

# Sets of attributes of one instrument. The SDK never releases one, and folds what is beyond the
# limit into a single series with otel.metric.overflow: 5,000 releases with a few outcomes fit.
MAX_SERIES: Final = 20_000


class Meters:
    """Our instruments and what reads them. `shutdown` must be called once."""

    def __init__(
        self,
        resource: Mapping[str, str],
        *,
        otlp: OtlpTarget | None = None,
        prometheus: bool = True,
        retargetable: bool = False,
        export_every_s: float | None = None,
        instruments: Iterable[Instrument] = INSTRUMENTS,
        max_series: int = MAX_SERIES,
    ) -> None:
        """`resource` is whole: nothing of the environment is added to it.

        Without a target nothing is exported, and a `retarget` has an effect only where it was
        `retargetable` from the start: the SDK's readers are fixed then.

        OTLP exports every `export_every_s`, else as OTEL_METRIC_EXPORT_INTERVAL says (60 s).

        Raises:
            BadTargetError: a file of the target cannot be used.
        """
        instruments = tuple(instruments)
        self._registry = CollectorRegistry() if prometheus else None
        self._rendering = threading.Lock()
        readers: list[MetricReader] = []
        self._exporter = SwitchedExporter(otlp)
        if otlp is not None or retargetable:
            every_ms = None if export_every_s is None else export_every_s * 1000
            readers.append(PeriodicExportingMetricReader(self._exporter, every_ms))
        if self._registry is not None:
            # Scope labels would be on every series, the same everywhere.
            readers.append(
                PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)
            )
        self._provider = MeterProvider(
            metric_readers=readers,
            resource=Resource(dict(resource), SCHEMA_URL),
            views=[
                View(instrument_name=each.name, aggregation_cardinality_limit=max_series)
                for each in instruments
            ],
            shutdown_on_exit=False,  # it would block the exit while a backend is away
        )
        meter = self._provider.get_meter(SCOPE_NAME, SCOPE_VERSION, SCHEMA_URL)
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        for each in instruments:
            match each.kind:
                case InstrumentKind.COUNTER:
                    self._counters[each.name] = meter.create_counter(
                        each.name, each.unit, each.description
                    )
                case InstrumentKind.HISTOGRAM:
                    self._histograms[each.name] = meter.create_histogram(
                        each.name,
                        each.unit,
                        each.description,
                        explicit_bucket_boundaries_advisory=each.buckets,
                    )

    def record(self, measurement: Measurement) -> None:
        """Count it. Any thread may call this; it never waits for a backend.

        Raises:
            KeyError: its instrument is not one of ours.
        """
        name, attributes = measurement.instrument.name, dict(measurement.attributes)
        context = _exemplar(measurement.exemplar)
        match measurement.instrument.kind:
            case InstrumentKind.COUNTER:
                self._counters[name].add(measurement.value, attributes, context)
            case InstrumentKind.HISTOGRAM:
                self._histograms[name].record(measurement.value, attributes, context)

    def retarget(self, target: OtlpTarget | None) -> None:
        """Export to another target from now on; `None`: to none.

        Raises:
            BadTargetError: a file of the target cannot be used; the old target stays.
        """
        self._exporter.switch(target)

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """The content type and the page of the Prometheus endpoint; `accept` is the scraper's.

        Raises:
            RuntimeError: Prometheus was not asked for.
        """
        if self._registry is None:
            raise RuntimeError("these meters have no Prometheus reader")
        encoder, content_type = choose_encoder(accept)
        # HAZARD: the reader queues what it collects, so two scrapes at once would take each
        # other's series, and one of them show them twice.
        with self._rendering:
            return content_type, encoder(self._registry)

    async def shutdown(self, timeout_s: float) -> None:
        """Export once more and stop, within about `timeout_s`. The loop goes on meanwhile."""
        try:
            await asyncio.to_thread(self._provider.shutdown, timeout_s * 1000)
        except Exception as error:  # noqa: BLE001  # the SDK raises nothing narrower
            logger.warning("Metrics may be incomplete: %s", str(error).replace("\n", " "))


def _exemplar(span: SpanContext | None) -> Context:
    """A context that makes the SDK note this span, and none that happens to be current."""
    if span is None:
        # Not an empty context: that is false, and the SDK then takes the current one.
        return otel.set_span_in_context(otel.INVALID_SPAN, Context())
    context = otel.SpanContext(
        trace_id=span.trace_id,
        span_id=span.span_id,
        is_remote=False,
        trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED),
    )
    return otel.set_span_in_context(otel.NonRecordingSpan(context), Context())
