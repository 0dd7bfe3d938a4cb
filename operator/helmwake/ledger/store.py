"""The ledger in the cluster. Each method does one request, or reads one list; nothing retries."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from helmwake.cluster.api import JSON
from helmwake.cluster.errors import ApiError, BadAnswerError
from helmwake.cluster.listing import list_pages
from helmwake.cluster.resources import Resource
from helmwake.cluster.writing import MERGE_PATCH, LedgerApi, Method, Writable
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.meta import mapping, metadata, texts
from helmwake.ledger import labels
from helmwake.ledger.conditions import unreadable_status
from helmwake.ledger.documents import (
    FIRST_STATUS,
    Identity,
    entry_labels,
    identity_of_spec,
    merge_patch,
    parse_entry,
    to_object,
    to_status,
)
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.errors import BadEntryError
from helmwake.ledger.problems import explained, is_absent
from helmwake.ledger.progress import CONFIG_MAP, Progress, dump_progress, parse_progress
from helmwake.ledger.resource import RELEASE_TRACES, delete_options

CONFIG_MAPS: Final = Resource(plural="configmaps", kind="ConfigMap")
OUR_LABELS: Final = frozenset({
    labels.RELEASE_NAMESPACE, labels.RELEASE_NAME, labels.STATE, labels.RECORD,
    labels.KEPTN_CONTEXT, labels.KEPTN_PROJECT, labels.KEPTN_STAGE, labels.KEPTN_SERVICE,
})  # fmt: skip


def writable(namespace: str) -> tuple[Writable, ...]:
    """Say what the operator may write for its ledger in its own namespace."""
    return (
        Writable(resource=RELEASE_TRACES.within(namespace)),
        Writable(resource=CONFIG_MAPS.within(namespace), name=CONFIG_MAP),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """One version of a stored object, and all that its next version is compared with."""

    name: str
    uid: str
    resource_version: str
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]  # empty where none was written yet

    def status_patch(self, entry: Entry) -> dict[str, Any]:
        """Return what to merge into the status; empty where it says all of it."""
        return merge_patch(self.status, to_status(entry))

    def label_patch(self, entry: Entry) -> dict[str, Any]:
        """Return what to merge into the labels; other people's stay."""
        ours = {key: value for key, value in self.labels.items() if key in OUR_LABELS}
        return merge_patch(ours, entry_labels(entry))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An entry as it was read."""

    entry: Entry
    handle: Handle


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A ReleaseTrace of which no entry can be made."""

    error: BadEntryError
    identity: Identity | None  # of the operation, where its spec can be read
    handle: Handle


