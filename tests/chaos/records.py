"""Helm's records as the API server tells of them, watched from outside of the operator."""

from __future__ import annotations

import json
import re
import ssl
import threading
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from tests.controlplane.api import Api

SECRETS: Final = "/api/v1/secrets"
OF_HELM: Final = {"labelSelector": "owner=helm", "fieldSelector": "type=helm.sh/release.v1"}
NAME: Final = re.compile(r"sh\.helm\.release\.v1\.(.+)\.v(\d+)")
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
# One watch lives so long: its end is where a stop is noticed.
WATCH_SECONDS: Final = 3
SILENCE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One change of a record."""

    at: datetime
    change: str  # ADDED, MODIFIED or DELETED
    namespace: str
    release: str
    revision: int
    uid: str
    status: str


class RecordWatch:
    """Notes every change from its start on. Leave its `with` block to end it."""

    def __init__(self, api: Api) -> None:
        self._api: Final = api
        self._seen: list[Seen] = []
        self._changed: Final = threading.Condition()
        self._stop: Final = threading.Event()
        self._failure: BaseException | None = None
        self._version = str(api.get(f"{SECRETS}?limit=1")["metadata"]["resourceVersion"])
        self._thread: Final = threading.Thread(target=self._run, name="record watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def seen(self) -> list[Seen]:
        """All changes so far.

        Raises:
            BaseException: the watch has failed, and knows only a part.
        """
        with self._changed:
            if self._failure is not None:
                raise self._failure
            return list(self._seen)

    def wait_for_next(self, *statuses: str, seconds: float) -> bool:
        """Wait for a record to come into one of these states; False if none does in time."""
        with self._changed:
            before = len(self._seen)

            def came() -> bool:
                return any(each.status in statuses for each in self._seen[before:])

            return self._changed.wait_for(came, timeout=seconds)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._watch()
        except BaseException as error:  # noqa: BLE001 - raised to who asks
            self._failure = error

    def _watch(self) -> None:
        query = OF_HELM | {
            "watch": "1",
            "allowWatchBookmarks": "1",
            "timeoutSeconds": str(WATCH_SECONDS),
            "resourceVersion": self._version,
        }
        request = urllib.request.Request(  # noqa: S310 - we made the address ourselves
            f"{self._api.server}{SECRETS}?{urlencode(query)}",
            headers={"Authorization": f"Bearer {self._api.token}", "Accept": METADATA},
        )
        context = ssl.create_default_context(cafile=str(self._api.ca_file))
        with urllib.request.urlopen(  # noqa: S310 - as above
            request, timeout=SILENCE_SECONDS, context=context
        ) as lines:
            for line in lines:
                self._take(json.loads(line))

    def _take(self, event: Any) -> None:
        if event["type"] == "ERROR":
            raise RuntimeError(f"the watch of records ended: {event['object'].get('message')}")
        meta = event["object"]["metadata"]
        self._version = meta["resourceVersion"]
        name = NAME.fullmatch(meta.get("name", ""))
        if name is None:  # a bookmark
            return
        with self._changed:
            self._seen.append(
                Seen(
                    at=datetime.now(UTC),
                    change=event["type"],
                    namespace=meta["namespace"],
                    release=name[1],
                    revision=int(name[2]),
                    uid=meta["uid"],
                    status=meta["labels"]["status"],
                )
            )
            self._changed.notify_all()
