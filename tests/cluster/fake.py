"""An apiserver in memory, as far as list and watch go, with faults on demand.

Where it answers as a real one does, tests through the proxy show that real ones do.
"""

import asyncio
import copy
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from helmwake.cluster.api import JSON, MAX_ANSWER_BYTES, NO_PARAMS
from helmwake.cluster.errors import ApiError, GoneError

LATENCY_SECONDS: Final = 0.001
Line = bytes | ApiError | None  # None is a regular end


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    at: float  # seconds of the loop's time
    path: str
    params: Mapping[str, str]
    accept: str
    max_bytes: int = 0

    @property
    def is_watch(self) -> bool:
        return "watch" in self.params


@dataclass(slots=True)
class FakeCluster:
    """Objects of one kind; every write gets the next version."""

    version: int = 100
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    # What the next requests are answered with; a number lets as many of them pass.
    get_faults: deque[ApiError | int] = field(default_factory=deque)
    stream_faults: deque[ApiError | int] = field(default_factory=deque)
    answers: deque[Any] = field(default_factory=deque)  # bodies instead of the true ones
    gone_as_event: bool = False
    _history: list[tuple[int, bytes]] = field(default_factory=list)
    _compacted: int = 0
    _streams: list[asyncio.Queue[Line]] = field(default_factory=list)
    _pages: dict[str, tuple[list[dict[str, Any]], str]] = field(default_factory=dict)
    _uids: int = 0

    # --- what happens in the cluster ---

    def put(self, name: str, **labels: str) -> None:
        """Create or change an object."""
        old = self.objects.get(name)
        if old is None:
            self._uids += 1
        uid = old["metadata"]["uid"] if old else f"uid-{self._uids}"
        self.version += 1
        self.objects[name] = {
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": uid,
                "resourceVersion": str(self.version),
                "labels": labels,
            }
        }
        self._tell("MODIFIED" if old else "ADDED", self.objects[name])

    def delete(self, name: str) -> None:
        self.version += 1
        last = copy.deepcopy(self.objects.pop(name))
        last["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", last)

    def bookmark(self) -> None:
        """Tell all watches how far they are."""
        self.version += 1
        meta = {"resourceVersion": str(self.version)}
        self.say(event_line("BOOKMARK", {"kind": "Secret", "metadata": meta}))

    def compact(self) -> None:
        """Forget the past: older versions and page tokens are gone."""
        self._compacted = self.version
        self._pages.clear()

    # --- what happens to the streams ---

    def say(self, line: Line) -> None:
        """Let all open streams say this, or break with it."""
        for stream in self._streams:
            stream.put_nowait(line)

    def end_streams(self) -> None:
        self.say(None)

    def lose(self) -> None:
        """Open streams hear nothing of what happens from now on."""
        self._streams.clear()

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    @property
    def lists(self) -> list[Request]:
        return [each for each in self.requests if not each.is_watch]

    @property
    def watches(self) -> list[Request]:
        return [each for each in self.requests if each.is_watch]

    # --- helmwake.cluster.api.Api ---

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        accept: str = JSON,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        self._note(path, params, accept, max_bytes)
        await asyncio.sleep(LATENCY_SECONDS)
        raise_next(self.get_faults)
        if self.answers:
            return self.answers.popleft()
        if "limit" in params:
            return self._page(dict(params))
        return copy.deepcopy(self.objects[path.rsplit("/", 1)[-1]])

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str] = NO_PARAMS, accept: str = JSON
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self._note(path, params, accept, 0)
        await asyncio.sleep(LATENCY_SECONDS)
        raise_next(self.stream_faults)
        since = int(params["resourceVersion"])
        queue: asyncio.Queue[Line] = asyncio.Queue()
        if since < self._compacted:
            if not self.gone_as_event:
                raise GoneError("WATCH", status=410, reason="Expired")
            queue.put_nowait(error_line(410, "Expired"))
            queue.put_nowait(None)
        for version, line in self._history:
            if version > since:
                queue.put_nowait(line)
        self._streams.append(queue)
        try:
            yield lines_of(queue)
        finally:
            # By identity: two queues are never equal, but `lose` may have been there first.
            self._streams = [each for each in self._streams if each is not queue]

    def _note(self, path: str, params: Mapping[str, str], accept: str, max_bytes: int) -> None:
        at = asyncio.get_running_loop().time()
        self.requests.append(
            Request(at=at, path=path, params=dict(params), accept=accept, max_bytes=max_bytes)
        )

    def _page(self, params: dict[str, str]) -> dict[str, Any]:
        token = params.get("continue")
        if token is None:
            items, version = copy.deepcopy(list(self.objects.values())), str(self.version)
        elif token in self._pages:
            items, version = self._pages.pop(token)
        else:
            raise GoneError("LIST", status=410, reason="Expired")
        limit = int(params["limit"])
        meta = {"resourceVersion": version}
        if items[limit:]:
            meta["continue"] = f"{version}/{len(items)}"
            self._pages[meta["continue"]] = (items[limit:], version)
        return {"metadata": meta, "items": items[:limit]}

    def _tell(self, kind: str, item: dict[str, Any]) -> None:
        line = event_line(kind, {"kind": "PartialObjectMetadata", **item})
        self._history.append((self.version, line))
        self.say(line)


async def lines_of(queue: asyncio.Queue[Line]) -> AsyncIterator[bytes]:
    while (line := await queue.get()) is not None:
        if isinstance(line, ApiError):
            raise line
        yield line


def raise_next(faults: deque[ApiError | int]) -> None:
    if not faults:
        return
    fault = faults.popleft()
    if isinstance(fault, ApiError):
        raise fault
    if fault > 1:
        faults.appendleft(fault - 1)


def event_line(kind: str, item: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode()


def error_line(code: int, reason: str, **details: Any) -> bytes:
    status = {"kind": "Status", "code": code, "reason": reason, "details": details}
    return event_line("ERROR", status)
