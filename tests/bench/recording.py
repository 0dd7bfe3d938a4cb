"""A long recording: the bundled delivery many times over, one begun each second."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from helmwake.facts.payload import unpack_object
from helmwake.recording.release_shape import pack_object
from tests.demo.delivery import NAMESPACE
from tests.demo.record import BUNDLED

UID: Final = re.compile(r'"uid":"([0-9a-f-]{36})"')
WHOLE_SECONDS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
EVERY: Final = timedelta(seconds=1)


def write(file: Path, *, copies: int) -> int:
    """Write copies of the delivery, in the order of their times; return how many lines."""
    originals = [json.loads(line) for line in BUNDLED.read_text(encoding="utf-8").splitlines()]
    delivery = [line for line in originals if line["object"]["metadata"].get("namespace")]
    lines = [
        (datetime.fromisoformat(line["time"]) + number * EVERY, number, index)
        for number in range(copies)
        for index, line in enumerate(delivery)
    ]
    with file.open("w", encoding="utf-8") as out:
        for _, number, index in sorted(lines):
            out.write(copied(delivery[index], number) + "\n")
    return len(lines)


def copied(line: dict[str, Any], number: int) -> str:
    """Move a line to another namespace and time, with uids of its own; the payload too."""
    obj = line["object"]
    if "data" in obj:
        release = json.loads(moved(json.dumps(unpack_object(obj)), number))
        obj = pack_object(obj, release)
    return moved(json.dumps(line | {"object": obj}), number)


def moved(text: str, number: int) -> str:
    text = text.replace(f'"{NAMESPACE}"', f'"{NAMESPACE}-{number}"').replace('": "', '":"')
    text = UID.sub(lambda found: f'"uid":"{other(found[1], number)}"', text)
    return WHOLE_SECONDS.sub(lambda found: later(found[0], number), text)


def other(uid: str, number: int) -> str:
    digest = hashlib.md5(f"{uid}{number}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def later(time: str, number: int) -> str:
    return (datetime.fromisoformat(time) + number * EVERY).isoformat(timespec="seconds")
