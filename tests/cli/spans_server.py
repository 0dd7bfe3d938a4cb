"""A ledger as an apiserver serves it: listed, selected by labels, watched, changed by a test."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from helmwake.ledger.documents import to_object
from helmwake.ledger.entry import Entry
from tests.cluster.server import serving, write_kubeconfig

NAMESPACE: Final = "helmwake-system"
COLLECTION: Final = f"/apis/helmwake.dev/v1alpha1/namespaces/{NAMESPACE}/releasetraces"


@dataclass(slots=True)
class LedgerServer:
    """`put` an entry, and who watches hears of it; `refusal` answers everything."""

    kubeconfig: str = ""
    refusal: int | None = None
    requests: list[web.Request] = field(default_factory=list)
    watched: asyncio.Event = field(default_factory=asyncio.Event)  # somebody watches
    _objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    _watches: list[asyncio.Queue[dict[str, Any]]] = field(default_factory=list)
    _version: int = 100

    def put(self, *entries: Entry) -> None:
        for entry in entries:
            self.put_object(to_object(entry, namespace=NAMESPACE))

    def put_object(self, obj: dict[str, Any]) -> None:
        meta = obj["metadata"]
        known = self._objects.get(meta["name"])
        self._version += 1
        meta["uid"] = f"uid-of-{meta['name']}"
        meta["resourceVersion"] = str(self._version)
        meta.setdefault("creationTimestamp", f"2026-11-23T12:00:{self._version % 60:02}Z")
        self._objects[meta["name"]] = obj
        for watch in self._watches:
            watch.put_nowait({"type": "MODIFIED" if known else "ADDED", "object": obj})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if self.refusal is not None:
            return web.json_response({"kind": "Status", "code": self.refusal}, status=self.refusal)
        if request.path != COLLECTION:
            return web.json_response({"kind": "Status", "code": 404}, status=404)
        selector = request.query.get("labelSelector", "")
        if "watch" in request.query:
            return await self._watch(request, selector)
        return web.json_response(
            {
                "kind": "ReleaseTraceList",
                "metadata": {"resourceVersion": str(self._version)},
                "items": [each for each in self._objects.values() if matches(each, selector)],
            }
        )

    async def _watch(self, request: web.Request, selector: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        after = int(request.query.get("resourceVersion") or self._version)
        for each in self._objects.values():
            if int(each["metadata"]["resourceVersion"]) > after:
                events.put_nowait({"type": "ADDED", "object": each})
        await response.prepare(request)
        self._watches.append(events)
        self.watched.set()
        try:
            while True:
                event = await events.get()
                if matches(event["object"], selector):
                    await response.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            return response  # who watched has gone
        finally:
            self._watches.remove(events)


def matches(obj: dict[str, Any], selector: str) -> bool:
    labels = obj["metadata"].get("labels", {})
    wanted = [part.split("=", 1) for part in selector.split(",") if part]
    return all(labels.get(key) == value for key, value in wanted)


@asynccontextmanager
async def ledger_served(directory: Path) -> AsyncIterator[LedgerServer]:
    """Serve an empty ledger within the test's loop."""
    server = LedgerServer()
    async with serving(server.handle) as address:
        server.kubeconfig = write_kubeconfig(
            directory / "kubeconfig.yaml", server=address, user={"token": "t"}
        )
        yield server
