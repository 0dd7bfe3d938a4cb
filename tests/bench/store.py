"""A cluster's history of releases, written fast: Helm's own records by raw requests."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tests.controlplane.fixtures import OBSERVED

if TYPE_CHECKING:
    from tests.controlplane.cluster import ControlPlane

REVISIONS_EACH: Final = 10
RELEASES_PER_NAMESPACE: Final = 25
CONCURRENCY: Final = 32
RECORD_BYTES: Final = 45_000  # of a Secret's data, as stored
TYPE: Final = "helm.sh/release.v1"
EVENT_TIME: Final = "2026-01-01T00:00:00.000000000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    namespace: str
    release: str
    number: int
    is_last: bool


def history(revisions: int) -> Iterator[Revision]:
    """Ten revisions of each release, the last of them deployed."""
    for index in range(revisions):
        release, number = divmod(index, REVISIONS_EACH)
        yield Revision(
            namespace=f"team-{release // RELEASES_PER_NAMESPACE:02}",
            release=f"service-{release:03}",
            number=number + 1,
            is_last=number + 1 == REVISIONS_EACH or index + 1 == revisions,
        )


def secret(revision: Revision, *, noise: random.Random) -> dict[str, Any]:
    """Write what Helm writes. Source: helm/helm, pkg/storage/driver/secrets.go."""
    status = "deployed" if revision.is_last else "superseded"
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{revision.release}.v{revision.number}",
            "namespace": revision.namespace,
            "labels": {
                "createdAt": "1767225600",
                "keptn.sh/context": f"{noise.getrandbits(128):032x}",
                "keptn.sh/project": "shop",
                "modifiedAt": "1767225610",
                "name": revision.release,
                "owner": "helm",
                "status": status,
                "version": str(revision.number),
            },
        },
        "type": TYPE,
        "data": {"release": base64.b64encode(payload(revision, status, noise)).decode()},
    }


def payload(revision: Revision, status: str, noise: random.Random) -> bytes:
    """A release as Helm packs it, but for the compression: nobody here unpacks it."""
    times = {"first_deployed": EVENT_TIME, "last_deployed": EVENT_TIME}
    # Base64 adds a third to what noise, two digits for each byte, makes as long as it is to be.
    manifest = noise.randbytes(RECORD_BYTES * 3 // 4 // 2).hex()
    release = {
        "name": revision.release,
        "namespace": revision.namespace,
        "version": revision.number,
        "info": {**times, "status": status, "description": "Upgrade complete"},
        "chart": {"metadata": {"name": "service", "version": "1.0.0", "appVersion": "1.0.0"}},
        "manifest": manifest,
    }
    return base64.b64encode(gzip.compress(json.dumps(release).encode(), compresslevel=0))


async def fill(cluster: ControlPlane, revisions: int) -> None:
    """Create the namespaces, observed, and every record in them."""
    noise = random.Random(1)
    everything = list(history(revisions))
    for name in sorted({each.namespace for each in everything}):
        cluster.create_namespace(name, labels=OBSERVED)
    waiting = iter(everything)
    tls = ssl.create_default_context(cafile=str(cluster.ca_file))
    headers = {"Authorization": f"Bearer {cluster.admin_token}"}
    async with (
        aiohttp.ClientSession(cluster.server, headers=headers) as session,
        asyncio.TaskGroup() as writers,
    ):

        async def write() -> None:
            for revision in waiting:
                path = f"/api/v1/namespaces/{revision.namespace}/secrets?fieldManager=Helm"
                body = secret(revision, noise=noise)
                async with session.post(path, json=body, ssl=tls, raise_for_status=True):
                    pass

        for _ in range(CONCURRENCY):
            writers.create_task(write())
