"""Operations of every outcome, told fact by fact."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tests.lifecycle.making import Revision, Story, after, deployment, hook, install

from helmwake.facts.helm import Tags
from helmwake.facts.keptn import KeptnContext, KeptnWorkload, TraceParent
from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result

CONTEXT: Final = KeptnContext(context="c-1", project="sockshop", stage="prod", service="cart")
UPSTREAM: Final = TraceParent(
    trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331", sampled=True
)
NAMES: Final = KeptnWorkload(app="shop", workload="shop-cart", version="3")
TAGS: Final = Tags(keptn=CONTEXT, commit="4f3a")


def good_upgrade(tags: Tags = TAGS, *, before: Tags | None = None) -> Operation:
    """A good upgrade with a hook and a rollout, after an install."""
    first, second = Revision(1, tags=before or Tags()), Revision(2, created=after(60), tags=tags)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.tell(second.is_("pending-upgrade"))
    story.holds(second, hooks=(hook("migrate", "pre-upgrade", started=61, ended=63),))
    story.tell(
        second.is_("pending-upgrade", at=61),
        deployment("b", at=64, applied=64, ready=0, generation=2, names=NAMES),
        second.is_("deployed", at=65),
        deployment("b", at=70, applied=64, generation=2, names=NAMES),
    )
    return story.delivered[1]


def failed_upgrade(description: str = "context deadline exceeded") -> Operation:
    story, _ = install()
    second = Revision(2, created=after(60), tags=TAGS)
    story.tell(
        second.is_("pending-upgrade"),
        deployment("b", at=61, applied=60, ready=0, generation=2),
    )
    story.stored["uid-2"] = second.holds(
        status="failed",
        description=f'Upgrade "cart" failed: {description}',
        hooks=(hook("migrate", "pre-upgrade", started=61, ended=62, phase="Failed"),),
    )
    return story.tell(second.is_("failed", at=70)).passes(400).delivered[1]


def remedy() -> tuple[Operation, Operation]:
    """A failed upgrade and the rollback that remedies it."""
    story, _ = install()
    second, third = Revision(2, created=after(60)), Revision(3, created=after(71))
    story.tell(second.is_("pending-upgrade"), second.is_("failed", at=70))
    story.tell(third.is_("pending-rollback")).holds(third, rollback_revision=1)
    story.tell(third.is_("deployed", at=75))
    failed, rollback = story.delivered[1:]
    return failed, rollback


def a_test() -> Operation:
    story, first = install()
    story.hears(first.is_("deployed", at=60))
    story.holds(first, hooks=(hook("smoke", "test", started=60.5, ended=64),)).answers()
    return story.delivered[1]


def uninstalled() -> Operation:
    story, first = install()
    return story.tell(first.is_("uninstalling", at=60), first.goes(at=61)).delivered[1]


def running() -> Operation:
    second = Revision(2, tags=TAGS)
    story = Story().tell(second.is_("pending-upgrade"))
    story.tell(deployment("b", at=1, applied=1, ready=0))
    return story.release.operations[0]


def skewed() -> Operation:
    """A hook whose run by the client's clock was long before and long after the operation."""
    operation = good_upgrade()
    [run] = operation.hooks
    day = timedelta(days=1)
    early = replace(run, name="early", started=run.started - day, ended=run.started - day)
    late = replace(run, name="late", started=run.started + day, ended=run.started + day)
    return replace(operation, hooks=(early, late))


def with_outcome(result: Result) -> Operation:
    errors = {
        Result.FAILURE: ErrorType.IMAGE_PULL_FAILED,
        Result.TIMEOUT: ErrorType.TIMEOUT,
        Result.ERROR: ErrorType.ABANDONED,
        Result.CANCELLATION: ErrorType.CANCELLED,
    }
    outcome = Outcome(result=result, error=errors.get(result), message="m" * 5000)
    return replace(good_upgrade(), outcome=outcome)
