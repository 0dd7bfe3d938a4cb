"""A reflector at work on a fake cluster, and what it told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helmwake.cluster.api import Api
from helmwake.cluster.reflector import Reflector
from helmwake.cluster.resources import HELM_SECRETS, Resource
from helmwake.cluster.seen import Seen
from helmwake.cluster.state import ReflectorState
from helmwake.facts.change import Change
from helmwake.facts.errors import BadObjectError

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Thing:
    """A fact about an object named like `cart-3`."""

    name: str
    revision: int
    note: str = ""


def reduce_thing(change: Change) -> Thing | None:
    assert change.object["kind"] == "Secret", "whoever lists or watches sets the kind"
    meta: Mapping[str, Any] = change.object["metadata"]
    labels = meta.get("labels", {})
    if "ignored" in labels:
        return None
    if "bad" in labels:
        raise BadObjectError(meta, path="metadata.labels.bad", wanted="there")
    return Thing(meta["name"], int(meta["name"].rsplit("-", 1)[-1]), labels.get("note", ""))


def by_revision(thing: Thing) -> int:
    return thing.revision


def virtual_now() -> datetime:
    return NOON + timedelta(seconds=asyncio.get_running_loop().time())


def told(seen: list[Seen[Thing]]) -> list[str]:
    """Write down what was told, as `ADDED cart-1 watched`."""
    return [f"{each.type} {each.fact.name} {each.origin}" for each in seen]


@dataclass(slots=True)
class Run:
    reflector: Reflector[Thing]
    task: asyncio.Task[None]
    seen: list[Seen[Thing]]
    states: list[ReflectorState] = field(default_factory=list)

    @property
    def state(self) -> ReflectorState:
        return self.reflector.state

    def is_ready(self) -> bool:
        return self.reflector.state.ready

    async def pass_time(self, *, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await settle()

    async def reflector_silence(self) -> None:
        """Wait until the reflector has given up a stream that it no longer hears."""
        await self.pass_time(seconds=181)

    def take(self) -> list[str]:
        """Give what was told since the last call."""
        news = told(self.seen)
        self.seen.clear()
        return news


@asynccontextmanager
async def running(
    api: Api, resource: Resource = HELM_SECRETS, **options: Any
) -> AsyncIterator[Run]:
    """Run a reflector; jitter is at its largest, so that delays are 1, 2, 4, ... seconds."""
    seen: list[Seen[Thing]] = []
    states: list[ReflectorState] = []
    defaults = {
        "reduce": reduce_thing,
        "emit": seen.append,
        "order": by_revision,
        "on_state": states.append,
        "now": virtual_now,
        "jitter": lambda: 1.0,
    }
    reflector: Reflector[Thing] = Reflector(api, resource, **{**defaults, **options})
    task = asyncio.create_task(reflector.run())
    try:
        yield Run(reflector, task, seen, states)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def settle() -> None:
    """Let everything happen that needs no waiting (in virtual time)."""
    await asyncio.sleep(0.01)
