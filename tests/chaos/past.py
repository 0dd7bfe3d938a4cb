"""A cluster's history from before anyone looked: Helm's records with creation times of old.

The API dates what is created itself, so they are written where it keeps them, in etcd.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import urllib.request
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.bench.store import Revision, secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.controlplane.cluster import ControlPlane

RELEASES: Final = 20
NAMESPACES: Final = 2
REVISIONS: Final = 10  # of each release
RECENT: Final = 3  # of these
LONG_AGO: Final = timedelta(hours=30)
NOT_LONG_AGO: Final = timedelta(hours=4)
TOOK: Final = timedelta(seconds=20)
STEP: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A revision, and when it was deployed."""

    revision: Revision
    at: datetime
    is_recent: bool

    @property
    def key(self) -> tuple[str, str, int]:
        return self.revision.namespace, self.revision.release, self.revision.number


def history(name: str, *, now: datetime) -> list[Old]:
    """Two hundred revisions: of each release the last three within a day."""
    return list(_history(name, now=now))


def namespaces(past: Iterable[Old]) -> list[str]:
    return sorted({old.revision.namespace for old in past})


def write(cluster: ControlPlane, past: Iterable[Old], *, labels: Mapping[str, str]) -> None:
    """Make the namespaces, and the records in them."""
    past, noise = list(past), random.Random(1)
    for namespace in namespaces(past):
        cluster.create_namespace(namespace, labels=labels)
    etcd = f"{cluster._etcd.url}/v3/kv/put"
    for old in past:
        record = _dated(secret(old.revision, noise=noise), old)
        meta = record["metadata"]
        key = f"/registry/secrets/{meta['namespace']}/{meta['name']}"
        put = {"key": _base64(key.encode()), "value": _base64(json.dumps(record).encode())}
        with urllib.request.urlopen(  # noqa: S310 - our own etcd
            etcd, data=json.dumps(put).encode(), timeout=10
        ):
            pass


def _history(name: str, *, now: datetime) -> Iterator[Old]:
    for index in range(RELEASES):
        for number in range(1, REVISIONS + 1):
            is_recent = number > REVISIONS - RECENT
            at = now - (NOT_LONG_AGO if is_recent else LONG_AGO) + number * STEP
            yield Old(
                revision=Revision(
                    namespace=f"{name}-{index % NAMESPACES}",
                    release=f"service-{index:02}",
                    number=number,
                    is_last=number == REVISIONS,
                ),
                at=at.replace(microsecond=0),
                is_recent=is_recent,
            )


def _dated(record: dict[str, Any], old: Old) -> dict[str, Any]:
    """Let a record be as old as it is to be, by every clock that it shows."""
    # What is deployed no more was written last when the revision after it was.
    written = old.at + TOOK + (timedelta(0) if old.revision.is_last else STEP)
    record["metadata"] |= {
        "uid": str(uuid.uuid4()),
        "creationTimestamp": f"{old.at:%Y-%m-%dT%H:%M:%SZ}",
        "managedFields": [
            {
                "manager": "Helm",
                "operation": "Update",
                "apiVersion": "v1",
                "time": f"{written:%Y-%m-%dT%H:%M:%SZ}",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:type": {}},
            }
        ],
    }
    packed = base64.b64decode(base64.b64decode(record["data"]["release"]))
    release = json.loads(gzip.decompress(packed))
    first = old.at - (old.revision.number - 1) * STEP
    release["info"] |= {"first_deployed": first.isoformat(), "last_deployed": old.at.isoformat()}
    packed = gzip.compress(json.dumps(release).encode(), compresslevel=0)
    record["data"]["release"] = _base64(_base64(packed).encode())
    return {"apiVersion": "v1", "kind": "Secret", **record}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
