"""One helm process: what it was asked, what will go wrong with it, what it has written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from tests.simulator.cluster import Object
from tests.simulator.release import Hook, Release, moment
from tests.simulator.truth import Kind, Operation, Outcome
from tests.simulator.world import World

REQUEST_SECONDS: Final = 0.006
Settlement = tuple[Literal["succeeded", "failed", "cancelled"], Outcome]
"""What a write makes of its operation."""


class RefusedError(Exception):
    """Helm would not even start: nothing is written."""


class KilledError(Exception):
    """The client is gone, at once."""


class InterruptedHelmError(Exception):
    """SIGINT or SIGTERM came, and this action knows how to be cancelled."""

    def __str__(self) -> str:
        return "context canceled"


class ActionError(Exception):
    """What went wrong on the way, in the words that Helm stores."""


class HookError(ActionError):
    """A hook failed."""


class NotReadyError(ActionError):
    """The wait for the workloads ran into its timeout."""


class StalledError(NotReadyError):
    """A workload has exceeded its progress deadline while Helm still waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What goes wrong. Writes are counted from 1, by process."""

    apply_error: bool = False
    never_ready: bool = False
    failing_hook: str | None = None
    killed_after: int | None = None
    """SIGKILL after that write; for rollback, uninstall and test SIGINT is no better."""
    interrupted_after: int | None = None


class Client:
    """Writes through storage, and dies or is interrupted where its fate says."""

    def __init__(self, world: World, fate: Fate) -> None:
        self.world = world
        self.fate = fate
        self.operation: Operation | None = None
        self._writes = 0
        self._opening = False

    def enter(self, kind: Kind, release: Release, *, start: str, nested: bool = False) -> None:
        """Begin an operation; the next write is the one that makes it seen."""
        world = self.world
        self.operation = Operation(
            kind=kind,
            namespace=world.namespace,
            release=world.release,
            revision=release.version,
            uid="",
            start=moment(start),
            nested=nested,
        )
        self._opening = True
        world.truth.append(self.operation)

    def give_up(self) -> None:
        """End this process without another word in the record."""
        if self.operation:
            self.operation.killed = True

    def create(self, release: Release) -> None:
        self._write(lambda: self.world.storage.create(release))

    def update(self, release: Release, *, settles: Settlement | None = None) -> None:
        self._write(lambda: self.world.storage.update(release), settles=settles)

    def delete(self, version: int, *, settles: Settlement | None = None) -> None:
        self._write(lambda: self.world.storage.delete(version), settles=settles)

    def prune(self, history_max: int) -> None:
        world = self.world
        for version in world.storage.to_prune(history_max):
            uid = world.storage.uid(version)
            world.lose(uid)
            world.note("prune", uid)
            self.delete(version)

    def apply(self, release: Release, *, failing: str) -> None:
        """Send the workloads. `failing` is what Helm says if the server refuses them."""
        self.world.cluster.advance(REQUEST_SECONDS)
        if self.fate.apply_error:
            raise ActionError(failing)
        rollouts = self.world.workloads.apply(release.chart, ready=not self.fate.never_ready)
        if self.operation:
            self.operation.rollouts += rollouts

    def wait(self, *, timeout: float) -> None:
        """`--wait`: until all is ready, or Helm's own deadline."""
        world = self.world
        deadline = world.cluster.now + timedelta(seconds=timeout)
        while not world.workloads.all_ready():
            if world.cluster.now >= deadline:
                raise NotReadyError(self._not_ready())
            if world.helm >= 4 and world.workloads.all_settled():
                # Helm 4 does not wait on for what kstatus calls Failed.
                raise StalledError(self._stalled())
            world.cluster.run_until(min(deadline, world.cluster.next_due() or deadline))

    def run_hooks(self, release: Release, event: str, *, only: Iterable[str] = ()) -> None:
        """Run the hooks of an event by (weight, name), one after another.

        Each start is written; a completion waits in memory for whatever is written next.

        Source: helm/helm, pkg/action/hooks.go, execHook.
        """
        names = set(only)
        due = [hook for hook in release.hooks if event in hook.spec.events]
        due = [hook for hook in due if not names or hook.spec.name in names]
        for hook in sorted(due, key=lambda hook: (hook.spec.weight, hook.spec.name)):
            self._start(release, hook)
            self.world.cluster.advance(hook.spec.seconds)
            hook.completed_at = self.world.client_stamp()
            if self.fate.failing_hook == hook.spec.name:
                hook.phase = "Failed"
                raise HookError(self._hook_failed(hook))
            hook.phase = "Succeeded"

    def recover(self) -> None:
        """Carry on with what --atomic does next: only SIGKILL still stops that."""
        self.fate = Fate(killed_after=self.fate.killed_after)

    def _start(self, release: Release, hook: Hook) -> None:
        hook.started_at, hook.completed_at = self.world.client_stamp(), ""
        hook.phase = "Running"
        if self.operation:
            self.operation.hook_runs.append((hook.spec.name, hook.started_at))
        try:
            self.update(release)
        finally:
            # What a cancelled client stores of a hook that it still waits for.
            hook.phase = "Unknown"

    def _write(
        self, write: Callable[[], Object | None], *, settles: Settlement | None = None
    ) -> None:
        self.world.cluster.advance(REQUEST_SECONDS)
        self._writes += 1
        written = write()
        operation = self.operation
        if written and operation:
            self._record(operation, written)
        if settles and operation:
            state, settled = settles
            operation.settle(state, settled, at=self.world.cluster.now)
        if self._writes == self.fate.killed_after:
            raise KilledError
        if self._writes == self.fate.interrupted_after and operation and not settles:
            self.world.cluster.advance(REQUEST_SECONDS)
            raise InterruptedHelmError

    def _record(self, operation: Operation, written: Object) -> None:
        meta = written["metadata"]
        ref = meta["uid"], meta["resourceVersion"]
        operation.writes.append(ref)
        if self._opening:
            self._opening = False
            operation.uid = meta["uid"]
            self.world.abandon(by=operation, write=ref)

    def _not_ready(self) -> str:
        if self.world.helm < 4:
            return "context deadline exceeded"
        waiting = self._unready("InProgress", "Available: 0/2")
        return f"{waiting}\ncontext deadline exceeded"

    def _stalled(self) -> str:
        return self._unready("Failed", "Progress deadline exceeded")

    def _unready(self, status: str, message: str) -> str:
        return "\n".join(
            f"resource Deployment/{self.world.namespace}/{name} not ready. "
            f"status: {status}, message: {message}"
            for name in self.world.workloads.unready()
        )

    def _hook_failed(self, hook: Hook) -> str:
        if self.world.helm < 4:
            return "1 error occurred:\n\t* job failed: BackoffLimitExceeded\n\n"
        return (
            f"resource Job/{self.world.namespace}/{hook.spec.name} not ready. "
            "status: Failed, message: Job Failed. failed: 1/1"
        )
