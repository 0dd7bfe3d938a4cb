"""A long recording: the bundled delivery many times over, all at once, each in its namespace."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from helmwake.facts.payload import unpack_object
from helmwake.recording.release_shape import pack_object
from tests.demo.delivery import NAMESPACE
from tests.demo.record import BUNDLED

UID: Final = re.compile(r'"uid":"([0-9a-f-]{36})"')


def write(file: Path, *, copies: int) -> int:
    """Write copies of every line, side by side; return how many lines there are."""
    originals = [json.loads(line) for line in BUNDLED.read_text(encoding="utf-8").splitlines()]
    delivery = [line for line in originals if line["object"]["metadata"].get("namespace")]
    with file.open("w", encoding="utf-8") as out:
        for line in delivery:
            for number in range(copies):
                out.write(copied(line, number) + "\n")
    return len(delivery) * copies


def copied(line: dict[str, Any], number: int) -> str:
    """Move a line to another namespace, with uids of its own; the payload too."""
    obj = line["object"]
    name = f"{NAMESPACE}-{number}"
    if "data" in obj:
        obj = pack_object(obj, unpack_object(obj) | {"namespace": name})
    text = json.dumps(line | {"object": obj}, separators=(",", ":"))
    text = text.replace(f'"namespace":"{NAMESPACE}"', f'"namespace":"{name}"')
    text = text.replace(
        f'"meta.helm.sh/release-namespace":"{NAMESPACE}"',
        f'"meta.helm.sh/release-namespace":"{name}"',
    )
    return UID.sub(lambda found: f'"uid":"{other(found[1], number)}"', text)


def other(uid: str, number: int) -> str:
    digest = hashlib.md5(f"{uid}{number}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
