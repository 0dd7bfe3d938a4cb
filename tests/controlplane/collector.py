"""An OpenTelemetry Collector between what is tested and Jaeger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Self

from tests.controlplane import toolbox
from tests.controlplane.process import Process, free_port, listens

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK: Final = "127.0.0.1"


class Collector:
    """A running collector: OTLP in, OTLP to `traces_to` and a log of all signals out."""

    def __init__(self, directory: Path, *, traces_to: str) -> None:
        grpc, http = free_port(), free_port()
        self.otlp_grpc: Final = f"http://{LOOPBACK}:{grpc}"
        self.otlp_http: Final = f"http://{LOOPBACK}:{http}"
        endpoints = {
            "grpc": {"endpoint": f"{LOOPBACK}:{grpc}"},
            "http": {"endpoint": f"{LOOPBACK}:{http}"},
        }
        # Too much memory is answered with UNAVAILABLE, which a sender must survive.
        limiter = {"check_interval": "1s", "limit_mib": 512}
        signals = {
            signal: {
                "receivers": ["otlp"],
                "processors": ["memory_limiter"],
                "exporters": exporters,
            }
            for signal, exporters in {
                "traces": ["otlp_grpc", "debug"],
                "metrics": ["debug"],
                "logs": ["debug"],
            }.items()
        }
        config = directory / "otelcol.json"
        # What it received is read back from the log of the debug exporter.
        self.log: Final = directory / "otelcol.log"
        settings = {
            "receivers": {"otlp": {"protocols": endpoints}},
            "processors": {"memory_limiter": limiter},
            "exporters": {
                "otlp_grpc": {"endpoint": traces_to, "tls": {"insecure": True}},
                "debug": {"verbosity": "detailed"},
            },
            "service": {"pipelines": signals, "telemetry": {"metrics": {"level": "none"}}},
        }
        config.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        self.process: Final = Process(
            [toolbox.locate(toolbox.COLLECTOR, "otelcol"), f"--config=file:{config}"],
            log=self.log,
        )
        try:
            self.process.wait_until(lambda: listens(grpc) and listens(http))
        except BaseException:
            self.process.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, after what it still has was sent on."""
        self.process.stop()
