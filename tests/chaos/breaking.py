"""What goes wrong, and when: at random, and where it hurts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.collector import Relay
    from tests.chaos.lives import Operator
    from tests.chaos.records import RecordWatch
    from tests.chaos.sink import Sink

Say = Callable[[str], None]

# In seconds.
PAUSE: Final = (0.0, 2.0)
ANY_MOMENT: Final = (0.0, 3.0)
STARTING: Final = (0.1, 2.5)
RIGHT_AFTER: Final = (0.0, 0.15)
START: Final = 20.0
AT_ONCE: Final = (0.0, 0.01)
PATIENCE: Final = 3.0
HERE: Final = (4.0, 10.0)
AWAY: Final = (5.0, 15.0)

AIMS: Final = (
    "any moment",
    "any moment",
    "starting",
    "a record pending",
    "a record deployed",
    "a delivery",
)


@dataclass(slots=True, kw_only=True)
class Plan:
    """How much is to go wrong, and how much has."""

    kills: int = 0
    absences: int = 0
    away: tuple[float, float] = AWAY  # how long each absence is, in seconds
    killed: int = 0
    hurry: threading.Event = field(default_factory=threading.Event)  # the work is done

    def allows(self, done: float) -> bool:
        """Whether that share of the work may be done already: kills shall fall into it."""
        return not self.kills or self.killed >= self.kills * done - 2


def kill_again_and_again(
    plan: Plan, operator: Operator, *, watch: RecordWatch, sink: Sink, rng: Random, say: Say
) -> None:
    """Kill the operator and start it again, as often as planned."""
    for number in range(plan.kills):
        aim = rng.choice(AIMS)
        hit = _wait_for(aim, plan, operator, watch=watch, sink=sink, rng=rng)
        operator.kill(aim if hit else f"{aim}, which did not come")
        plan.killed = number + 1
        say(f"kill {plan.killed} of {plan.kills}: {operator.lives[-1]}")
        plan.hurry.wait(rng.uniform(*PAUSE))
        operator.start()


def take_away(plan: Plan, relay: Relay, *, rng: Random, say: Say) -> None:
    """End the collector and start it again, as often as planned."""
    for number in range(plan.absences):
        plan.hurry.wait(rng.uniform(*HERE))
        relay.crash()
        seconds = rng.uniform(*plan.away)
        say(f"collector away for {seconds:.1f} s, {number + 1} of {plan.absences}")
        threading.Event().wait(seconds)
        relay.come_back()


class Beside:
    """Does things in threads of their own, which stay until the `with` block is left.

    HAZARD: what a thread starts is killed when that thread ends (setpriv --pdeathsig).
    """

    def __init__(self, *doings: Callable[[], None]) -> None:
        self._over: Final = threading.Event()
        self._failures: Final[list[Exception]] = []
        self._done: Final = [threading.Event() for _ in doings]
        self._threads: Final = [
            threading.Thread(target=self._do, args=each, daemon=True)
            for each in zip(doings, self._done, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait(self) -> None:
        """Wait until all is done.

        Raises:
            ExceptionGroup: some of it failed.
        """
        for done in self._done:
            done.wait()
        if self._failures:
            raise ExceptionGroup("what was to go wrong went wrong otherwise", self._failures)

    def _do(self, do: Callable[[], None], done: threading.Event) -> None:
        try:
            do()
        except Exception as error:  # noqa: BLE001 - raised to who waits
            self._failures.append(error)
        done.set()
        self._over.wait()


def _wait_for(
    aim: str,
    plan: Plan,
    operator: Operator,
    *,
    watch: RecordWatch,
    sink: Sink,
    rng: Random,
) -> bool:
    """Wait for the moment; False if it does not come in time."""
    if aim == "starting":
        return not threading.Event().wait(rng.uniform(*STARTING))
    came = operator.wait_until_ready(seconds=START)
    if aim == "any moment" or plan.hurry.is_set():
        return not threading.Event().wait(rng.uniform(*ANY_MOMENT))
    if came and aim == "a delivery":
        # Before the ledger knows of it.
        came = sink.wait_for_next(seconds=PATIENCE)
        threading.Event().wait(rng.uniform(*AT_ONCE))
        return came
    if came and aim == "a record pending":
        came = watch.wait_for_next(
            "pending-install", "pending-upgrade", "pending-rollback", seconds=PATIENCE
        )
    elif came:
        came = watch.wait_for_next("deployed", "failed", "uninstalling", seconds=PATIENCE)
    threading.Event().wait(rng.uniform(*RIGHT_AFTER))
    return came
