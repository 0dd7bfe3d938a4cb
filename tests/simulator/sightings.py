"""What of a release's records and Deployments was seen, in a form that rules can ask."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulator.cluster import Event
from tests.simulator.release import TEST, decode, moment
from tests.simulator.truth import Operation, Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One record as one event showed it."""

    position: int
    change: str
    relisted: bool
    uid: str
    version: str
    revision: int
    status: str
    payload: Mapping[str, Any]

    @property
    def description(self) -> str:
        text: str = self.payload["info"].get("description", "")
        return text

    @property
    def deleted(self) -> str:
        text: str = self.payload["info"].get("deleted", "")
        return text

    def phase(self, hook: str, started_at: str) -> str:
        """Read the phase of one hook run; "" if this record does not hold that run."""
        for known in self.payload.get("hooks", []):
            if (known["name"], known["last_run"].get("started_at")) == (hook, started_at):
                phase: str = known["last_run"]["phase"]
                return phase
        return ""

    def newest_test(self) -> str:
        """Read the latest `started_at` of any test hook."""
        runs = (
            known["last_run"].get("started_at", "")
            for known in self.payload.get("hooks", [])
            if TEST in known["events"]
        )
        return max(runs, default="")


class Witness:
    """Everything that was seen of one release."""

    def __init__(self, seen: Sequence[Event], *, namespace: str, release: str) -> None:
        own = (namespace, release)
        records = [found for found in _records(seen) if _release_of(found[1]["object"]) == own]
        self.sightings = [_sighting(position, event) for position, event in records]
        self._relists = sorted({s.position for s in self.sightings if s.relisted})
        self._deployments = [
            event["object"]
            for event in seen
            if event["object"]["kind"] == "Deployment" and event["type"] != "DELETED"
        ]

    def of(self, uid: str) -> list[Sighting]:
        return [sighting for sighting in self.sightings if sighting.uid == uid]

    def gone(self, uid: str) -> Sighting | None:
        """Find the sighting of a record's end."""
        return next((s for s in self.of(uid) if s.change == "DELETED"), None)

    def unbroken(self, first: Sighting, last: Sighting) -> bool:
        """Say whether no re-list came after `first` and up to `last`."""
        return not any(first.position < p <= last.position for p in self._relists)

    def successor(self, operation: Operation) -> Sighting | None:
        """Find where a later operation of the release was first seen to follow this one."""
        own = self.of(operation.uid)
        if not own:
            return None
        later = (s for s in self.sightings if s.position >= own[0].position)
        return next((s for s in later if s.change != "DELETED" and _follows(s, operation)), None)

    def saw_end(self, rollout: Rollout) -> bool:
        """Say whether a rollout's own end was seen, not only that it began."""
        reasons = {"complete": "NewReplicaSetAvailable", "failed": "ProgressDeadlineExceeded"}
        reason = reasons.get(rollout.state)
        return any(
            _reason(obj) == reason
            and obj["status"].get("observedGeneration", 0) >= obj["metadata"]["generation"]
            for obj in self._deployments
            if obj["metadata"]["uid"] == rollout.uid
            and obj["metadata"]["generation"] >= rollout.generation
            and obj["spec"]["template"]["spec"]["containers"][0]["image"] == rollout.image
        )


def vanished(seen: Iterable[Event]) -> set[tuple[str, str]]:
    """Name the releases of which a re-list found a record gone.

    Only of these may an uninstall be told that the truth does not know: a foreign
    deletion between two lists looks like one.
    """
    return {
        _release_of(event["object"])
        for _, event in _records(seen)
        if event["type"] == "DELETED" and event.get("relisted")
    }


def _follows(sighting: Sighting, operation: Operation) -> bool:
    if sighting.uid != operation.uid:
        return sighting.revision > operation.revision
    if sighting.status not in {"uninstalling", "uninstalled"}:
        return sighting.newest_test() > max((run[1] for run in operation.hook_runs), default="~")
    return operation.kind != "uninstall" or bool(
        sighting.deleted and not started_at(operation, sighting.deleted)
    )


def started_at(operation: Operation, text: str) -> bool:
    """Say whether a stored time is the operation's start."""
    return bool(text) and moment(text) == operation.start


def _records(events: Iterable[Event]) -> Iterator[tuple[int, Event]]:
    for position, event in enumerate(events):
        if event["object"]["metadata"].get("labels", {}).get("owner") == "helm":
            yield position, event


def _release_of(obj: Mapping[str, Any]) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta["namespace"], meta["labels"]["name"]


def _sighting(position: int, event: Event) -> Sighting:
    obj = event["object"]
    meta = obj["metadata"]
    return Sighting(
        position=position,
        change=event["type"],
        relisted=bool(event.get("relisted")),
        uid=meta["uid"],
        version=meta["resourceVersion"],
        revision=int(meta["labels"]["version"]),
        status=meta["labels"]["status"],
        payload=decode(obj),
    )


def _reason(obj: Mapping[str, Any]) -> str:
    for condition in obj["status"].get("conditions", []):
        if condition["type"] == "Progressing":
            reason: str = condition["reason"]
            return reason
    return ""
