"""Trace and span ids: derived, never random, so that whoever sees an operation names it alike.

Nothing of the cluster goes in, and no time that was observed: replay gives the live ids.
"""

import hashlib
from typing import Final

from helmwake.lifecycle.operation import Operation, OperationId
from helmwake.telemetry.spans import SpanContext

TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8
SEPARATOR: Final = "\x1f"  # in no name of Kubernetes or Helm


def trace_id(operation: Operation) -> int:
    """Return the caller's trace id where there is one, else the operation's own."""
    if operation.parent is not None:
        return int(operation.parent.trace_id, 16)
    return own_trace_id(operation.id)


def own_trace_id(operation_id: OperationId) -> int:
    return _derive(TRACE_BYTES, *_parts(operation_id))


def span_id(operation_id: OperationId, *key: str) -> int:
    """Name a span by its operation and by (kind, object uid, phase, ...); no key is the root."""
    return _derive(SPAN_BYTES, *_parts(operation_id), *key)


def root_context(operation: Operation) -> SpanContext:
    return SpanContext(trace_id=trace_id(operation), span_id=span_id(operation.id))


def run_id(operation: Operation) -> str:
    """Return `cicd.pipeline.run.id`: the operation's own trace id, whoever called."""
    return f"{own_trace_id(operation.id):032x}"


def _parts(operation_id: OperationId) -> tuple[str, ...]:
    start = operation_id.start.isoformat() if operation_id.start else ""
    return (operation_id.uid, operation_id.kind, start)


def _derive(size: int, *parts: str) -> int:
    text = SEPARATOR.join(parts).encode()
    salt = 0
    while True:
        digest = hashlib.blake2b(text, digest_size=size, salt=bytes([salt])).digest()
        derived = int.from_bytes(digest, "big")
        if derived:  # zero is no id (W3C Trace Context)
            return derived
        salt += 1
