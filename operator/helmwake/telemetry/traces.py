"""Operation -> trace: which spans there are, and what each says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from helmwake.lifecycle.operation import HookRunState, Operation, OperationKind, Rollout
from helmwake.lifecycle.outcome import Outcome
from helmwake.telemetry import semconv
from helmwake.telemetry.ids import (
    own_trace_id,
    root_context,
    run_id,
    span_id,
)
from helmwake.telemetry.semconv import Key
from helmwake.telemetry.spans import (
    Attributes,
    AttributeValue,
    Kind,
    Level,
    Link,
    Span,
    SpanContext,
    Trace,
)
from helmwake.version import VERSION

MAX_VALUE_CHARACTERS: Final = 1024
MAX_DESCRIPTION_CHARACTERS: Final = 256
MAX_SPANS: Final = 1000
MAX_LINKS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The cluster's identity, as far as known."""

    uid: str | None = None
    name: str | None = None


def build_trace(
    operation: Operation, cluster: Cluster, *, version: str = VERSION, omitted: int = 0
) -> Trace:
    """Build the operation's spans; those that still run have no end.

    A span never ends before it starts, and a child never leaves its parent's time.
    `version` is that of the helmwake that closed the operation: a newer one that sends the trace
    again says the same. `omitted` spans were left out before.
    """
    common = _common(operation)
    root = _root(operation, common)
    children: list[Span] = []
    if operation.kind.deploys:
        children.append(_apply(operation, common, root))
    children += [_hook(operation, run, common, root) for run in operation.hooks]
    children += [_rollout(operation, rollout, common, root) for rollout in operation.rollouts]
    children.sort(key=lambda span: span.start)
    omitted += max(len(children) - (MAX_SPANS - 1), 0)
    if omitted:
        root = replace(root, attributes={**root.attributes, semconv.OMITTED.name: omitted})
    resource = _resource(operation, cluster, version)
    return Trace(resource=resource, spans=(root, *children[: MAX_SPANS - 1]))


def _resource(operation: Operation, cluster: Cluster, version: str) -> Attributes:
    return _attributes(
        {
            semconv.SERVICE_NAME: "helmwake",
            semconv.SERVICE_VERSION: version,
            semconv.CLUSTER_UID: cluster.uid,
            semconv.CLUSTER_NAME: cluster.name,
            semconv.PIPELINE_NAME: pipeline_name(operation),
            semconv.PIPELINE_RUN_ID: run_id(operation),
        }
    )


def pipeline_name(operation: Operation) -> str:
    return f"{_namespace(operation)}/{operation.release.name}"


def _namespace(operation: Operation) -> str:
    """The release's namespace, which need not be its records'."""
    payload = operation.payload
    return payload.namespace if payload else operation.release.namespace


def _common(operation: Operation) -> dict[Key, AttributeValue | None]:
    keptn = operation.keptn
    return {
        semconv.RELEASE_NAME: operation.release.name,
        semconv.RELEASE_REVISION: operation.revision,
        semconv.RELEASE_OPERATION: operation.kind.value,
        semconv.KEPTN_CONTEXT: keptn.context,
        semconv.KEPTN_INHERITED: operation.inherited_context or None,
        semconv.KEPTN_PROJECT: keptn.project,
        semconv.KEPTN_STAGE: keptn.stage,
        semconv.KEPTN_SERVICE: keptn.service,
    }


def _root(operation: Operation, common: Mapping[Key, AttributeValue | None]) -> Span:
    outcome = operation.outcome
    chart, payload, stage = operation.chart, operation.payload, operation.keptn.stage
    names = {rollout.names for rollout in operation.rollouts}
    name = names.pop() if len(names) == 1 else None
    parent = operation.parent
    return Span(
        name=f"{operation.kind} {pipeline_name(operation)}",
        kind=Kind.SERVER,  # as semantic conventions ask of a pipeline run
        context=root_context(operation),
        parent=None
        if parent is None
        else SpanContext(trace_id=int(parent.trace_id, 16), span_id=int(parent.span_id, 16)),
        parent_is_remote=parent is not None,
        start=operation.started,
        end=_not_before(operation.started, operation.ended),
        attributes=_attributes(
            {
                **common,
                semconv.PIPELINE_NAME: pipeline_name(operation),
                semconv.PIPELINE_RUN_ID: run_id(operation),
                semconv.PIPELINE_RESULT: outcome.result.value if outcome else None,
                semconv.ERROR_TYPE: _error(outcome),
                semconv.NAMESPACE: _namespace(operation),
                semconv.RELEASE_STATUS: operation.status.value,
                semconv.ROLLBACK_REVISION: payload.rollback_revision
                if payload and operation.kind is OperationKind.ROLLBACK
                else None,
                semconv.CHART_NAME: chart.name if chart else None,
                semconv.CHART_VERSION: chart.version if chart else None,
                semconv.CHART_APP_VERSION: chart.app_version if chart else None,
                semconv.ENVIRONMENT: semconv.ENVIRONMENTS.get(stage, stage) if stage else None,
                semconv.COMMIT: operation.tags.commit,
                semconv.KEPTN_APP: name.app if name else None,
                semconv.KEPTN_WORKLOAD: name.workload if name else None,
                semconv.KEPTN_WORKLOAD_VERSION: name.version if name else None,
                semconv.BOUNDED: operation.bounded or None,
                semconv.HISTORY: operation.history or None,
            }
        ),
        level=_level(outcome),
        description=_description(outcome),
        links=_links(operation)[:MAX_LINKS],
    )


