"""The first bench: from nothing to knowing all records of a cluster, then at rest."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.contenders import Bench
from tests.bench.store import fill
from tests.bench.usage import Usage, cpu_seconds, peak_mb
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.collector import Collector
from tests.controlplane.waiting import wait_for
from tests.live.installed import USER, has_noted_all, install

if TYPE_CHECKING:
    from tests.live.installed import Operator

NOWHERE: Final = "http://127.0.0.1:9"
# What is still started when /readyz first says yes: kopf, and its first watch.
SETTLING: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What an operator does when nothing happens."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: dict[str, int]
    """Everything it asked for, watches too: those that are open were asked for before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    revisions: int
    filled_seconds: float
    imports: Usage
    ours: Usage
    handler: Usage
    bare: Usage
    rest: Rest


def bench_watching(
    *, revisions: int, rounds: int, rest: timedelta, say: Callable[[str], None]
) -> Watched:
    """Measure all contenders on one cluster, in turn; the median of each number counts."""
    with (
        tempfile.TemporaryDirectory(prefix="helmwake-bench-") as name,
        ControlPlane(Path(name), audit=True) as cluster,
        Collector(Path(name), traces_to=NOWHERE) as collector,
    ):
        install(cluster)
        begun = time.monotonic()
        asyncio.run(fill(cluster, revisions))
        filled = time.monotonic() - begun
        say(f"wrote {revisions} revisions in {filled:.0f} s")
        bench = Bench(
            cluster=cluster,
            directory=Path(name),
            revisions=revisions,
            # As the manifests have it.
            otlp_options=("--otlp-endpoint", collector.otlp_grpc, "--otlp-protocol", "grpc"),
        )
        names = bench.imports()
        found: dict[str, list[Usage]] = {}
        rests: list[Rest] = []
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}")
            found.setdefault("imports", []).append(bench.only_imports(names))
            with bench.ours() as (usage, operator):
                found.setdefault("ours", []).append(usage)
                if number == rounds:
                    say(f"at rest for {rest.total_seconds():.0f} s")
                    rests.append(at_rest(cluster, operator, rest))
            found.setdefault("bare", []).append(bench.bare())
            found.setdefault("handler", []).append(bench.handler())
    middle = {contender: median(usages) for contender, usages in found.items()}
    return Watched(revisions=revisions, filled_seconds=filled, rest=rests[0], **middle)


def median(usages: Sequence[Usage]) -> Usage:
    return Usage(
        seconds=statistics.median(each.seconds for each in usages),
        cpu_seconds=statistics.median(each.cpu_seconds for each in usages),
        peak_mb=statistics.median(each.peak_mb for each in usages),
    )


def at_rest(cluster: ControlPlane, operator: Operator, length: timedelta) -> Rest:
    """Leave it alone, and read in the audit log what it asked for meanwhile."""
    wait_for("how far it read to be written", lambda: has_noted_all(cluster))
    time.sleep(SETTLING.total_seconds())
    since, pid = datetime.now(UTC), operator.process.pid
    before = cpu_seconds(pid)
    time.sleep(length.total_seconds())
    asked = [
        f"{event['verb']} {event['requestURI'].partition('?')[0]}"
        for event in cluster.audit_events(user=USER)
        if datetime.fromisoformat(event["requestReceivedTimestamp"]) > since
    ]
    return Rest(
        seconds=length.total_seconds(),
        cpu_seconds=cpu_seconds(pid) - before,
        peak_mb=peak_mb(pid),
        requests=dict(Counter(asked)),
    )
