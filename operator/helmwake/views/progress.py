"""How far a running operation is: Helm's own part, its hooks and its rollouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from helmwake.facts.payload import HookPhase
from helmwake.lifecycle.operation import HookRunState, Operation, Rollout
from helmwake.lifecycle.outcome import Outcome, Result
from helmwake.views.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One part of an operation; its name is that of its span."""

    key: str
    name: str
    verdict: Verdict
    said: str = ""  # how far it is
    cause: str | None = None  # what is wrong, as soon as it is known
    started: datetime
    ended: datetime | None
    ready: int = 0  # replicas, of `wanted`
    wanted: int = 0


def phases(operation: Operation) -> Sequence[Phase]:
    """Say of each part how far it is, in the order in which they began."""
    known = [_hook(operation, run) for run in operation.hooks]
    known += [_rollout(rollout) for rollout in operation.rollouts]
    known.sort(key=lambda phase: phase.started)
    return (_apply(operation), *known) if operation.kind.deploys else tuple(known)


def ready_replicas(rollout: Rollout) -> int:
    """Count those of the new template, as far as the Deployment's status can tell.

    Its `available` counts old replicas too: no more of them are new than are left over.
    """
    return min(max(rollout.available - rollout.old, 0), rollout.updated, rollout.wanted)


def _apply(operation: Operation) -> Phase:
    ended, outcome = operation.helm_ended, operation.helm_outcome
    said = operation.status.value
    if ended is None and operation.stuck:
        said += ", and silent for long"
    return Phase(
        key="apply",
        name="apply",
        verdict=_verdict(outcome) if ended is not None else Verdict.RUNNING,
        said=said,
        cause=_cause(outcome) if ended is not None else None,
        started=operation.started,
        ended=ended,
    )


def _hook(operation: Operation, run: HookRunState) -> Phase:
    runs = _hook_runs(operation, run)
    found = Verdict.RUNNING if runs else _verdict(run.outcome)
    if not runs and run.outcome is None and run.phase is HookPhase.FAILED:
        found = Verdict.FAILURE
    return Phase(
        key=f"hook {run.event} {run.name} {run.started_at.isoformat()}",
        name=f"hook {run.event} {run.name}",
        verdict=found,
        said="" if found is Verdict.RUNNING else _word(run.outcome, found),
        cause=_cause(run.outcome),
        started=run.started,
        ended=None if runs else run.ended,
    )


def _hook_runs(operation: Operation, run: HookRunState) -> bool:
    """Tell whether it runs: that it has ended is stored with Helm's next write only."""
    if run.phase is not HookPhase.RUNNING or run.outcome is not None or not operation.helm_runs:
        return False
    if run.event.startswith("pre-") and operation.rollouts:
        return False
    return all(run.started_at >= other.started_at for other in operation.hooks)


def _rollout(rollout: Rollout) -> Phase:
    ready, outcome = ready_replicas(rollout), rollout.outcome
    said = ""
    if rollout.wanted:
        said = f"{ready} of {rollout.wanted} ready"
    if outcome is not None and outcome.result is not Result.SUCCESS:
        said = outcome.result.value
    elif outcome is None and rollout.wanted and ready >= rollout.wanted and rollout.old:
        said += f", {rollout.old} old not replaced yet"
    return Phase(
        key=f"rollout {rollout.uid} {rollout.template}",
        name=f"rollout {rollout.key}",
        verdict=Verdict.RUNNING if outcome is None else _verdict(outcome),
        said=said,
        cause=_cause(outcome or rollout.cause),
        started=rollout.started,
        ended=rollout.ended,
        ready=ready,
        wanted=rollout.wanted,
    )


def _verdict(outcome: Outcome | None) -> Verdict:
    if outcome is None or outcome.result is Result.SUCCESS:
        return Verdict.SUCCESS
    return Verdict.FAILURE if outcome.bad else Verdict.NEUTRAL


def _word(outcome: Outcome | None, found: Verdict) -> str:
    if outcome is not None:
        return outcome.result.value
    return "failure" if found is Verdict.FAILURE else "success"


def _cause(outcome: Outcome | None) -> str | None:
    return outcome.message or None if outcome is not None and outcome.bad else None
