"""Helm works, things break, and then: is everything there, once?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Final

from tests.chaos.breaking import AWAY, Beside, Plan, kill_again_and_again, take_away
from tests.chaos.counting import DURATIONS, counted
from tests.chaos.records import RecordWatch
from tests.chaos.spans import roots
from tests.chaos.stage import Stage, set_up
from tests.chaos.truth import all_done
from tests.chaos.verdict import judge
from tests.chaos.work import Work, choose

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.breaking import Say
    from tests.chaos.truth import Done
    from tests.chaos.verdict import Verdict
    from tests.controlplane.cluster import ControlPlane

OPERATIONS: Final = 60
# A rollout that nothing else ends is given up 60 s after Helm has.
SETTLE_SECONDS: Final = 100.0
QUIET_SECONDS: Final = 3.0
POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    operations: int = OPERATIONS
    kills: int = 0
    absences: int = 0
    away: tuple[float, float] = AWAY  # how long an absence is, in seconds

    def __str__(self) -> str:
        return f"{self.name}: {self.kills} kills, {self.absences} absences of the collector"


KILLS: Final = Scenario(name="kills", kills=20)
ABSENCES: Final = Scenario(name="absences", absences=3)
BOTH: Final = Scenario(name="both", kills=20, absences=3)


def play(
    scenario: Scenario,
    cluster: ControlPlane,
    login: Path,
    *,
    seed: int,
    directory: Path,
    say: Say,
) -> Verdict:
    """Play it to its end; the seed decides what is done, and when what breaks.

    The rest is the machine's: a seed makes a run alike, not the same.
    """
    began = time.monotonic()
    rng = Random(seed)
    name = f"{scenario.name}-{seed % 10**6}"
    title = f"{scenario}, seed {seed}"
    say(title)
    plan = Plan(kills=scenario.kills, absences=scenario.absences, away=scenario.away)
    with (
        RecordWatch(cluster.api) as watch,
        set_up(cluster, login, name=name, directory=directory) as stage,
    ):
        operator, sink = stage.operator, stage.sink
        work = Work(
            cluster=cluster, name=name, labels=stage.labels, files=directory, allows=plan.allows
        )
        chosen = choose(scenario.operations, rng)
        chance, other = Random(rng.random()), Random(rng.random())
        operator.start()
        assert operator.wait_until_ready(), operator.lives[-1].log.read_text(encoding="utf-8")
        with Beside(
            lambda: kill_again_and_again(
                plan, operator, watch=watch, sink=sink, rng=chance, say=say
            ),
            lambda: take_away(plan, stage.relay, rng=other, say=say),
        ) as beside:
            try:
                commands = work.do(chosen)
            finally:
                plan.hurry.set()
            say(f"Helm is done after {time.monotonic() - began:.0f} s, {plan.killed} kills")
            beside.wait()
            # Who is asked to stop while it still starts does not end in order.
            assert operator.wait_until_ready(), operator.lives[-1].log.read_text(encoding="utf-8")
            time.sleep(QUIET_SECONDS)  # what Helm deleted last is told
            done = all_done(commands, watch.seen)
            verdict = _settled(title, stage, done)
            ledger = json.dumps(stage.entries(), indent=1)
            (directory / "ledger.json").write_text(ledger, encoding="utf-8")
            said = [] if scenario.kills else _counted_wrongly(stage, done)
            said += _asked_wrongly(stage, done)
            code = operator.stop()
            said += [f"the operator ended with {code}"] if code else []
            said += operator.defects
    note = f"  {time.monotonic() - began:.0f} s; logs in {directory}"
    verdict = replace(verdict, faults=[*verdict.faults, *said], notes=[note])
    told = "\n".join(map(str, [verdict, *done, *roots(sink.arrived)]))
    (directory / "verdict.txt").write_text(told, encoding="utf-8")
    return verdict


def _settled(title: str, stage: Stage, done: list[Done]) -> Verdict:
    """Judge, until all is well and stays so, or the time is over."""
    deadline = time.monotonic() + SETTLE_SECONDS
    well_since: float | None = None
    while True:
        verdict = judge(
            title,
            done,
            stage.sink.arrived,
            lives=stage.operator.lives,
            entries=stage.entries(),
        )
        now = time.monotonic()
        if not verdict.holds:
            well_since = None
        elif well_since is None:
            well_since = now
        if now > deadline or (well_since is not None and now - well_since > QUIET_SECONDS):
            return verdict
        time.sleep(POLL_SECONDS)


def _counted_wrongly(stage: Stage, done: list[Done]) -> list[str]:
    """Compare the durations that were measured with what was done; for one life alone."""
    wanted: dict[str, int] = {}
    for each in done:
        wanted[each.pipeline] = wanted.get(each.pipeline, 0) + 1
    found = counted(stage.operator.ask("/metrics") or "", DURATIONS)
    return [
        f"{pipeline}: {found[pipeline]} durations were counted, not {wanted.get(pipeline, 0)}"
        for pipeline in sorted({*wanted, *found})
        if found[pipeline] != wanted.get(pipeline, 0)
    ]


def _asked_wrongly(stage: Stage, done: list[Done]) -> list[str]:
    """Ask by a Keptn context, as a person would, for one that is delivered."""
    kept = {
        entry["metadata"]["labels"].get("keptn.sh/context"): entry["metadata"]["name"]
        for entry in stage.entries()
    }
    for each in done:
        if each.context in kept:
            label = f"keptn.sh/context={each.context}"
            asked = stage.cluster.kubectl(
                "get", "releasetraces", "-n", stage.ledger, "-l", label, "-o", "name"
            )
            if kept[each.context] in asked.stdout:
                return []
            return [f"kubectl get releasetraces -l {label}: {asked.stdout}{asked.stderr}"]
    return ["no operation is found by its Keptn context"]
