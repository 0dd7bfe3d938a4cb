"""Jaeger, as the place where traces arrive, and a client of its query API."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Self

from tests.controlplane import toolbox
from tests.controlplane.process import Process, free_port, listens
from tests.controlplane.waiting import WAIT_SECONDS, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

LOOPBACK: Final = "127.0.0.1"
TRACES: Final = 1_000
# It listens on all of these, and on their well-known ports unless told otherwise.
UNUSED_LISTENERS: Final = (
    "admin.http.host-port",
    "collector.grpc-server.host-port",
    "collector.http-server.host-port",
    "http-server.host-port",
    "processor.jaeger-binary.server-host-port",
    "processor.jaeger-compact.server-host-port",
    "processor.zipkin-compact.server-host-port",
    "query.grpc-server.host-port",
)


class Jaeger:
    """A running Jaeger that keeps its traces in memory."""

    def __init__(self, directory: Path) -> None:
        ports = [free_port() for _ in range(3)]
        grpc, http, query = ports
        self.otlp_grpc: Final = f"http://{LOOPBACK}:{grpc}"
        self.otlp_http: Final = f"http://{LOOPBACK}:{http}"
        self.query: Final = f"http://{LOOPBACK}:{query}"
        self.process: Final = Process(
            [
                toolbox.locate(toolbox.JAEGER, "jaeger-all-in-one"),
                f"--collector.otlp.grpc.host-port={LOOPBACK}:{grpc}",
                f"--collector.otlp.http.host-port={LOOPBACK}:{http}",
                f"--query.http-server.host-port={LOOPBACK}:{query}",
                *(f"--{name}={LOOPBACK}:{free_port()}" for name in UNUSED_LISTENERS),
            ],
            log=directory / "jaeger.log",
            environment={"SPAN_STORAGE_TYPE": "memory"},
        )
        try:
            self.process.wait_until(lambda: all(map(listens, ports)))
        except BaseException:
            self.process.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; its traces are gone."""
        # It has nothing to save, and takes more than 5 s over it.
        self.process.stop(grace_seconds=0)

    def traces(
        self,
        service: str,
        *,
        operation: str | None = None,
        tags: Mapping[str, str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[Any]:
        """Find a service's traces, as Jaeger's UI gets them.

        Without a start, Jaeger looks at those of the last hours only.
        """
        query: dict[str, str | int] = {"service": service, "limit": TRACES}
        if operation is not None:
            query["operation"] = operation
        if tags:
            query["tags"] = json.dumps(dict(tags))
        # All that the store has: a trace's time is that of the field, not of the test.
        query["start"] = _microseconds(start) if start else 0
        if end:
            query["end"] = _microseconds(end)
        found: list[Any] = self._get(f"/api/traces?{urllib.parse.urlencode(query)}")
        return found

    def wait_for_traces(
        self,
        service: str,
        *,
        count: int = 1,
        tags: Mapping[str, str] | None = None,
        seconds: float = WAIT_SECONDS,
    ) -> list[Any]:
        """Find at least so many traces of a service, and wait for them."""

        def look() -> list[Any]:
            found = self.traces(service, tags=tags)
            return found if len(found) >= count else []

        return wait_for(f"{count} traces of {service}", look, seconds=seconds)

    def services(self) -> list[str]:
        """Name the services of which there are spans."""
        return self._get("/api/services") or []

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.query + path, timeout=10) as answer:  # noqa: S310 - ours
            return json.load(answer)["data"]


def _microseconds(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
