"""The SDK's exporters of metrics, for a target of ours.

Everything is passed to them, since they read OTEL_EXPORTER_OTLP_* for what they are not given.
Each is imported when it is needed: grpc is 9 MB, requests 6.
"""

import logging
import threading
from typing import Any, Final

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from helmwake.delivery.target import Compression, OtlpTarget, Protocol
from helmwake.delivery.tls import read_pems

_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
)


class Redaction(logging.Filter):
    """Keeps a target's secrets out of what the exporters log: the words of backends and URLs."""

    def __init__(self, target: OtlpTarget) -> None:
        super().__init__()
        self._target = target

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._target.words(record.getMessage()), ()
        record.exc_info = None  # a traceback quotes them again
        return True

    def begin(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)


class SwitchedExporter(MetricExporter):
    """Exports to whichever target is in force; without one, to nowhere.

    A MeterProvider's readers are fixed when it is made. So that a change of the endpoint keeps
    the counters, the exporter behind the reader changes instead.
    """

    def __init__(self, target: OtlpTarget | None) -> None:
        """Raises BadTargetError: a file of the target cannot be used."""
        super().__init__()
        self._exporter = otlp_exporter(target) if target else None
        self._redaction = Redaction(target) if target else None
        if self._exporter is not None:
            self._preferred_temporality = self._exporter._preferred_temporality  # noqa: SLF001
            self._preferred_aggregation = self._exporter._preferred_aggregation  # noqa: SLF001
        if self._redaction is not None:
            self._redaction.begin()

    def switch(self, target: OtlpTarget | None) -> None:
        """Use another target from the next export on.

        Raises:
            BadTargetError: a file of the target cannot be used; the old target stays.
        """
        exporter = otlp_exporter(target) if target else None
        retired, self._exporter = self._exporter, exporter
        if self._redaction is not None:
            self._redaction.end()
        self._redaction = Redaction(target) if target else None
        if self._redaction is not None:
            self._redaction.begin()
        if retired is not None:
            # It may be exporting, and waits for that: not on our loop.
            threading.Thread(target=retired.shutdown, daemon=True).start()

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        exporter = self._exporter
        if exporter is None:
            return MetricExportResult.SUCCESS
        return exporter.export(metrics_data, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._exporter is None or self._exporter.force_flush(timeout_millis)

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        # The SDK's callers and exporters do not agree on the name of the timeout.
        if self._exporter is not None:
            self._exporter.shutdown(*args, **kwargs)
        if self._redaction is not None:
            self._redaction.end()


def otlp_exporter(target: OtlpTarget) -> MetricExporter:
    """An exporter to the target; it opens no connection yet.

    Raises:
        BadTargetError: a file of the target cannot be used.
    """
    return _grpc(target) if target.protocol is Protocol.GRPC else _http(target)


def _grpc(target: OtlpTarget) -> MetricExporter:
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415
        OTLPMetricExporter as GrpcExporter,
    )

    gzip = target.compression is Compression.GZIP
    credentials = None
    if not target.insecure:
        pems = read_pems(target)
        credentials = grpc.ssl_channel_credentials(
            root_certificates=pems.certificate,
            private_key=pems.client_key,
            certificate_chain=pems.client_certificate,
        )
    return GrpcExporter(
        endpoint=target.endpoint,
        insecure=target.insecure,
        credentials=credentials,
        headers=tuple(target.headers.items()),
        timeout=target.timeout_s,
        compression=grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression,
    )


def _http(target: OtlpTarget) -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http import (  # noqa: PLC0415
        Compression as HttpCompression,
    )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415
        OTLPMetricExporter as HttpExporter,
    )

    gzip = target.compression is Compression.GZIP
    if not target.insecure:
        read_pems(target)  # a broken file is told now, not at the first export
    return HttpExporter(
        endpoint=target.endpoint,
        certificate_file=target.certificate,
        client_certificate_file=target.client_certificate,
        client_key_file=target.client_key,
        headers=target.headers,
        timeout=target.timeout_s,
        compression=HttpCompression.Gzip if gzip else HttpCompression.NoCompression,
    )
