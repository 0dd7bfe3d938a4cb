"""Whose child a trace is, and what it links to."""

from dataclasses import replace

from tests.telemetry.operations import UPSTREAM, good_upgrade, remedy, uninstalled

from helmwake.facts.helm import Tags
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.ids import own_trace_id, root_context
from helmwake.telemetry.spans import Span, SpanContext
from helmwake.telemetry.traces import Cluster, build_trace

CALLER = SpanContext(trace_id=int(UPSTREAM.trace_id, 16), span_id=int(UPSTREAM.span_id, 16))


def root(operation: Operation) -> Span:
    return build_trace(operation, Cluster()).root


def links(operation: Operation) -> dict[object, SpanContext]:
    return {link.attributes["helmwake.link.type"]: link.context for link in root(operation).links}


def test_a_callers_span_is_the_remote_parent_and_gives_the_trace_id() -> None:
    operation = good_upgrade(Tags(traceparent=UPSTREAM))

    assert root(operation).parent == CALLER
    assert root(operation).parent_is_remote
    assert root(operation).context.trace_id == CALLER.trace_id
    assert "upstream" not in links(operation)


def test_the_run_keeps_a_name_of_its_own_below_a_caller() -> None:
    operation = good_upgrade(Tags(traceparent=UPSTREAM))

    run = root(operation).attributes["cicd.pipeline.run.id"]
    assert run == f"{own_trace_id(operation.id):032x}"
    assert run != UPSTREAM.trace_id


def test_below_one_caller_each_operation_has_a_span_of_its_own() -> None:
    tags = Tags(traceparent=UPSTREAM)
    first = good_upgrade(tags)
    second = replace(first, id=replace(first.id, uid="uid-other"))

    assert root(first).context.trace_id == root(second).context.trace_id
    assert root(first).context.span_id != root(second).context.span_id


def test_an_unsampled_caller_is_a_link_and_the_operation_is_traced_all_the_same() -> None:
    operation = good_upgrade(Tags(traceparent=replace(UPSTREAM, sampled=False)))

    assert root(operation).parent is None
    assert not root(operation).parent_is_remote
    assert root(operation).context.trace_id == own_trace_id(operation.id)
    assert links(operation)["upstream"] == CALLER


def test_a_stale_caller_is_a_link() -> None:
    tags = Tags(traceparent=UPSTREAM)
    operation = good_upgrade(tags, before=tags)

    assert root(operation).parent is None
    assert root(operation).context.trace_id == own_trace_id(operation.id)
    assert links(operation)["upstream"] == CALLER


def test_it_links_to_the_operation_before() -> None:
    operation = uninstalled()
    assert operation.previous is not None

    previous = links(operation)["previous"]
    assert previous.trace_id == own_trace_id(operation.previous.id)


def test_a_link_leads_to_where_the_operation_before_really_is() -> None:
    """Its trace id is its caller's where it had one."""
    first = good_upgrade(Tags(traceparent=UPSTREAM))
    later = replace(uninstalled(), previous=first.as_predecessor())

    assert links(later)["previous"] == root_context(first) == root(first).context


def test_a_remedy_links_to_what_it_remedies() -> None:
    failed, rollback = remedy()

    assert links(rollback)["remedied"] == root(failed).context
    assert "previous" not in links(rollback)


def test_the_first_operation_links_to_nothing() -> None:
    assert root(replace(good_upgrade(), previous=None)).links == ()
