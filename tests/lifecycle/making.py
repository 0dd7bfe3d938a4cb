"""Facts as data, and a release that they are told to.

A `Revision` makes the facts of one record, `deployment` those of a workload, and a `Story`
tells them to the state machine, answers what it asks, and keeps what it delivers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, Self

from helmwake.facts.change import Origin
from helmwake.facts.helm import NO_TAGS, Record, Status, Tags
from helmwake.facts.identity import Driver, RecordRef, ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import NO_CONTEXT, KeptnContext, KeptnWorkload
from helmwake.facts.namespaces import Namespace
from helmwake.facts.payload import Chart, Hook, HookPhase, HookRun, Payload
from helmwake.facts.workloads import Condition, Workload
from helmwake.lifecycle.facts import Fact, PayloadFetched, Recalled, Tick, WorkloadsListed
from helmwake.lifecycle.intents import (
    Announce,
    Deliver,
    FetchPayload,
    Intent,
    ListWorkloads,
    Recall,
    WakeAt,
)
from helmwake.lifecycle.limits import DEFAULT_LIMITS
from helmwake.lifecycle.operation import Operation, OperationKind
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result
from helmwake.lifecycle.resuming import resume
from helmwake.lifecycle.state import Release
from helmwake.lifecycle.step import step

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
CART: Final = ReleaseKey("shop", "cart")
WEB: Final = WorkloadKey(WorkloadKind.DEPLOYMENT, "shop", "cart")
_versions: Final = count(100)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@dataclass
class Revision:
    """One record of the release `shop/cart`: what Helm writes to it, and stores in it."""

    number: int
    created: datetime = NOON
    tags: Tags = NO_TAGS
    uid: str = ""
    version: str = ""  # of its last write
    status: Status = Status.PENDING_INSTALL

    def __post_init__(self) -> None:
        self.uid = self.uid or f"uid-{self.number}"

    def is_(
        self,
        status: str,
        *,
        at: float | None = None,
        origin: Origin = Origin.WATCHED,
        written: float | None = None,
        tags: Tags | None = None,
    ) -> Record:
        """Helm writes the record; `at` is in seconds after noon, its creation by default."""
        self.status = Status(status)
        self.version = str(next(_versions))
        self.tags = self.tags if tags is None else tags
        seen = self.created if at is None else after(at)
        return Record(
            release=CART,
            revision=self.number,
            driver=Driver.SECRET,
            uid=self.uid,
            resource_version=self.version,
            status=self.status,
            created=self.created,
            written=seen.replace(microsecond=0) if written is None else after(written),
            tags=self.tags,
            seen=seen,
            origin=origin,
        )

    def goes(self, *, at: float, origin: Origin = Origin.WATCHED) -> Record:
        """The record is deleted, in the state it was in last."""
        self.version = str(next(_versions))
        return Record(
            release=CART,
            revision=self.number,
            driver=Driver.SECRET,
            uid=self.uid,
            resource_version=self.version,
            status=self.status,
            created=self.created,
            written=self.created,
            tags=self.tags,
            seen=after(at),
            origin=origin,
            gone=True,
        )

    def holds(self, **fields: Any) -> Payload:
        """What a fetch of the record finds now."""
        values: dict[str, Any] = {
            "uid": self.uid,
            "resource_version": self.version,
            "revision": self.number,
            "namespace": CART.namespace,
            "status": self.status.value,
            "description": "",
            "first_deployed": self.created if self.number == 1 else NOON - timedelta(days=1),
            "last_deployed": self.created,
            "deleted": None,
            "rollback_revision": None,
            "chart": Chart(name="cart", version="1.2.0", app_version="7"),
            "hooks": (),
            "keptn": NO_CONTEXT,
            "seen": self.created,
            **fields,
        }
        return Payload(**values)

    def fetched(self, payload: Payload | None, *, at: float, version: str = "") -> PayloadFetched:
        """Answer a fetch of the record's last version, or of another one."""
        ref = RecordRef(
            driver=Driver.SECRET,
            namespace=CART.namespace,
            name=f"sh.helm.release.v1.cart.v{self.number}",
            uid=self.uid,
            resource_version=version or self.version,
        )
        return PayloadFetched(ref=ref, payload=payload, seen=after(at))


