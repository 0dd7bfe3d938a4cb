"""The obvious way: a kopf handler that does nothing but count what it has seen."""

from __future__ import annotations

import sys
from typing import Any

import kopf

from tests.bench.programs.said import known

WANTED = int(sys.argv[1])
seen: set[str] = set()


@kopf.on.event("secrets", labels={"owner": "helm"})
def count(uid: str, **_: Any) -> None:
    seen.add(uid)
    if len(seen) == WANTED:
        known(len(seen))


kopf.run(standalone=True, clusterwide=True)
