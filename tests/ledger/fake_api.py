"""An apiserver in memory for ReleaseTraces and one ConfigMap, with faults on demand.

Where it answers as a real one does, test_writer_live.py shows that real ones do.
"""

import asyncio
import copy
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from helmwake.cluster.api import JSON, MAX_ANSWER_BYTES, NO_PARAMS
from helmwake.cluster.errors import (
    ApiError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from helmwake.cluster.writing import MERGE_PATCH, Method

NAMESPACE: Final = "helmwake-system"
TRACES: Final = f"/apis/helmwake.dev/v1alpha1/namespaces/{NAMESPACE}/releasetraces"
CONFIG_MAPS: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
LATENCY_SECONDS: Final = 0.01
TERM: Final = re.compile(r"([^\s,=]+)(?:=([^,]*)| (in|notin) \(([^)]*)\))")


@dataclass(slots=True, kw_only=True)
class Fault:
    error: ApiError
    method: str = ""  # empty: any
    path: str = ""  # a part of it
    times: int = 1
    carried_out: bool = False  # the answer alone is lost

    def meets(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in {"", method} and self.path in path


@dataclass(slots=True)
class FakeLedgerApi:
    """Objects by path; every write gets the next version. Each request takes 10 ms."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[float, str, str]] = field(default_factory=list)  # when, method, path
    lists: list[tuple[float, str]] = field(default_factory=list)  # when each began, `accept`
    bodies: list[Mapping[str, Any]] = field(default_factory=list)  # of the writes
    faults: list[Fault] = field(default_factory=list)
    most_at_once: int = 0
    most_at_once_for_one: int = 0
    _version: int = 100
    _at_once: Counter[str] = field(default_factory=Counter)

    # --- what happens in the cluster ---

    def fail(self, error: ApiError, **which: Any) -> Fault:
        """Answer with an error; undo it by setting its `times` to 0."""
        self.faults.append(Fault(error=error, **which))
        return self.faults[-1]

    def lose_answer(self, method: str, path: str = "", *, times: int = 1) -> Fault:
        """Carry the next such request out, and do not answer."""
        error = UnavailableError(f"{method} {path}", reason="no answer in time")
        return self.fail(error, method=method, path=path, times=times, carried_out=True)

    def edit(self, name: str, **parts: Any) -> None:
        """Change a ReleaseTrace as a person does, with all rights."""
        item = self.objects[f"{TRACES}/{name}"]
        _merge(item, parts)
        self._stamp(item)

    def remove(self, name: str) -> None:
        del self.objects[f"{TRACES}/{name}"]

    @property
    def traces(self) -> list[dict[str, Any]]:
        return [each for path, each in self.objects.items() if path.startswith(TRACES)]

    def said(self) -> list[str]:
        """Give the requests since the last call, as `PATCH cart.v1/status`."""
        told = []
        for _, method, path in self.requests:
            rest = path.removeprefix(TRACES).removeprefix(CONFIG_MAPS).lstrip("/")
            told.append(f"{method} {rest}".strip())
        self.requests.clear()
        return told

    # --- helmwake.cluster.writing.LedgerApi ---

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] = NO_PARAMS,
        accept: str = JSON,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        if path == TRACES and "continue" not in params:
            self.lists.append((asyncio.get_running_loop().time(), accept))
        fault = await self._asked("GET", path)
        if fault is not None:
            raise fault.error
        if path == TRACES:
            return self._page(params)
        return copy.deepcopy(self._object("GET", path))

    def stream(
        self, path: str, *, params: Mapping[str, str] = NO_PARAMS, accept: str = JSON
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError("the ledger is not watched")

    async def send(
        self, method: Method, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Any:
        assert content_type == (MERGE_PATCH if method == "PATCH" else JSON)
        self.bodies.append(copy.deepcopy(body))
        fault = await self._asked(method, path)
        if fault is not None and not fault.carried_out:
            raise fault.error
        carry_out = {"POST": self._create, "PATCH": self._change, "DELETE": self._delete}[method]
        answer = copy.deepcopy(carry_out(path, copy.deepcopy(dict(body))))
        if fault is not None:
            raise fault.error
        return answer

    async def _asked(self, method: str, path: str) -> Fault | None:
        self.requests.append((asyncio.get_running_loop().time(), method, path))
        which = path if method != "POST" else str(self.bodies[-1]["metadata"]["name"])
        key = which.removeprefix(f"{TRACES}/").partition("/")[0]
        self._at_once[key] += 1
        self.most_at_once = max(self.most_at_once, self._at_once.total())
        self.most_at_once_for_one = max(self.most_at_once_for_one, self._at_once[key])
        try:
            await asyncio.sleep(LATENCY_SECONDS)
        finally:
            self._at_once[key] -= 1
        fault = next((each for each in self.faults if each.meets(method, path)), None)
        if fault is not None:
            fault.times -= 1
        return fault

    def _page(self, params: Mapping[str, str]) -> dict[str, Any]:
        terms = TERM.findall(params.get("labelSelector", ""))
        items = [
            copy.deepcopy(item)
            for item in self.traces
            if all(
                (item["metadata"]["labels"].get(key) in (some.split(", ") if how else [one]))
                is (how != "notin")
                for key, one, how, some in terms
            )
        ]
        start, limit = int(params.get("continue", 0)), int(params["limit"])
        meta = {"resourceVersion": str(self._version)}
        if items[start + limit :]:
            meta["continue"] = str(start + limit)
        return {"metadata": meta, "items": items[start : start + limit]}

    def _object(self, method: str, path: str) -> dict[str, Any]:
        try:
            return self.objects[path.removesuffix("/status")]
        except KeyError:
            raise NotFoundError(f"{method} {path}", status=404, reason="NotFound") from None

    def _create(self, collection: str, item: dict[str, Any]) -> dict[str, Any]:
        path = f"{collection}/{item['metadata']['name']}"
        if path in self.objects:
            raise ConflictError(f"POST {collection}", status=409, reason="AlreadyExists")
        if collection == TRACES:
            item.pop("status", None)
        self._stamp(item)
        item["metadata"]["uid"] = f"uid-{self._version}"
        self.objects[path] = item
        return item

    def _change(self, path: str, patch: dict[str, Any]) -> dict[str, Any]:
        item = self._object("PATCH", path)
        version = patch.get("metadata", {}).pop("resourceVersion", None)
        if version not in {None, item["metadata"]["resourceVersion"]}:
            raise ConflictError(f"PATCH {path}", status=409, reason="Conflict")
        changed = copy.deepcopy(item)
        if path.endswith("/status"):
            patch = {"status": patch["status"]}
        elif path.startswith(TRACES):
            patch.pop("status", None)
        _merge(changed, patch)
        if changed.get("spec") != item.get("spec"):
            raise InvalidError(f"PATCH {path}", status=422, reason="Invalid at spec")
        if changed != item:  # what changes nothing makes no version
            self._stamp(changed)
            self.objects[path.removesuffix("/status")] = changed
        return changed

    def _delete(self, path: str, options: dict[str, Any]) -> dict[str, Any]:
        item = self._object("DELETE", path)
        if options["preconditions"]["uid"] != item["metadata"]["uid"]:
            raise ConflictError(f"DELETE {path}", status=409, reason="Conflict")
        return self.objects.pop(path)

    def _stamp(self, item: dict[str, Any]) -> None:
        self._version += 1
        item["metadata"]["resourceVersion"] = str(self._version)


def _merge(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """Merge as RFC 7386 says."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping):
            inner = target.get(key)
            if not isinstance(inner, dict):
                inner = target[key] = {}
            _merge(inner, value)
        else:
            target[key] = value
