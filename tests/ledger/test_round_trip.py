"""Nothing that a trace or the lifecycle reads is lost on the way into an object and back."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, Final

import pytest

from helmwake.facts.helm import Record
from helmwake.facts.payload import Payload
from helmwake.ledger.documents import parse_entry, to_object, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import Operation
from helmwake.telemetry.traces import Cluster, build_trace
from tests.ledger.making import LEDGER, entry, full, told

# Fields that no ReleaseTrace has. Anything else must come back as it went in.
LEFT_OUT: Final = {
    (Payload, "hooks"): "their last runs are among the operation's, or read anew",
    (Record, "told_until"): "it speaks of the process that listed it",
    (Payload, "uid"): "it is the operation's",
    (Payload, "revision"): "it is the operation's",
}


def stored(kept: Entry) -> Entry:
    return parse_entry(json.loads(json.dumps(to_object(kept, namespace=LEDGER))))


def parts(value: Any) -> Iterator[Any]:
    """Every dataclass in a value."""
    if is_dataclass(value):
        yield value
        for each in fields(value):
            yield from parts(getattr(value, each.name))
    elif isinstance(value, tuple):
        for each in value:
            yield from parts(each)


def test_every_field_is_kept() -> None:
    """A field that is new must be set in `full()`, and be in the schema or in LEFT_OUT."""
    kept = entry(
        full(),
        state=State.DELIVERED,
        cluster_name="prod",
        delivered=full().started,
        delivered_to="http://collector:4317",
        omitted=2,
        problem="none, really",
    )
    for part in parts(kept):
        for each in fields(part):
            if (type(part), each.name) in LEFT_OUT:
                continue
            default = each.default_factory() if callable(each.default_factory) else each.default
            unset = default is not MISSING and getattr(part, each.name) == default
            assert not unset, f"{type(part).__name__}.{each.name} is not set in full()"

    assert stored(kept) == kept


@pytest.mark.parametrize("operation", told(), ids=lambda operation: operation.kind)
def test_an_operation_comes_back_as_it_was(operation: Operation) -> None:
    payload = operation.payload
    if payload is not None:
        assert payload.uid == operation.id.uid
        assert payload.revision == operation.revision
        payload = replace(payload, hooks=())

    back = stored(entry(operation))

    assert back == replace(entry(operation), operation=replace(operation, payload=payload))


@pytest.mark.parametrize("operation", told(), ids=lambda operation: operation.kind)
def test_its_trace_is_the_same(operation: Operation) -> None:
    back = stored(entry(operation))

    assert build_trace(back.operation, Cluster()) == build_trace(operation, Cluster())


@pytest.mark.parametrize("state", State)
def test_every_state_comes_back(state: State) -> None:
    assert stored(entry(full(), state=state)).state is state


def test_what_is_kept_can_be_known_before_it_is_stored() -> None:
    for operation in (*told(), full()):
        assert stored(entry(operation)) == trimmed(entry(operation))


def test_what_was_read_is_written_as_it_was() -> None:
    for operation in (*told(), full()):
        written = to_object(entry(operation), namespace=LEDGER)

        assert to_object(parse_entry(written), namespace=LEDGER) == written
