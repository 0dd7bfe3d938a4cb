"""What really happened: the answer sheet beside the events."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

Kind = Literal["install", "upgrade", "rollback", "uninstall", "test"]
State = Literal[
    "running", "succeeded", "failed", "cancelled", "rolled back", "abandoned", "orphaned"
]
RolloutState = Literal["running", "complete", "failed", "superseded", "deleted"]
IncidentKind = Literal[
    "prune",
    "purge",
    "foreign delete",
    "namespace deletion",
    "re-serialisation",
    "unlock",
    "scale",
    "restart",
]
EventRef = tuple[str, str]
"""(uid, resourceVersion): names one event, also where it is seen later by a re-list."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and the error types that are right with it."""

    result: str
    errors: frozenset[str] = frozenset()

    def admits(self, result: str, error: str | None) -> bool:
        """Say whether an observed result and error type are this outcome."""
        return result == self.result and (error in self.errors if self.errors else error is None)


def outcome(result: str, *errors: str) -> Outcome:
    return Outcome(result, frozenset(errors))


SUCCESS: Final = outcome("success")
CANCELLED: Final = outcome("cancellation", "cancelled")
ABANDONED: Final = outcome("error", "abandoned")
# "orphaned" in helm-storage.md, and whatever else ended without a trace of how
UNKNOWN: Final = outcome("error", "_OTHER")
APPLY_FAILED: Final = outcome("failure", "_OTHER")
HOOK_FAILED: Final = outcome("failure", "hook_failed")
TEST_FAILED: Final = outcome("failure", "test_failed", "hook_failed")
# The root takes the most specific cause found below it.
TIMED_OUT: Final = outcome("timeout", "timeout", "progress_deadline_exceeded")
ROLLOUT_FAILED: Final = outcome("failure", "progress_deadline_exceeded")
# No reason is stored: workloads and hooks may or may not tell one.
ROLLED_BACK: Final = outcome(
    "failure", "_OTHER", "timeout", "hook_failed", "progress_deadline_exceeded"
)
ROLLOUT_SUPERSEDED: Final = outcome("cancellation", "cancelled", "_OTHER")


@dataclass(slots=True, kw_only=True)
class Rollout:
    """One Deployment's change of pod template that Helm made."""

    workload: str
    uid: str
    generation: int
    image: str
    start: datetime
    end: datetime | None = None
    state: RolloutState = "running"

    def close(self, state: RolloutState, *, at: datetime) -> None:
        if self.state == "running":
            self.state, self.end = state, at


@dataclass(slots=True, kw_only=True)
class Operation:
    """One operation as Helm and the controllers really carried it out.

    `uid`, `kind` and `start` are its identity: `start` is `last_deployed`, for an
    uninstall `info.deleted`, for a test its first hook's `started_at`, all by the
    client's clock. `helm_end` is the server's time of Helm's last telling write.
    """

    kind: Kind
    namespace: str
    release: str
    revision: int
    uid: str
    start: datetime
    state: State = "running"
    helm_outcomes: tuple[Outcome, ...] = ()
    helm_end: datetime | None = None
    nested: bool = False
    """Made by --atomic inside another operation, not asked for by a command of its own."""
    killed: bool = False
    """Its client is gone, or has given up without saying so in the record."""
    rollouts: list[Rollout] = field(default_factory=list)
    hook_runs: list[tuple[str, str]] = field(default_factory=list)
    """(hook, `started_at` as stored) of every hook it started."""
    writes: list[EventRef] = field(default_factory=list)
    essential: tuple[EventRef, ...] = ()
    """The writes that settle the outcome. None while it runs."""

    def settle(self, state: State, *outcomes: Outcome, at: datetime) -> None:
        """Give the first and final outcome; a later one changes nothing."""
        if self.state == "running":
            self.state, self.helm_outcomes, self.helm_end = state, outcomes, at
            self.essential = tuple(self.writes[-1:])

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every outcome that is right with all events seen; none while it runs.

        Several only where helm-storage.md leaves it open, the likeliest first.
        """
        if self.state != "succeeded" or not self.rollouts:
            return self.helm_outcomes
        states = {rollout.state for rollout in self.rollouts}
        if "failed" in states:
            return (ROLLOUT_FAILED,)
        if "running" in states:
            return ()
        if "deleted" in states:
            return (*self.helm_outcomes, ROLLOUT_SUPERSEDED, UNKNOWN)
        if "superseded" in states:
            return (*self.helm_outcomes, ROLLOUT_SUPERSEDED)
        return self.helm_outcomes

    @property
    def end(self) -> datetime | None:
        """When the last of Helm's part and its rollouts ended; None while one runs."""
        if self.helm_end is None:
            return None
        ends = [rollout.end for rollout in self.rollouts]
        if any(end is None for end in ends) and self.state == "succeeded":
            return None
        return max([self.helm_end, *(end for end in ends if end is not None)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something done to a release that is no operation and must not become one."""

    kind: IncidentKind
    namespace: str
    release: str
    time: datetime
    uids: tuple[str, ...] = ()
