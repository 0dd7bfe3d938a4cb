"""JSON documents -> entries: what one line or one item says happened to one object."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeGuard

from helmwake.facts.change import ChangeType, Origin
from helmwake.recording.documents import Document
from helmwake.recording.lists import HeldList, ListItem
from helmwake.recording.problems import Problems
from helmwake.recording.times import latest_time, plausible_time

BOOKMARK: Final = "BOOKMARK"
ERROR: Final = "ERROR"
NOTHING_KNOWN: Final = "neither a watch event, nor a List, nor an object with kind and metadata"
MAX_REASON_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change whose `seen` may still have to be found."""

    line: int
    type: ChangeType
    object: Mapping[str, Any]
    time: datetime | None  # when it was seen, as the line says
    not_before: datetime | None  # as the object's own times say
    origin: Origin


def read_entries(documents: Iterable[Document], problems: Problems) -> Iterator[Entry]:
    """Read watch events, Lists and single objects; what is none of them is told."""
    held = HeldList()
    for document in documents:
        value = document.value
        if document.item:
            held.add(ListItem(document.line, value), size=document.size)
            if held.full:
                problems.report(document.line, "the List is too large to be put in order as one")
                yield from _listed(held, {}, problems)
            continue
        if isinstance(value.get("items"), list) and "object" not in value:
            for item in value["items"]:  # of a List on one line
                held.add(ListItem(document.line, item if isinstance(item, dict) else {}), size=0)
            yield from _listed(held, value, problems)
            continue
        # Items without their List: it was cut off.
        yield from _listed(held, {}, problems)
        if "object" in value:
            yield from _event(document, problems)
        else:
            yield from _objects([ListItem(document.line, value)], problems)
    yield from _listed(held, {}, problems)


def _event(document: Document, problems: Problems) -> Iterator[Entry]:
    value, line = document.value, document.line
    kind, obj = value.get("type"), value.get("object")
    if kind == BOOKMARK:
        return
    if kind == ERROR:
        problems.report(line, f"the watch ended with an error{_reason(obj)}")
        return
    try:
        change = ChangeType(str(kind))
    except ValueError:
        problems.report(line, "type is not ADDED, MODIFIED or DELETED; passed over")
        return
    if not _is_object(obj):
        problems.report(line, "object has no kind or no metadata; passed over")
        return
    time = plausible_time(value.get("time"))
    if time is None and value.get("time") is not None:
        problems.report(line, "time is no RFC 3339 time of our days; the object's own are used")
    yield Entry(
        line=line,
        type=change,
        object=obj,
        time=time,
        not_before=latest_time(obj),
        origin=_origin(value.get("origin")),
    )


def _listed(held: HeldList, shell: Mapping[str, Any], problems: Problems) -> Iterator[Entry]:
    yield from _objects(list(held.take(shell)), problems)


def _objects(items: list[ListItem], problems: Problems) -> Iterator[Entry]:
    """All items were seen at one moment: when the List was asked for, after all their times."""
    times = (latest_time(item.object) for item in items)
    not_before = max((time for time in times if time is not None), default=None)
    for item in items:
        if not _is_object(item.object):
            problems.report(item.line, f"{NOTHING_KNOWN}; passed over")
            continue
        yield Entry(
            line=item.line,
            type=ChangeType.ADDED,
            object=item.object,
            time=None,
            not_before=not_before,
            origin=Origin.RELISTED,
        )


def _is_object(obj: Any) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(obj, dict)
        and isinstance(obj.get("kind"), str)
        and isinstance(obj.get("metadata"), dict)
    )


def _origin(value: object) -> Origin:
    try:
        return Origin(str(value))
    except ValueError:
        return Origin.WATCHED


def _reason(status: Any) -> str:
    """Quote the apiserver's word for it (Expired, Forbidden), which has no content in it."""
    reason = status.get("reason") if isinstance(status, dict) else None
    if not isinstance(reason, str) or not reason.isalpha():
        return ""
    return f" ({reason[:MAX_REASON_CHARACTERS]})"