class LedgerStore:
    """Reads and writes. All its errors are `ApiError`s."""

    def __init__(self, api: LedgerApi, *, namespace: str) -> None:
        self.namespace = namespace
        self._api = api
        self._traces = RELEASE_TRACES.within(namespace)
        self._config_maps = CONFIG_MAPS.within(namespace)
        self._progress: Mapping[str, str] = {}  # the data of the ConfigMap, as last seen

    def explained(self, error: ApiError) -> str:
        """Say in one line what is wrong, and what to do where that is known."""
        return explained(error, namespace=self.namespace)

    async def entries(self, *states: State) -> AsyncGenerator[Stored | Bad, None]:
        """Read what is in one of these states, a page at a time; all where none is named.

        They are found by label. Where a process died between the status and the label, the
        status is the truth, and the label is written at last: the next one who looks for it
        by its state finds it. So it is where a person took the label away, or wrote nonsense
        there: what is not labelled as something else is read too.
        """
        others = ", ".join(labels.state_label(state) for state in State if state not in states)
        selector = f"{labels.STATE} notin ({others})" if states else ""
        async with aclosing(self._list(selector)) as found:
            async for each in found:
                if isinstance(each, Bad):
                    yield each
                    continue
                patch = each.handle.label_patch(each.entry)
                if patch and states:
                    with suppress(ApiError):  # the next one who comes by does it
                        handle = await self.write_labels(each.handle, patch)
                        each = replace(each, handle=handle)  # noqa: PLW2901
                if not states or each.entry.state in states:
                    yield each

    async def of_release(self, key: ReleaseKey) -> list[Stored]:
        """Read all entries of a release that can be read."""
        named = {labels.RELEASE_NAMESPACE: key.namespace, labels.RELEASE_NAME: key.name}
        # What is no valid value has no label, and a selector with it would be refused.
        selector = ",".join(f"{k}={v}" for k, v in named.items() if labels.VALUE.fullmatch(v))
        async with aclosing(self._list(selector)) as found:
            return [
                each
                async for each in found
                if isinstance(each, Stored) and each.entry.operation.release == key
            ]

    async def read(self, name: str) -> Stored | Bad | None:
        """Read one; None where there is none of this name."""
        try:
            return self._parsed(await self._api.get(f"{self._traces.path}/{name}"))
        except ApiError as error:
            if is_absent(error):
                return None
            raise

    async def create(self, entry: Entry) -> Handle:
        """Create it. The API drops a new object's status: an annotation holds it meanwhile.

        Whoever dies before the status is written has begun it all the same.

        Raises:
            ConflictError: there is one of this name, maybe.

        """
        body = to_object(entry, namespace=self.namespace)
        del body["status"]
        return self._handle(await self._send("POST", self._traces.path, body))

    async def write_status(self, handle: Handle, patch: Mapping[str, Any]) -> Handle:
        """Merge into the status.

        Raises:
            ConflictError: somebody has changed the object since `handle`.

        """
        return await self._patch(handle, {"status": patch}, subresource="/status")

    async def write_labels(self, handle: Handle, patch: Mapping[str, Any]) -> Handle:
        """Merge into the labels; raises as `write_status`. There is a status by now."""
        annotations = {FIRST_STATUS: None}
        return await self._patch(
            handle, {"metadata": {"labels": patch, "annotations": annotations}}
        )

    async def write_unreadable(self, bad: Bad, *, now: datetime) -> None:
        """Say in the object itself why it is left alone; all else in it stays."""
        status = unreadable_status(str(bad.error), now=now)
        handle = await self.write_status(bad.handle, status)
        await self.write_labels(handle, {labels.STATE: labels.state_label(State.UNREADABLE)})

    async def delete(self, handle: Handle) -> None:
        """Delete it, but not another one of its name; it may be gone already."""
        path = f"{self._traces.path}/{handle.name}"
        try:
            await self._send("DELETE", path, delete_options(handle.uid))
        except ApiError as error:
            if not is_absent(error):
                raise

    def entry_of(self, handle: Handle) -> Entry:
        """Make the entry that everybody will read from now on.

        Raises:
            BadEntryError: the apiserver left out what its CRD does not know.

        """
        meta = {"name": handle.name, "namespace": self.namespace}
        return parse_entry({"metadata": meta, "spec": handle.spec, "status": handle.status})

    async def load_progress(self) -> tuple[Progress, list[str]]:
        """Read how far the cluster was read, and what of that cannot be used."""
        try:
            answer = await self._api.get(f"{self._config_maps.path}/{CONFIG_MAP}")
        except ApiError as error:
            if not is_absent(error):
                raise
            self._progress = {}
            return Progress(), []
        self._progress = texts(answer, "data")
        return parse_progress(answer)

    async def save_progress(self, progress: Progress) -> Progress:
        """Write what of it is new; nothing where nothing is.

        Raises:
            ConflictError: somebody else wrote it since it was read. Read it again first.

        """
        data = dump_progress(progress)
        version = progress.resource_version
        if version is not None:
            patch = merge_patch(self._progress, data)
            if not patch:
                return progress
            body = {"metadata": {"resourceVersion": version}, "data": patch}
            path = f"{self._config_maps.path}/{CONFIG_MAP}"
            try:
                answer = await self._send("PATCH", path, body, content_type=MERGE_PATCH)
            except ApiError as error:
                if not is_absent(error):
                    raise
                version = None  # deleted by hand
        if version is None:
            meta = {"name": CONFIG_MAP, "namespace": self.namespace}
            new = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            answer = await self._send("POST", self._config_maps.path, new)
        self._progress = data
        return replace(progress, resource_version=str(metadata(answer)["resourceVersion"]))

    async def _list(self, selector: str) -> AsyncGenerator[Stored | Bad, None]:
        async with aclosing(
            list_pages(self._api, replace(self._traces, label_selector=selector))
        ) as pages:
            async for page in pages:
                for item in page.items:
                    yield self._parsed(item)

    async def _patch(
        self, handle: Handle, patch: Mapping[str, Any], *, subresource: str = ""
    ) -> Handle:
        meta = {**patch.get("metadata", {}), "resourceVersion": handle.resource_version}
        path = f"{self._traces.path}/{handle.name}{subresource}"
        body = {**patch, "metadata": meta}
        return self._handle(await self._send("PATCH", path, body, content_type=MERGE_PATCH))

    async def _send(
        self, method: Method, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Mapping[str, Any]:
        answer = await self._api.send(method, path, body, content_type=content_type)
        if not isinstance(answer, Mapping):
            raise BadAnswerError(f"{method} {path}", reason="the answer is no object")
        return answer

    def _parsed(self, item: Mapping[str, Any]) -> Stored | Bad:
        handle = self._handle(item)
        try:
            return Stored(entry=parse_entry(item), handle=handle)
        except BadEntryError as error:
            bad = error
        try:
            identity = identity_of_spec(item)
        except BadEntryError:
            identity = None
        return Bad(error=bad, identity=identity, handle=handle)

    def _handle(self, item: Mapping[str, Any]) -> Handle:
        meta = metadata(item)
        name, uid, version = (meta.get(key) for key in ("name", "uid", "resourceVersion"))
        if not (isinstance(name, str) and isinstance(uid, str) and isinstance(version, str)):
            raise BadAnswerError(
                f"read {self._traces}", reason="an object without name, uid or version"
            )
        return Handle(
            name=name,
            uid=uid,
            resource_version=version,
            labels=texts(meta, "labels"),
            spec=mapping(item, "spec"),
            status=mapping(item, "status"),
        )
