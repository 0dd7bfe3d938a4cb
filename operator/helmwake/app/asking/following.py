"""The ledger, as it changes: followed for people, and waited for by pipelines."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

from helmwake.app.asking.awaiting import Awaited, awaited, begun
from helmwake.app.asking.query import Query
from helmwake.app.asking.reading import Broken, read_entry, selected
from helmwake.cluster.api import Api
from helmwake.cluster.reflector import Reflector
from helmwake.facts.change import Change
from helmwake.ledger.entry import Entry

# What people see moves once a second, and no burst of changes draws more often than this.
TICK_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1


class View(Protocol):
    """Who is shown what changes."""

    def show(self, entries: Sequence[Entry], *, trouble: str | None) -> None:
        """Show what there is now, by its start; called at each change, and once a second.

        `trouble` is why it may be old.
        """

    def tell(self, problem: object) -> None:
        """Tell what is wrong with something that cannot be shown."""

    def close(self) -> None:
        """Leave what should stay."""


async def follow(
    api: Api,
    query: Query,
    *,
    namespace: str,
    view: View,
    warn: Callable[[Broken], None],
    timeout: timedelta | None = None,  # noqa: ASYNC109  # what is known then is returned
) -> Awaited:
    """Show what the query wants as it changes: for ever, or until it is over.

    With a `timeout` somebody waits: what is returned is over, or the timeout came first. A cluster
    that is away for a while is waited for.

    Raises:
        ApiError: the cluster does not answer the first question, or says no.
    """
    resource = selected(query, namespace)
    # Somebody waits for this: say now what would otherwise be tried for ever.
    await api.get(resource.path, params={**resource.selectors, "limit": "1"})
    changed = asyncio.Event()
    reflector = Reflector(
        api,
        resource,
        reduce=_reduce,
        emit=lambda _: changed.set(),
        on_state=lambda _: changed.set(),
    )
    running = asyncio.create_task(reflector.run())
    warned: set[Broken] = set()
    loop = asyncio.get_running_loop()
    deadline = None if timeout is None else loop.time() + timeout.total_seconds()
    try:
        while True:
            if running.done():
                running.result()  # it only ends by an error of ours
            changed.clear()
            facts = list(reflector.facts())
            for broken in facts:
                if isinstance(broken, Broken) and broken not in warned:
                    warned.add(broken)
                    warn(broken)
            entries = sorted((fact for fact in facts if isinstance(fact, Entry)), key=begun)
            found = awaited(query, entries)
            if reflector.state.synced:
                wanted = [entry for entry in entries if query.wants(entry)]
                state = reflector.state
                view.show(wanted, trouble=state.failure if state.stale_since else None)
                if deadline is not None and found.over:
                    return found
            if deadline is not None and loop.time() >= deadline:
                return found
            await _changed(changed, until=deadline)
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _changed(changed: asyncio.Event, *, until: float | None) -> None:
    """Wait for a change, but for no longer than to the next tick."""
    loop = asyncio.get_running_loop()
    rest = TICK_SECONDS if until is None else min(TICK_SECONDS, until - loop.time())
    await asyncio.sleep(min(PAUSE_SECONDS, max(rest, 0)))
    with suppress(TimeoutError):
        async with asyncio.timeout(max(rest - PAUSE_SECONDS, 0)):
            await changed.wait()


def _reduce(change: Change) -> Entry | Broken:
    return read_entry(change.object)