def hook(
    name: str,
    *events: str,
    started: float | None = None,
    ended: float | None = None,
    phase: str = "Succeeded",
    weight: int = 0,
) -> Hook:
    """A hook and its last run, in seconds after noon by the client's clock."""
    run = None
    if started is not None:
        run = HookRun(
            started_at=after(started),
            completed_at=None if ended is None else after(ended),
            phase=HookPhase(phase),
        )
    return Hook(name=name, kind="Job", events=events, weight=weight, last_run=run)


def deployment(
    template: str,
    *,
    at: float,
    applied: float | None,
    ready: int | None = None,
    wanted: int = 2,
    updated: int | None = None,
    replicas: int | None = None,
    observed: bool = True,
    generation: int = 1,
    paused: bool = False,
    reason: str = "",
    quota: str = "",
    progressed: float | None = None,
    written: float | None = None,
    uid: str = "uid-d",
    name: str = "cart",
    namespace: str = "shop",
    origin: Origin = Origin.WATCHED,
    gone: bool = False,
    keptn: KeptnContext = NO_CONTEXT,
    names: KeptnWorkload | None = None,
) -> Workload:
    """A Deployment whose pods are all ready, unless told otherwise.

    `applied` is Helm's last write to it, `written` anybody's; `quota` words a ReplicaFailure.
    """
    ready = wanted if ready is None else ready
    return Workload(
        key=WorkloadKey(WorkloadKind.DEPLOYMENT, namespace, name),
        uid=uid,
        resource_version=str(next(_versions)),
        release=ReleaseKey(namespace, CART.name),
        created=NOON - timedelta(days=1),
        applied=None if applied is None else after(applied),
        written=None if applied is None else after(applied if written is None else written),
        template=template,
        generation=generation,
        observed_generation=generation if observed else generation - 1,
        paused=paused,
        wanted=wanted,
        replicas=wanted if replicas is None else replicas,
        updated=wanted if updated is None else updated,
        available=ready,
        progressing=Condition(
            true=reason != "ProgressDeadlineExceeded",
            reason=reason,
            message="",
            updated=None if progressed is None else after(progressed),
        )
        if reason
        else None,
        replica_failure=Condition(true=True, reason="FailedCreate", message=quota, updated=None)
        if quota
        else None,
        keptn=keptn,
        names=names,
        seen=after(at),
        origin=origin,
        gone=gone,
    )


def namespace(
    *, at: float, keptn: KeptnContext = NO_CONTEXT, terminating: bool = False, gone: bool = False
) -> Namespace:
    return Namespace(
        name=CART.namespace,
        uid="uid-n",
        labels={},
        keptn=keptn,
        terminating=terminating,
        seen=after(at),
        gone=gone,
    )


