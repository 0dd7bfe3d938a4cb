"""What arrived, by what it tells of: each operation's root, each span's contents."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.chaos.sink import Arrived

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A root span, however often it arrived."""

    namespace: str
    release: str
    kind: str
    revision: int
    trace: str
    started: datetime
    ended: datetime
    context: str | None
    bounded: bool
    arrivals: int

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.namespace}/{self.release} revision {self.revision}, "
            f"{self.started:%H:%M:%S.%f}..{self.ended:%H:%M:%S.%f}, trace {self.trace}"
        )

    @property
    def key(self) -> tuple[str, str, int]:
        return self.namespace, self.kind, self.revision


def roots(arrived: Iterable[Arrived]) -> list[Root]:
    """Return each root once."""
    found: dict[tuple[str, str], list[Arrived]] = defaultdict(list)
    for each in arrived:
        if each.is_root:
            found[each.id].append(each)
    return sorted(map(_root, found.values()), key=lambda root: root.started)


def faults(arrived: Sequence[Arrived]) -> list[str]:
    """Tell what is wrong with what arrived, whatever it tells of."""
    said: list[str] = []
    contents: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    of_trace: dict[str, set[tuple[str, str]]] = defaultdict(set)
    sizes: dict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    for each in arrived:
        contents[each.id].add(each.content)
        sizes[each.trace, each.request].add(each.id)
        of_trace[each.trace].update({each.id} if each.is_root else ())
    names = {
        each.id: f"{each.span.name} of {each.resource['cicd.pipeline.name']}" for each in arrived
    }
    for span, variants in contents.items():
        if len(variants) > 1:
            said.append(f"{names[span]} {span}: sent with {len(variants)} different contents")
    for trace, its_roots in of_trace.items():
        if len(its_roots) != 1:
            said.append(f"trace {trace} has {len(its_roots)} roots")
    whole: dict[str, set[frozenset[tuple[str, str]]]] = defaultdict(set)
    for (trace, _), spans in sizes.items():
        whole[trace].add(frozenset(spans))
    for trace, variants_of_trace in whole.items():
        if len(variants_of_trace) > 1:
            said.append(f"trace {trace} was sent with different spans in it")
    return said


def _root(arrivals: Sequence[Arrived]) -> Root:
    first = arrivals[0]
    attributes, span = first.attributes, first.span
    namespace, _, release = str(first.resource["cicd.pipeline.name"]).partition("/")
    return Root(
        namespace=namespace,
        release=release,
        kind=str(attributes["helm.release.operation"]),
        revision=int(attributes["helm.release.revision"]),
        trace=first.trace,
        started=_time(span.start_time_unix_nano),
        ended=_time(span.end_time_unix_nano),
        context=attributes.get("keptn.context"),
        bounded=bool(attributes.get("helmwake.time.bounded", False)),
        arrivals=len(arrivals),
    )


def _time(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)