def _links(operation: Operation) -> tuple[Link, ...]:
    links = []
    upstream = operation.tags.traceparent
    if upstream is not None and operation.parent is None:
        # Unsampled, or another operation's parent already: a trace of its own links to it.
        caller = SpanContext(
            trace_id=int(upstream.trace_id, 16), span_id=int(upstream.span_id, 16)
        )
        links.append(_link(caller, "upstream"))
    previous = operation.previous
    if previous is not None:
        trace = int(previous.parent.trace_id, 16) if previous.parent else own_trace_id(previous.id)
        context = SpanContext(trace_id=trace, span_id=span_id(previous.id))
        remedies = previous.failed and _may_remedy(operation.kind, previous.id.kind)
        links.append(_link(context, "remedied" if remedies else "previous", likely=remedies))
    return tuple(links)


def _may_remedy(kind: OperationKind, failed: OperationKind) -> bool:
    """Tell whether it may take the failed operation back: that is likely, and never stored."""
    if kind is OperationKind.UNINSTALL:
        return failed is OperationKind.INSTALL
    return kind is OperationKind.ROLLBACK and failed.deploys


def _link(context: SpanContext, kind: str, *, likely: bool = False) -> Link:
    attributes = _attributes({semconv.LINK_TYPE: kind, semconv.LINK_LIKELY: likely or None})
    return Link(context=context, attributes=attributes)


def _apply(operation: Operation, common: Mapping[Key, AttributeValue | None], root: Span) -> Span:
    """Helm's own part, from `pending-*` until it is settled."""
    own = operation.helm_outcome if operation.helm_ended else None
    return _task(
        operation,
        root,
        key=("apply",),
        name="apply",
        task="apply",
        span=(operation.started, operation.helm_ended),
        outcome=own,
        attributes=common,
    )


def _hook(
    operation: Operation,
    run: HookRunState,
    common: Mapping[Key, AttributeValue | None],
    root: Span,
) -> Span:
    return _task(
        operation,
        root,
        # By the client's clock: the same whenever it is read.
        key=("hook", run.name, run.started_at.isoformat()),
        name=f"hook {run.event} {run.name}",
        task=run.name,
        span=(run.started, run.ended),
        outcome=run.outcome,
        attributes={
            **common,
            semconv.HOOK_EVENT: run.event,
            semconv.JOB_NAME: run.name if run.kind == "Job" else None,
            semconv.POD_NAME: run.name if run.kind == "Pod" else None,
        },
    )


def _rollout(
    operation: Operation,
    rollout: Rollout,
    common: Mapping[Key, AttributeValue | None],
    root: Span,
) -> Span:
    names = rollout.names
    return _task(
        operation,
        root,
        key=("rollout", rollout.uid),
        name=f"rollout {rollout.key}",
        task=str(rollout.key),
        span=(rollout.started, rollout.ended),
        outcome=rollout.outcome,
        attributes={
            **common,
            semconv.NAMESPACE: rollout.key.namespace,
            semconv.DEPLOYMENT_NAME: rollout.key.name,
            semconv.DEPLOYMENT_UID: rollout.uid,
            semconv.KEPTN_APP: names.app if names else None,
            semconv.KEPTN_WORKLOAD: names.workload if names else None,
            semconv.KEPTN_WORKLOAD_VERSION: names.version if names else None,
        },
    )


def _task(
    operation: Operation,
    root: Span,
    *,
    key: tuple[str, ...],
    name: str,
    task: str,
    span: tuple[datetime, datetime | None],
    outcome: Outcome | None,
    attributes: Mapping[Key, AttributeValue | None],
) -> Span:
    start, end = _within(root, *span)
    own_id = span_id(operation.id, *key)
    return Span(
        name=name[:MAX_VALUE_CHARACTERS],
        context=SpanContext(trace_id=root.context.trace_id, span_id=own_id),
        parent=root.context,
        start=start,
        end=end,
        attributes=_attributes(
            {
                **attributes,
                semconv.TASK_NAME: task,
                semconv.TASK_RUN_ID: f"{own_id:016x}",
                semconv.TASK_RESULT: outcome.result.value if outcome else None,
                semconv.ERROR_TYPE: _error(outcome),
            }
        ),
        level=_level(outcome),
        description=_description(outcome),
    )


def _within(root: Span, start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
    """Keep a child in its parent's time: clocks differ, and some times are whole seconds."""
    start = max(start, root.start)
    if root.end is None:
        return start, _not_before(start, end)
    start = min(start, root.end)
    return start, min(max(end or root.end, start), root.end)


def _not_before(start: datetime, end: datetime | None) -> datetime | None:
    return max(start, end) if end is not None else None


def _error(outcome: Outcome | None) -> str | None:
    return outcome.error.value if outcome and outcome.error else None


def _level(outcome: Outcome | None) -> Level:
    return Level.ERROR if outcome is not None and outcome.bad else Level.UNSET


def _description(outcome: Outcome | None) -> str | None:
    if outcome is None or not outcome.bad:
        return None
    return outcome.message[:MAX_DESCRIPTION_CHARACTERS] or None


def _attributes(values: Mapping[Key, AttributeValue | None]) -> Attributes:
    return {
        key.name: value[:MAX_VALUE_CHARACTERS] if isinstance(value, str) else value
        for key, value in values.items()
        if value is not None
    }
