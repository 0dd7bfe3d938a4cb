"""What `kubectl get -o json` writes: a List is a state, in no order that tells a story."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from helmwake.facts.helm import RECORD_NAME, is_record
from helmwake.facts.meta import metadata
from helmwake.recording.lines import MIB

MAX_LIST_BYTES: Final = 512 * MIB
PARTIAL: Final = "PartialObjectMetadata"

Order = tuple[int, str, str, int]


@dataclass(frozen=True, slots=True)
class ListItem:
    line: int
    object: Mapping[str, Any]


@dataclass(slots=True)
class HeldList:
    """A List's items, held until all are known, since only then they can be put in order."""

    items: list[ListItem] = field(default_factory=list)
    size: int = 0

    def add(self, item: ListItem, *, size: int) -> None:
        self.items.append(item)
        self.size += size

    @property
    def full(self) -> bool:
        return self.size > MAX_LIST_BYTES

    def take(self, shell: Mapping[str, Any]) -> Iterator[ListItem]:
        """Hand out all items in order: namespaces, records by revision, then workloads.

        `shell` is the List without its items, whose kind names theirs where they do not.
        """
        named = [ListItem(item.line, _with_kind(item.object, shell)) for item in self.items]
        self.items = []
        self.size = 0
        yield from sorted(named, key=lambda item: _order(item.object))


def _with_kind(obj: Mapping[str, Any], shell: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = obj.get("kind")
    if kind is None:
        # The API's own SecretList has items without kind, kubectl's List has them with.
        kind = str(shell.get("kind") or "").removesuffix("List")
    if kind == PARTIAL and is_record(obj):
        kind = "Secret"
    return {**obj, "kind": kind} if kind else obj


def _order(obj: Mapping[str, Any]) -> Order:
    meta = metadata(obj)
    record = RECORD_NAME.fullmatch(str(meta.get("name")))
    if obj.get("kind") == "Namespace":
        return (0, "", "", 0)
    if record and is_record(obj):
        return (1, str(meta.get("namespace")), record[1], int(record[2][:18]))
    return (2, "", "", 0)
