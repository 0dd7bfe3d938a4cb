"""Mailboxes: facts in, in the order they were seen; intents out."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.identity import RecordRef, ReleaseKey
from helmwake.facts.namespaces import Namespace
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
from helmwake.lifecycle.limits import DEFAULT_LIMITS, Limits
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.resuming import resume
from helmwake.lifecycle.state import Release
from helmwake.lifecycle.step import step
from helmwake.tracking.protocols import Clock, Operations, Past, Payloads, Workloads

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Mailbox:
    """One release: its state, and the facts that wait for it."""

    release: Release
    waiting: deque[Fact] | None = None  # an empty one costs 600 bytes, for each release
    draining: bool = False

    def leave(self, fact: Fact) -> None:
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append(fact)


class Tracker:
    """Every release that is followed.

    `tasks` runs what an intent has to wait for. Facts are applied without waiting, so the
    order of `post` is the order of application.
    """

    def __init__(
        self,
        *,
        tasks: asyncio.TaskGroup,
        payloads: Payloads,
        workloads: Workloads,
        operations: Operations,
        past: Past,
        clock: Clock,
        limits: Limits = DEFAULT_LIMITS,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.limits = limits
        # What is known of a namespace; whoever knows sets it.
        self.namespace_of: Callable[[str], Namespace | None] = lambda _: None
        self.restored_in: set[str] = set()  # namespaces
        self.failures = 0  # facts that could not be applied: a defect of ours
        self._failed = failed
        self._tasks = tasks
        self._payloads = payloads
        self._workloads = workloads
        self._operations = operations
        self._past = past
        self._clock = clock
        self._mailboxes: dict[ReleaseKey, Mailbox] = {}
        self._elsewhere: dict[ReleaseKey, ReleaseKey] = {}  # by the release's own namespace
        self._asked: set[asyncio.Task[None]] = set()

    @property
    def releases(self) -> Iterator[Release]:
        return (mailbox.release for mailbox in self._mailboxes.values())

    def running(self) -> tuple[Operation, ...]:
        """Return the operations that are not final yet, oldest first."""
        found = [operation for release in self.releases for operation in release.operations]
        return tuple(sorted(found, key=lambda operation: operation.started))

    def post(self, key: ReleaseKey, fact: Fact, *, namespace: Namespace | None = None) -> None:
        """Take a fact of a release; `namespace` is the first thing a new one learns."""
        mailbox = self._mailboxes.get(key)
        if mailbox is None:
            release = Release(key=key, namespace=namespace)
            mailbox = self._mailboxes[key] = Mailbox(release)
        if mailbox.draining:
            mailbox.leave(fact)
        else:
            self._drain(mailbox, fact)

    def restore(
        self,
        operations: Iterable[Operation],
        *,
        origin_of_beginning: Callable[[Record], Origin | None] = lambda _: None,
    ) -> None:
        """Go on with operations that were running when another process ended.

        `origin_of_beginning` says of a record that a later operation is known of whether the
        one that made it may be missing.
        """
        by_release: dict[ReleaseKey, list[Operation]] = {}
        for operation in operations:
            by_release.setdefault(operation.release, []).append(operation)
        for key, running in by_release.items():
            try:
                release, intents = resume(
                    key, running, self.limits, origin_of_beginning=origin_of_beginning
                )
            except Exception as error:  # noqa: BLE001  # an entry may have been edited by hand
                self.failures += 1
                self._failed()
                logger.error(  # noqa: TRY400  # a trace may quote an object
                    "%s: what was running cannot be taken up (%s)", key, type(error).__name__
                )
                continue
            self._mailboxes[key] = Mailbox(release)
            self.restored_in |= {key.namespace, release.release_namespace or key.namespace}
            if release.release_namespace is not None:
                self._elsewhere[ReleaseKey(release.release_namespace, key.name)] = key
            for intent in intents:
                self._carry_out(key, intent)

    def follows(self, key: ReleaseKey) -> bool:
        return key in self._mailboxes

    def storage_of(self, release: ReleaseKey) -> ReleaseKey:
        """Return where a release's records are: Flux may store them in another namespace."""
        return self._elsewhere.get(release, release)

    def forget(self, key: ReleaseKey) -> None:
        """Follow the release no more; what runs is not traced, rather than half."""
        mailbox = self._mailboxes.pop(key, None)
        for operation in mailbox.release.operations if mailbox else ():
            self._operations.given_up(operation)
        if mailbox is not None and mailbox.release.release_namespace is not None:
            self._elsewhere.pop(ReleaseKey(mailbox.release.release_namespace, key.name), None)

    async def answered(self) -> None:
        """Wait until what was asked for until now is answered, and what the answers ask for."""
        for _ in range(2):
            if self._asked:
                await asyncio.wait(set(self._asked))

    async def settled(self) -> None:
        """Wait until all that was asked for has been answered."""
        while self._asked:
            await asyncio.wait(self._asked)

    def _drain(self, mailbox: Mailbox, fact: Fact) -> None:
        # HAZARD: no await in here. A fact posted meanwhile is taken by this very loop.
        mailbox.draining = True
        try:
            self._apply(mailbox, fact)
            while mailbox.waiting:
                self._apply(mailbox, mailbox.waiting.popleft())
        finally:
            mailbox.draining, mailbox.waiting = False, None
        if mailbox.release.empty:
            self.forget(mailbox.release.key)

    def _apply(self, mailbox: Mailbox, fact: Fact) -> None:
        before = mailbox.release
        key, elsewhere = before.key, before.release_namespace
        try:
            mailbox.release, intents = step(mailbox.release, fact, self.limits)
        except Exception as error:  # noqa: BLE001  # one release's fault stays its own
            self.failures += 1
            self._failed()
            logger.error(  # noqa: TRY400  # a trace may quote an object
                "%s: a %s could not be applied (%s)",
                key,
                type(fact).__name__,
                type(error).__name__,
            )
            return
        found = mailbox.release.release_namespace
        if found is not None and found != elsewhere:
            self._elsewhere[ReleaseKey(found, key.name)] = key
            # Flux stores records elsewhere: the release's own namespace names its delivery.
            namespace = self.namespace_of(found)
            if namespace is not None:
                mailbox.leave(namespace)
        self._save(before, mailbox.release, intents)
        for intent in intents:
            self._carry_out(key, intent)

    def _save(self, before: Release, after: Release, intents: tuple[Intent, ...]) -> None:
        """Tell what became of each operation: a transition cannot forget to ask for it."""
        for operation in after.operations:
            if not any(operation is known for known in before.operations):
                self._operations.changed(operation)
        kept = {operation.id for operation in after.operations}
        kept |= {intent.operation.id for intent in intents if isinstance(intent, Deliver)}
        for operation in before.operations:
            if operation.id not in kept:
                self._operations.given_up(operation)

    def _carry_out(self, key: ReleaseKey, intent: Intent) -> None:
        match intent:
            case FetchPayload(ref):
                self._ask(self._fetch(key, ref))
            case ListWorkloads():
                self._ask(self._list(key, intent))
            case Recall():
                self._ask(self._recall(key))
            case WakeAt(time):
                self._clock.wake(time, lambda: self._answer(key, Tick(self._clock.now())))
            case Announce(operation):
                self._operations.begun(operation)
            case Deliver(operation):
                self._operations.ended(operation)

    def _ask(self, question: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(question)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _fetch(self, key: ReleaseKey, ref: RecordRef) -> None:
        payload = await self._payloads.fetch(ref)
        self._answer(key, PayloadFetched(ref=ref, payload=payload, seen=self._clock.now()))

    async def _list(self, key: ReleaseKey, intent: ListWorkloads) -> None:
        release = ReleaseKey(intent.namespace, key.name)
        found = await self._workloads.list(intent.namespace, release)
        listed = WorkloadsListed(
            operation=intent.operation,
            namespace=intent.namespace,
            workloads=found or (),
            seen=self._clock.now(),
            complete=found is not None,
        )
        self._answer(key, listed)

    async def _recall(self, key: ReleaseKey) -> None:
        known = await self._past.recall(key)
        self._answer(key, Recalled(operations=known, seen=self._clock.now()))

    def _answer(self, key: ReleaseKey, fact: Fact) -> None:
        # A release that was forgotten meanwhile is not brought back by an old answer.
        if key in self._mailboxes:
            self.post(key, fact)
