"""Every operation of Helm's is one root span with its children, found by its Keptn context."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.playing import AFTER_FAILURE

if TYPE_CHECKING:
    from tests.controlplane.commands import HelmVersion
    from tests.e2e.conftest import Performance
    from tests.e2e.counting import Command
    from tests.e2e.expected import Operation
    from tests.e2e.playing import Play
    from tests.e2e.spans import Span

TOLERANCE: Final = timedelta(seconds=2)
# From Helm's end until the pods of a healthy workload are ready, on a busy machine.
ROLLOUT: Final = timedelta(seconds=30)
COMMON: Final = ("helm.release.name", "helm.release.revision", "helm.release.operation")


@pytest.fixture
def play(performance: Performance, name: str, version: HelmVersion) -> Play:
    return performance.play(name, version)


@pytest.fixture
def spans(performance: Performance, play: Play) -> list[Span]:
    return performance.told.of(play)


@pytest.fixture
def roots(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.is_root]


def pairs(play: Play, roots: list[Span]) -> list[tuple[Operation, Span]]:
    """Expectations and what was told, in their order."""
    shown = [(span.name.split()[0], span.operation[1]) for span in roots]
    wanted = [(each.kind, each.revision) for each in play.expected]
    assert shown == wanted
    return list(zip(play.expected, roots, strict=True))


def test_each_operation_of_helm_has_one_root(play: Play, roots: list[Span]) -> None:
    names = Counter(f"{kind} {play.namespace}/cart" for kind in play.counted)

    assert Counter(span.name for span in roots) == names
    assert len({span.context for span in roots}) == len(roots)


def test_each_operation_ends_as_it_did(play: Play, roots: list[Span]) -> None:
    assert [root.verdict for _, root in pairs(play, roots)] == [
        each.verdict for each in play.expected
    ]
    for expected, root in pairs(play, roots):
        assert expected.message in root.description
        if root.failed:
            assert root.description


def test_each_operation_has_its_children(play: Play, roots: list[Span], spans: list[Span]) -> None:
    for expected, root in pairs(play, roots):
        children = [span for span in spans if span.run == root.run and not span.is_root]
        assert {span.name: span.verdict for span in children} == expected.children, root.name
        assert len(children) == len(expected.children), "a child was told twice"
        assert {span.parent for span in children} <= {root.context}
        assert {span.context[0] for span in children} <= {root.context[0]}


def test_status_is_error_on_failure_timeout_and_error_alone(spans: list[Span]) -> None:
    for span in spans:
        bad = span.verdict.split()[0] in {"failure", "timeout", "error"}
        assert span.failed == bad, span
        assert bool(span.description) <= bad, span


def test_each_span_has_the_operations_attributes(
    play: Play, roots: list[Span], spans: list[Span]
) -> None:
    for expected, root in pairs(play, roots):
        context = expected.context or play.context
        for span in (span for span in spans if span.run == root.run):
            assert span["keptn.context"] == context
            assert bool(span["keptn.context.inherited"]) == expected.inherited, span
            assert all(span[key] == root[key] for key in COMMON)
            assert span["helm.release.name"] == "cart"
        for key, value in expected.attributes.items():
            assert root[key] == value, f"{root.name}: {key}"
        assert root["cicd.pipeline.name"] == f"{play.namespace}/cart"
        assert root["k8s.namespace.name"] == play.namespace
        assert root["cicd.pipeline.run.id"] == root.run
        assert root.resource["service.name"] == "helmwake"
        assert root.resource["k8s.cluster.uid"]


def test_caller_is_the_parent_or_linked(play: Play, roots: list[Span]) -> None:
    for expected, root in pairs(play, roots):
        assert root.parent == expected.parent
        if expected.upstream is not None:
            assert expected.upstream in root.links
            assert root.context[0] != expected.upstream[0]
        if expected.links is not None:
            assert len(root.links) == len(expected.links)


def test_a_link_leads_to_the_operation_before(play: Play, roots: list[Span]) -> None:
    for (_, before), (expected, root) in zip(
        pairs(play, roots), pairs(play, roots)[1:], strict=False
    ):
        if set(expected.links or ()) & {"previous", "remedied"}:
            assert before.context in root.links


def test_children_stay_in_their_operations_time(spans: list[Span]) -> None:
    roots = {span.run: span for span in spans if span.is_root}
    for span in spans:
        root = roots[span.run]
        assert root.start <= span.start <= span.end <= root.end, span


def test_times_are_helms(play: Play, roots: list[Span], spans: list[Span]) -> None:
    commands = [(each, n) for each in play.commands if each.observed for n in order(each)]
    for (expected, root), (command, is_last) in zip(pairs(play, roots), commands, strict=True):
        assert command.began - TOLERANCE <= root.start <= command.ended + TOLERANCE, root.name
        # What a client left is ended by a later one.
        until = play.commands[-1].ended if expected.ends_later else command.ended
        apply = [span for span in spans if span.run == root.run and span.name == "apply"]
        for span in apply or [root]:
            assert span.end <= until + TOLERANCE, span
            if is_last and not expected.ends_later:
                assert span.end >= until - TOLERANCE, span
        slack = ROLLOUT if expected.verdict == "success" else AFTER_FAILURE + TOLERANCE
        assert root.end <= until + slack, root


def order(command: Command) -> list[bool]:
    """Tell for each of a command's operations whether it is the last."""
    count = len(command.operations)
    return [number == count for number in range(1, count + 1)]
