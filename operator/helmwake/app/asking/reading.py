"""The ledger, read once."""

import heapq
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from helmwake.app.asking.awaiting import begun
from helmwake.app.asking.query import Query
from helmwake.cluster.api import Api
from helmwake.cluster.listing import list_pages
from helmwake.cluster.resources import Resource
from helmwake.facts.meta import metadata
from helmwake.ledger.documents import parse_entry
from helmwake.ledger.entry import Entry
from helmwake.ledger.errors import BadEntryError
from helmwake.ledger.labels import (
    KEPTN_CONTEXT,
    KEPTN_PROJECT,
    KEPTN_SERVICE,
    KEPTN_STAGE,
    RELEASE_NAME,
    RELEASE_NAMESPACE,
    VALUE,
)
from helmwake.ledger.resource import RELEASE_TRACES
from helmwake.views.fitting import clean

MAX_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An entry that cannot be read; `why` names it."""

    why: str

    def __str__(self) -> str:
        return f"releasetrace {self.why}; it is left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a query found: the newest, by their start, and how many more there are."""

    entries: Sequence[Entry]
    older: int = 0
    named: bool = True  # something is of what the query names, if it fails the other conditions
    broken: Sequence[Broken] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Some of what the ledger knows, for who asked for something else."""

    contexts: Sequence[str]
    releases: Sequence[str]

    def like(self, query: Query) -> str:
        """Name what a person may have meant."""
        if query.keptn.context is not None and query.release is None:
            return f"the newest contexts are {', '.join(self.contexts) or 'none'}"
        return f"the newest releases are {', '.join(self.releases)}"


def selected(query: Query, namespace: str) -> Resource:
    """Let the server leave out what it can: its labels hold short values only.

    A release is selected by its name alone: its records' namespace need not be its own.
    """
    wanted = {
        RELEASE_NAME: query.release.name if query.release else None,
        KEPTN_CONTEXT: query.keptn.context,
        KEPTN_PROJECT: query.keptn.project,
        KEPTN_STAGE: query.keptn.stage,
        KEPTN_SERVICE: query.keptn.service,
    }
    if query.release is not None:
        # The whole of it: what became of a revision is told by other operations too.
        wanted = {RELEASE_NAME: query.release.name}
    labels = [
        f"{key}={value}" for key, value in wanted.items() if value and VALUE.fullmatch(value)
    ]
    return replace(RELEASE_TRACES, label_selector=",".join(labels)).within(namespace)


def read_entry(obj: Mapping[str, Any]) -> Entry | Broken:
    """Read an object of the ledger; what is wrong with it is told, and never raised."""
    try:
        return parse_entry(obj)
    except BadEntryError as error:
        return Broken(why=str(error))


async def read_entries(api: Api, query: Query, *, namespace: str, limit: int | None) -> Found:
    """Read the newest `limit` entries that the query wants, the newest last.

    Raises:
        ApiError: the cluster does not answer, or says no.
    """
    held: list[tuple[tuple[datetime, int, str, str], int, Entry]] = []
    broken: list[Broken] = []
    wanted, named = 0, False
    async with aclosing(list_pages(api, selected(query, namespace))) as pages:
        async for page in pages:
            for item in page.items:
                entry = read_entry(item)
                if isinstance(entry, Broken):
                    broken.append(entry)
                    continue
                named = named or query.names(entry.operation)
                if not query.wants(entry):
                    continue
                wanted += 1
                heapq.heappush(held, (begun(entry), wanted, entry))
                if limit is not None and len(held) > limit:
                    heapq.heappop(held)
    entries = [entry for *_, entry in sorted(held)]
    return Found(entries=entries, older=wanted - len(entries), named=named, broken=broken)


async def read_names(api: Api, *, namespace: str) -> Names:
    """Read the contexts and releases of the newest entries, by their labels alone."""
    resource = replace(RELEASE_TRACES, metadata_only=True).within(namespace)
    born: dict[str, dict[str, str]] = {"contexts": {}, "releases": {}}
    async with aclosing(list_pages(api, resource)) as pages:
        async for page in pages:
            for item in page.items:
                meta = metadata(item)
                labels, created = meta.get("labels"), str(meta.get("creationTimestamp"))
                if not isinstance(labels, Mapping):
                    continue
                release = f"{labels.get(RELEASE_NAMESPACE)}/{labels.get(RELEASE_NAME)}"
                for kind, name in (("contexts", labels.get(KEPTN_CONTEXT)), ("releases", release)):
                    if name:
                        born[kind][name] = max(born[kind].get(name, ""), created)
    return Names(contexts=_newest(born["contexts"]), releases=_newest(born["releases"]))


def _newest(born: Mapping[str, str]) -> list[str]:
    return [clean(name) for name in sorted(born, key=lambda name: born[name], reverse=True)][
        :MAX_NAMED
    ]
