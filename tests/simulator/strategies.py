"""Random legal sequences of operations, and what lossy and racing watches make of them.

What is drawn again and again is made once: hypothesis takes long to look a strategy over.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.simulator.client import Fate, KilledError
from tests.simulator.cluster import Event, merged
from tests.simulator.deliver import PENDING
from tests.simulator.release import Chart, HookSpec
from tests.simulator.simulated import SimulatedHelm
from tests.simulator.truth import Incident, Operation
from tests.simulator.watching import Gap, kinds, lose, of_kind, shift

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIGRATE: Final = HookSpec(name="migrate", events=("pre-install", "pre-upgrade", "pre-rollback"))
NOTIFY: Final = HookSpec(
    name="notify", events=("post-install", "post-upgrade", "post-rollback"), weight=5
)
# One slot for two events: the second run overwrites the first.
AROUND: Final = HookSpec(name="around", events=("pre-upgrade", "post-upgrade", "pre-delete"))
SWEEP: Final = HookSpec(name="sweep", events=("pre-delete", "post-delete"), weight=-1)
SMOKE: Final = HookSpec(name="smoke", events=("test",), kind="Pod")
LOAD: Final = HookSpec(name="load", events=("test",), kind="Pod", weight=1)
HOOKS: Final = (MIGRATE, NOTIFY, AROUND, SWEEP, SMOKE, LOAD)
PAUSES: Final = (0.05, 3.0, 20.0, 700.0)
HOOK_SETS: Final = (
    (SMOKE,),
    (MIGRATE, SMOKE, LOAD),
    (MIGRATE, NOTIFY, SWEEP, SMOKE),
    (AROUND, SMOKE, LOAD),
    (),
)


class Scenario:
    """The releases of one sequence, read as one cluster."""

    def __init__(self, releases: Sequence[SimulatedHelm], steps: Sequence[str]) -> None:
        self.releases = releases
        self.steps = steps

    @property
    def events(self) -> list[Event]:
        return merged(*(release.cluster for release in self.releases))

    @property
    def truth(self) -> list[Operation]:
        return [operation for release in self.releases for operation in release.truth]

    @property
    def incidents(self) -> list[Incident]:
        return [incident for release in self.releases for incident in release.incidents]

    def __repr__(self) -> str:
        return f"Scenario({'; '.join(self.steps)})"


@cache
def charts() -> SearchStrategy[Chart]:
    return st.builds(
        Chart,
        version=st.sampled_from(["1.0.0", "1.1.0"]),
        image=st.sampled_from(["1.0", "2.0", "3.0"]),
        deployments=st.sampled_from([("cart",), ("cart", "worker"), ()]),
        replicas=st.integers(1, 3),
        ready_after=st.sampled_from([8.0, 1.0, 45.0, None]),
        hooks=st.sampled_from(HOOK_SETS),
    )


@cache
def fates(*, cancellable: bool) -> SearchStrategy[Fate]:
    """Mostly nothing goes wrong."""
    names = st.sampled_from([hook.name for hook in HOOKS])
    fine = st.just(Fate())
    options = [
        *[fine] * 3,
        st.builds(Fate, apply_error=st.just(True)),
        st.builds(Fate, never_ready=st.just(True)),
        st.builds(Fate, failing_hook=names),
        st.builds(Fate, killed_after=st.integers(1, 5)),
    ]
    if cancellable:
        options.append(st.builds(Fate, interrupted_after=st.integers(1, 3)))
    return st.one_of(options)


@cache
def user_labels() -> SearchStrategy[dict[str, str]]:
    values = st.sampled_from(["a3f1", "b7c2", "null"])
    return st.dictionaries(st.sampled_from(["keptn.sh/context", "team"]), values, max_size=2)


@st.composite
def operations(
    draw: DrawFn,
    *,
    max_steps: int = 7,
    releases: int | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Scenario:
    """Draw a legal sequence on one or two releases, carried out.

    Two releases live in namespaces of their own and overlap freely in time. `pauses` are
    what may pass between two steps, in seconds.
    """
    count = releases or draw(st.integers(1, 2))
    made, steps = [], []
    for lane in range(count):
        helm = SimulatedHelm(
            start=NOON,
            helm=draw(st.sampled_from([3, 4])),
            driver=draw(st.sampled_from(["secret", "configmap"])),
            namespace=f"shop-{lane}",
            release=draw(st.sampled_from(["cart", "a.b.v2"])),
            lane=lane,
            skew=timedelta(seconds=draw(st.sampled_from([0, 0, 90, -5]))),
            offset=timedelta(hours=draw(st.sampled_from([0, 2]))),
        )
        for _ in range(draw(st.integers(1, max_steps))):
            name, act = draw(st.sampled_from(legal(helm)))
            steps.append(f"{helm.namespace} {name}")
            _carry_out(draw, act, helm, pauses)
        if draw(st.booleans()):
            helm.settle()
        made.append(helm)
    return Scenario(made, steps)


Step = Callable[[DrawFn, SimulatedHelm], Any]


def legal(helm: SimulatedHelm) -> list[tuple[str, Step]]:
    """List what Helm would not refuse now, and what others may do at any time."""
    status, history = helm.status(), helm.history()
    if status is None:
        return [("install", _install)]
    deployed = any(known.info.status == "deployed" for known in history)
    steps: list[tuple[str, Step]] = [
        ("delete record", _delete_record),
        ("reserialise", lambda _, helm: helm.reserialise()),
        ("delete namespace", lambda _, helm: helm.delete_namespace()),
        *[("uninstall", _uninstall)] * 2,
        *[("rollback", _rollback)] * 3,
    ]
    if status not in PENDING and (deployed or status in {"failed", "superseded"}):
        steps += [("upgrade", _upgrade)] * 8
    if status in {"uninstalled", "failed"}:
        steps += [("install --replace", _replace)] * 3
    if status in PENDING:
        steps += [("unlock", lambda _, helm: helm.unlock())] * 2
    if status in {"deployed", "failed"} and _tests(helm):
        steps += [("test", _test)] * 5
    if helm.deployments():
        steps += [
            ("scale", lambda draw, helm: helm.scale(draw(st.integers(1, 4)))),
            ("restart", lambda _, helm: helm.restart()),
        ]
    return steps


def gaps(events: Sequence[Event]) -> SearchStrategy[list[Gap]]:
    """Draw one to three gaps, of any kinds; one that begins at 0 is a late start."""
    sizes = {kind: len(of_kind(events, kind)) for kind in kinds(events)}

    def of(kind: str) -> SearchStrategy[Gap]:
        ends = st.tuples(st.integers(0, sizes[kind]), st.integers(0, sizes[kind]))
        return ends.map(lambda ends: Gap(kind, min(ends), max(ends)))

    # Records tell the most, so they are lost the most.
    weighted = sorted(sizes, key=lambda kind: kind not in {"Secret", "ConfigMap"})
    weighted = [*weighted[:1] * 2, *weighted]
    return st.lists(st.sampled_from(weighted).flatmap(of), min_size=1, max_size=3)


def lossy(events: Sequence[Event]) -> SearchStrategy[list[Event]]:
    """Draw a variant in which watches were away for a while and listed again."""
    return gaps(events).map(lambda drawn: lose(events, drawn))


def interleaved(
    events: Sequence[Event], *, most: timedelta = timedelta(seconds=3)
) -> SearchStrategy[list[Event]]:
    """Draw a variant in which kinds are late against each other, each in its own order."""
    late = st.timedeltas(min_value=timedelta(0), max_value=most)
    delays = st.fixed_dictionaries(
        {kind: st.lists(late, min_size=1, max_size=3) for kind in kinds(events)}
    )
    return delays.map(lambda drawn: shift(events, drawn))


def _carry_out(draw: DrawFn, act: Step, helm: SimulatedHelm, pauses: Sequence[float]) -> None:
    # Killed while it still pruned: there was no operation yet.
    with suppress(KilledError):
        act(draw, helm)
    helm.sleep(draw(st.sampled_from(pauses)))


def _flags(draw: DrawFn) -> dict[str, Any]:
    return {
        "chart": draw(charts()),
        "labels": draw(user_labels()),
        "wait": draw(st.booleans()),
        "atomic": draw(st.sampled_from([False, False, False, True])),
        "timeout": draw(st.sampled_from([20.0, 300.0, 900.0])),
    }


def _install(draw: DrawFn, helm: SimulatedHelm) -> None:
    helm.install(fate=draw(fates(cancellable=True)), **_flags(draw))


def _replace(draw: DrawFn, helm: SimulatedHelm) -> None:
    helm.install(fate=draw(fates(cancellable=True)), replace=True, **_flags(draw))


def _upgrade(draw: DrawFn, helm: SimulatedHelm) -> None:
    history_max = draw(st.sampled_from([10, 10, 2, 1]))
    fate = draw(fates(cancellable=True))
    helm.upgrade(fate=fate, history_max=history_max, **_flags(draw))


def _rollback(draw: DrawFn, helm: SimulatedHelm) -> None:
    known = [release.version for release in helm.history()]
    fate = draw(fates(cancellable=False))
    helm.rollback(
        fate=fate, to=draw(st.sampled_from(known)), wait=draw(st.booleans()), timeout=30.0
    )


def _uninstall(draw: DrawFn, helm: SimulatedHelm) -> None:
    keep = draw(st.booleans()) and helm.status() != "uninstalled"
    fate = draw(fates(cancellable=False))
    helm.uninstall(fate=fate, keep_history=keep, delete_error=draw(st.integers(0, 9)) == 9)


def _test(draw: DrawFn, helm: SimulatedHelm) -> None:
    only = draw(st.sampled_from([[], *([name] for name in _tests(helm))]))
    helm.test(fate=draw(fates(cancellable=False)), only=only)


def _tests(helm: SimulatedHelm) -> list[str]:
    latest = helm.history()[-1]
    return [hook.spec.name for hook in latest.hooks if "test" in hook.spec.events]


def _delete_record(draw: DrawFn, helm: SimulatedHelm) -> None:
    helm.delete_record(draw(st.sampled_from([known.version for known in helm.history()])))
