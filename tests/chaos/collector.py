"""The Collector between operator and sink, which goes away and comes back."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Final, Self

from tests.controlplane import toolbox
from tests.controlplane.process import Process, free_port, listens

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK: Final = "127.0.0.1"
END_SECONDS: Final = 10.0


class Relay:
    """A collector whose answer is its backend's: it has no queue, no batches and no new tries.

    With a queue it would say yes to what a crash then takes from it.
    """

    def __init__(self, directory: Path, *, to_port: int) -> None:
        self._port: Final = free_port()
        self.endpoint: Final = f"http://{LOOPBACK}:{self._port}"
        self._log: Final = directory / "otelcol.log"
        self._config: Final = directory / "otelcol.json"
        receiver = {"protocols": {"grpc": {"endpoint": f"{LOOPBACK}:{self._port}"}}}
        exporter = {
            "endpoint": f"{LOOPBACK}:{to_port}",
            "tls": {"insecure": True},
            "sending_queue": {"enabled": False},
            "retry_on_failure": {"enabled": False},
        }
        settings = {
            "receivers": {"otlp": receiver},
            "exporters": {"otlp_grpc": exporter},
            "service": {
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}},
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        self._config.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        self._process = self._started()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def crash(self) -> None:
        """End it at once; who sends to it finds nobody."""
        self._process.signal(signal.SIGKILL)
        self._process.stop(grace_seconds=END_SECONDS)

    def come_back(self) -> None:
        """Start it where it was, and wait until it listens."""
        self._process = self._started()

    def _started(self) -> Process:
        process = Process(
            [toolbox.locate(toolbox.COLLECTOR, "otelcol"), f"--config=file:{self._config}"],
            log=self._log,
        )
        try:
            process.wait_until(lambda: listens(self._port))
        except BaseException:
            process.stop()
            raise
        return process