@dataclass
class Story:
    """A release that facts are told to. What it asks is answered after each, as the cluster is.

    `stored` is what a fetch finds by uid of the record, `live` what a list finds, `past` what
    is remembered of the release.
    """

    release: Release = field(default_factory=lambda: Release(key=CART))
    stored: dict[str, Payload] = field(default_factory=dict)
    live: dict[str, Workload] = field(default_factory=dict)
    past: tuple[Operation, ...] = ()
    intents: list[Intent] = field(default_factory=list)  # all, in their order
    open: list[Intent] = field(default_factory=list)
    at: datetime = NOON

    @property
    def delivered(self) -> list[Operation]:
        return [intent.operation for intent in self.intents if isinstance(intent, Deliver)]

    @property
    def announced(self) -> list[Operation]:
        return [intent.operation for intent in self.intents if isinstance(intent, Announce)]

    @property
    def running(self) -> list[OperationKind]:
        return [operation.kind for operation in self.release.operations]

    @property
    def only(self) -> Operation:
        """The one operation that was delivered; nothing else runs."""
        assert not self.release.operations, "an operation still runs"
        [operation] = self.delivered
        return operation

    @property
    def ended(self) -> list[tuple[str, int, str]]:
        """Kind, revision and result of each operation that was delivered."""
        return [(op.kind.value, op.revision, result(op).value) for op in self.delivered]

    def holds(self, revision: Revision, **fields: Any) -> Self:
        """From now on a fetch of the record finds this."""
        self.stored[revision.uid] = revision.holds(**fields)
        return self

    def hears(self, fact: Fact) -> Self:
        """Tell a fact, and leave open what it asks for."""
        if isinstance(fact, Workload):
            self.live[fact.uid] = fact
            if fact.gone:
                del self.live[fact.uid]
        self.at = max(self.at, fact.seen)
        self.release, intents = step(self.release, fact)
        return self.asks(intents)

    def asks(self, intents: Iterable[Intent]) -> Self:
        """Keep what was asked for, and leave it open."""
        new = tuple(intents)
        self.intents += new
        self.open += [
            intent for intent in new if isinstance(intent, FetchPayload | ListWorkloads | Recall)
        ]
        return self

    def taken_up(self, *, beginning: Origin | None = None) -> "Story":
        """Another process goes on: it has what ran, remembers what ended, and asks again.

        `beginning` is what an operation is that made the record of a test or an uninstall.
        """
        release, intents = resume(
            CART,
            self.release.operations,
            DEFAULT_LIMITS,
            origin_of_beginning=lambda _: beginning,
        )
        story = Story(
            release=release,
            stored=dict(self.stored),
            live=dict(self.live),
            past=(*self.past, *self.delivered),
            at=self.at,
        )
        return story.asks(intents)

    def tell(self, *facts: Fact) -> Self:
        """Tell facts, and answer at once what each asks for."""
        for fact in facts:
            self.hears(fact).answers()
        return self

    def answers(self) -> Self:
        while self.open:
            question = self.open.pop(0)
            if isinstance(question, FetchPayload):
                found = self.stored.get(question.ref.uid)
                self.hears(PayloadFetched(ref=question.ref, payload=found, seen=self.at))
            elif isinstance(question, ListWorkloads):
                listed = tuple(self.live.values())
                self.hears(
                    WorkloadsListed(
                        operation=question.operation,
                        namespace=question.namespace,
                        workloads=listed,
                        seen=self.at,
                    )
                )
            elif isinstance(question, Recall):
                self.hears(Recalled(operations=self.past, seen=self.at))
        return self

    def passes(self, until: float) -> Self:
        """Let time pass: those wakes come that were asked for, and no other tick."""
        end = after(until)
        wakes = {intent.time for intent in self.intents if isinstance(intent, WakeAt)}
        for time in sorted(wakes):
            if self.at < time <= end:
                self.tell(Tick(time))
        self.at = end
        return self


def result(operation: Operation) -> Result:
    assert operation.outcome is not None
    return operation.outcome.result


def ended(outcome: Outcome | None) -> tuple[Result, ErrorType | None]:
    """How something ended, and why."""
    assert outcome is not None
    return outcome.result, outcome.error


def kinds(intents: Iterable[Intent]) -> list[str]:
    return [type(intent).__name__ for intent in intents]


def install(*, number: int = 1, at: float = 0, took: float = 5) -> tuple[Story, Revision]:
    """A release that was installed well, and whose rollout is over."""
    first = Revision(number, created=after(at))
    story = Story().tell(first.is_("pending-install"))
    story.tell(deployment("a", at=at + 1, applied=at, ready=0))
    story.tell(first.is_("deployed", at=at + took))
    story.tell(deployment("a", at=at + took + 1, applied=at))
    return story, first
