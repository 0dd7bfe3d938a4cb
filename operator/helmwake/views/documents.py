"""Operations as JSON, for scripts. Times are RFC 3339 in UTC; a key without a value is left out.

| key | says |
|---|---|
| `namespace`, `release`, `revision`, `operation` | which it is |
| `started`, `ended`, `durationSeconds` | when; what runs has no end |
| `result` | success, failure, timeout, error, cancellation, skip; `running`; `unknown`: \
it was followed no more |
| `error`, `cause` | why, from a closed set and in words; of what runs, as far as known |
| `keptn` | `context`, `inherited`, `project`, `stage`, `service` |
| `chart` | `name`, `version`, `appVersion` |
| `traceId` | 32 hex digits, as in the backend |
| `delivery` | `state`, `time`, `to`, `problem` |
| `children` | Helm's own part, hooks and rollouts: `name`, `kind` (apply, hook, rollout), \
`started`, `ended`, `result`, `error`, `cause` |
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from helmwake.ledger.entry import Entry
from helmwake.telemetry import semconv
from helmwake.telemetry.spans import Span
from helmwake.views.entries import ending, entry_trace
from helmwake.views.verdict import result


def document(entry: Entry) -> dict[str, Any]:
    """Make an operation's document."""
    operation, end = entry.operation, ending(entry)
    trace = entry_trace(entry)
    root, keptn, chart = trace.root, operation.keptn, operation.chart
    return _known(
        {
            "namespace": root.attributes[semconv.NAMESPACE.name],
            "release": operation.release.name,
            "revision": operation.revision,
            "operation": operation.kind.value,
            "started": _time(operation.started),
            "ended": _time(root.end),
            "durationSeconds": _seconds(root),
            "result": end.result,
            "error": end.error,
            "cause": end.cause,
            "keptn": _known(
                {
                    "context": keptn.context,
                    "inherited": operation.inherited_context if keptn.context else None,
                    "project": keptn.project,
                    "stage": keptn.stage,
                    "service": keptn.service,
                }
            ),
            "chart": _known(
                {
                    "name": chart.name,
                    "version": chart.version,
                    "appVersion": chart.app_version,
                }
            )
            if chart
            else None,
            "traceId": entry.trace_id,
            "delivery": _known(
                {
                    "state": entry.state.value,
                    "time": _time(entry.delivered),
                    "to": entry.delivered_to,
                    "problem": entry.problem,
                }
            ),
            "children": [_child(span) for span in trace.spans[1:]],
        }
    )


def _child(span: Span) -> dict[str, Any]:
    return _known(
        {
            "name": span.name,
            "kind": span.name.partition(" ")[0],
            "started": _time(span.start),
            "ended": _time(span.end),
            "result": result(span),
            "error": span.attributes.get(semconv.ERROR_TYPE.name),
            "cause": span.description,
        }
    )


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _time(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else None


def _seconds(root: Span) -> float | None:
    return round((root.end - root.start).total_seconds(), 3) if root.end else None
