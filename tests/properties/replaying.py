"""The simulator's events through our replay, as `Sighting`s to be held against the truth."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from helmwake.app.replay import RecordedCluster, Replayed, replay
from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.times import parse_time
from helmwake.facts.workloads import Workload, parse_workload
from helmwake.lifecycle.limits import DEFAULT_LIMITS, Limits
from helmwake.tracking.clocks import RecordedClock


def changes(events: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    for event in events:
        seen = parse_time(event["time"])
        assert seen is not None
        yield Change(
            type=ChangeType(event["type"]),
            object=event["object"],
            seen=seen,
            origin=Origin.RELISTED if event.get("relisted") else Origin.WATCHED,
        )


class TrueCluster(RecordedCluster):
    """Lists workloads consistently: as they are, however late the watch may be."""

    def __init__(
        self,
        clock: RecordedClock,
        warn: Callable[[str], None],
        *,
        truth: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__(clock, warn)
        self._truth = [
            change for change in changes(truth) if change.object["kind"] == "Deployment"
        ]

    async def list(self, namespace: str, release: ReleaseKey) -> tuple[Workload, ...]:
        now, found = self.clock.now(), dict[str, Workload]()
        for change in self._truth:
            workload = parse_workload(change, keys=KeptnKeys())
            if change.seen > now or workload is None:
                continue
            found[workload.uid] = replace(workload, seen=now, origin=Origin.RELISTED)
            if workload.gone:
                del found[workload.uid]
        return tuple(
            workload
            for workload in found.values()
            if workload.key.namespace == namespace and workload.release == release
        )


def replayed(
    events: Sequence[Mapping[str, Any]],
    *,
    truth: Sequence[Mapping[str, Any]],
    limits: Limits = DEFAULT_LIMITS,
) -> Replayed:
    """Replay what was seen of what truly happened; every object is readable."""
    warnings: list[str] = []
    found = asyncio.run(
        replay(
            changes(events),
            warn=warnings.append,
            limits=limits,
            cluster=partial(TrueCluster, truth=truth),
        )
    )
    assert warnings == []
    return found
