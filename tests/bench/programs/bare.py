"""The least there is: one paged list of metadata over aiohttp, parsed, its uids kept."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import Final

import aiohttp

from tests.bench.programs.said import known_for_good

ACCEPT: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE: Final = 500


async def uids(server: str, token: str, ca_file: str) -> set[str]:
    found: set[str] = set()
    headers = {"Authorization": f"Bearer {token}", "Accept": ACCEPT}
    tls = ssl.create_default_context(cafile=ca_file)
    params = {
        "limit": str(PAGE),
        "labelSelector": "owner=helm",
        "fieldSelector": "type=helm.sh/release.v1",
    }
    async with aiohttp.ClientSession(headers=headers) as session:
        while True:
            async with session.get(
                f"{server}/api/v1/secrets", params=params, ssl=tls, raise_for_status=True
            ) as answer:
                page = await answer.json()
            found.update(item["metadata"]["uid"] for item in page["items"])
            if not (token_of_next := page["metadata"].get("continue")):
                return found
            params["continue"] = token_of_next


if __name__ == "__main__":
    known_for_good(len(asyncio.run(uids(*sys.argv[1:]))))
