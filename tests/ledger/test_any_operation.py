"""Any operation there can be comes back from its ReleaseTrace as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status, Tags
from helmwake.facts.identity import Driver, ReleaseKey, WorkloadKey, WorkloadKind
from helmwake.facts.keptn import KeptnContext, KeptnWorkload, TraceParent
from helmwake.facts.payload import Chart, HookPhase, Payload
from helmwake.ledger.documents import merge_patch, parse_entry, to_object, to_status, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.lifecycle.operation import (
    HookRunState,
    Operation,
    OperationId,
    OperationKind,
    Predecessor,
    Rollout,
)
from helmwake.lifecycle.outcome import ErrorType, Outcome, Result
from helmwake.telemetry.traces import Cluster, build_trace
from tests.ledger.making import LEDGER, entry
from tests.ledger.test_patching import merged
from tests.properties.replaying import replayed
from tests.simulator.strategies import operations as simulated

T = TypeVar("T")
FAST: Final = settings(derandomize=True, database=None, deadline=None)
SLOW: Final = settings(
    FAST,
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TIMES: Final = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis wants it so
    max_value=datetime(2261, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES: Final = st.sampled_from(["cart", "a" * 253, "ü", "null", "0", "true"]) | TEXTS
CONTEXTS: Final = st.builds(
    KeptnContext,
    context=st.none() | TEXTS,
    project=st.none() | NAMES,
    stage=st.none() | NAMES,
    service=st.none() | NAMES,
)
PARENTS: Final = st.builds(
    TraceParent,
    trace_id=st.integers(1, 16**32 - 1).map("{:032x}".format),
    span_id=st.integers(1, 16**16 - 1).map("{:016x}".format),
    sampled=st.booleans(),
)
TAGS: Final = st.builds(
    Tags,
    keptn=CONTEXTS,
    traceparent=st.none() | PARENTS,
    commit=st.none() | NAMES,
    opted_out=st.booleans(),
)
OUTCOMES: Final = st.builds(
    Outcome,
    result=st.sampled_from(Result),
    error=st.none() | st.sampled_from(ErrorType),
    message=TEXTS,
)
IDS: Final = st.builds(
    OperationId, uid=NAMES, kind=st.sampled_from(OperationKind), start=st.none() | TIMES
)
HOOKS: Final = st.builds(
    HookRunState,
    name=NAMES,
    kind=NAMES,
    event=NAMES,
    weight=st.integers(-(2**63), 2**63 - 1),
    started_at=TIMES,
    started=TIMES,
    ended=st.none() | TIMES,
    phase=st.sampled_from(HookPhase),
    outcome=st.none() | OUTCOMES,
)
COUNTS: Final = st.integers(0, 2**31 - 1)
ROLLOUTS: Final = st.builds(
    Rollout,
    key=st.builds(WorkloadKey, st.sampled_from(WorkloadKind), NAMES, NAMES),
    uid=NAMES,
    template=NAMES,
    started=TIMES,
    wanted=COUNTS,
    updated=COUNTS,
    available=COUNTS,
    old=COUNTS,
    cause=st.none() | OUTCOMES,
    ended=st.none() | TIMES,
    outcome=st.none() | OUTCOMES,
    keptn=CONTEXTS,
    names=st.none()
    | st.builds(KeptnWorkload, app=NAMES, workload=NAMES, version=st.none() | NAMES),
)
PREDECESSORS: Final = st.builds(
    Predecessor,
    id=IDS,
    parent=st.none() | PARENTS,
    revision=COUNTS,
    failed=st.booleans(),
    started=TIMES,
)


def some(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


OFFSETS: Final = st.timedeltas(
    timedelta(microseconds=-(2**63)), timedelta(microseconds=2**63 - 1)
)  # fmt: skip


@st.composite
def records(draw: DrawFn, *, uid: str, release: ReleaseKey, revision: int) -> Record:
    return Record(
        release=release,
        revision=revision,
        driver=draw(st.sampled_from(Driver)),
        uid=uid,
        resource_version=draw(NAMES),
        status=draw(st.sampled_from(Status)),
        created=draw(TIMES),
        written=draw(TIMES),
        tags=draw(TAGS),
        seen=draw(TIMES),
        origin=draw(st.sampled_from(Origin)),
        gone=draw(st.booleans()),
    )


@st.composite
def payloads(draw: DrawFn, *, uid: str, revision: int) -> Payload:
    chart = st.builds(Chart, name=NAMES, version=NAMES, app_version=st.none() | NAMES)
    return Payload(
        uid=uid,
        resource_version=draw(NAMES),
        revision=revision,
        namespace=draw(NAMES),
        status=draw(NAMES),
        description=draw(TEXTS),
        first_deployed=draw(st.none() | TIMES),
        last_deployed=draw(st.none() | TIMES),
        deleted=draw(st.none() | TIMES),
        rollback_revision=draw(st.none() | COUNTS),
        chart=draw(st.none() | chart),
        hooks=(),
        keptn=draw(CONTEXTS),
        seen=draw(TIMES),
    )


@st.composite
def anything(draw: DrawFn) -> Operation:
    """An operation whose fields know nothing of each other, but for whose record it is."""
    operation_id = draw(IDS)
    release = ReleaseKey(draw(NAMES), draw(NAMES))
    revision = draw(st.integers(0, 2**63 - 1))
    record = records(uid=operation_id.uid, release=release, revision=revision)
    payload = payloads(uid=operation_id.uid, revision=revision)
    return Operation(
        id=operation_id,
        release=release,
        revision=revision,
        record=draw(record),
        started=draw(TIMES),
        last_write=draw(TIMES),
        tags=draw(TAGS),
        inherited_context=draw(st.booleans()),
        stale_parent=draw(st.booleans()),
        namespace=draw(CONTEXTS),
        payload=draw(st.none() | payload),
        clock_offset=draw(OFFSETS),
        stuck=draw(st.booleans()),
        bounded=draw(st.booleans()),
        history=draw(st.booleans()),
        awaits_payload=draw(st.none() | NAMES),
        awaits_listing=draw(st.none() | NAMES),
        awaits_past=draw(st.booleans()),
        announced=draw(st.booleans()),
        hooks=draw(some(HOOKS)),
        rollouts=draw(some(ROLLOUTS)),
        helm_ended=draw(st.none() | TIMES),
        applied_until=draw(st.none() | TIMES),
        helm_outcome=draw(st.none() | OUTCOMES),
        status=draw(st.sampled_from(Status)),
        ended=draw(st.none() | TIMES),
        outcome=draw(st.none() | OUTCOMES),
        previous=draw(st.none() | PREDECESSORS),
    )


def stored(kept: Entry) -> Entry:
    return parse_entry(json.loads(json.dumps(to_object(kept, namespace=LEDGER))))


def same_trace(one: Operation, other: Operation) -> bool:
    return build_trace(one, Cluster()) == build_trace(other, Cluster())


@FAST
@given(anything(), st.sampled_from(State))
def test_whatever_its_fields_say(operation: Operation, state: State) -> None:
    kept = entry(operation, state=state)

    assert stored(kept) == kept == trimmed(kept)
    assert same_trace(stored(kept).operation, operation)


@settings(FAST, max_examples=25)
@given(anything(), anything())
def test_a_patch_of_one_status_makes_the_other(one: Operation, other: Operation) -> None:
    before, after = to_status(entry(one)), to_status(entry(other))

    assert merged(before, merge_patch(before, after)) == after


@SLOW
@given(st.data())
def test_whatever_helm_did(data: st.DataObject) -> None:
    scenario = data.draw(simulated())
    for release in scenario.releases:
        release.settle()
    found = replayed(scenario.events, truth=scenario.events)

    for operation in (*found.ended, *found.running):
        payload = operation.payload and replace(operation.payload, hooks=())
        back = stored(entry(operation)).operation
        assert back == replace(operation, payload=payload)
        assert same_trace(back, operation)
