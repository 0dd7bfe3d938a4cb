"""Ids are derived: whoever sees an operation names it alike, now and in a year."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from tests.lifecycle.making import after
from tests.telemetry.operations import a_test, good_upgrade

from helmwake.lifecycle.operation import OperationId, OperationKind
from helmwake.telemetry.ids import own_trace_id, run_id, span_id, trace_id
from helmwake.telemetry.spans import Trace
from helmwake.telemetry.traces import Cluster, build_trace

UPGRADE = OperationId(uid="0f9a", kind=OperationKind.UPGRADE)


def test_golden_values_never_change() -> None:
    """A change of these breaks every link and every re-sent trace: do not adapt them."""
    test = OperationId(uid="0f9a", kind=OperationKind.TEST, start=after(0.5))

    assert f"{own_trace_id(UPGRADE):032x}" == "b2fb4a87b79e8ec33b50dfaa5d4abbdc"
    assert f"{span_id(UPGRADE):016x}" == "8ba211ee52ca0ea9"
    assert f"{span_id(UPGRADE, 'rollout', 'uid-d'):016x}" == "7b20aedbf8ab6410"
    assert f"{own_trace_id(test):032x}" == "111aa40eaa700d1adb1d9f5ecf013ff0"


def test_record_kind_and_start_each_make_another_operation() -> None:
    others = [
        UPGRADE,
        replace(UPGRADE, uid="0f9b"),
        replace(UPGRADE, kind=OperationKind.ROLLBACK),
        replace(UPGRADE, start=after(1)),
        replace(UPGRADE, start=after(2)),
    ]

    assert len({own_trace_id(each) for each in others}) == len(others)
    assert len({span_id(each) for each in others}) == len(others)


def test_parts_do_not_run_into_each_other() -> None:
    assert span_id(UPGRADE, "hook", "ab", "c") != span_id(UPGRADE, "hook", "a", "bc")


def test_zero_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    real = hashlib.blake2b

    class Zero:
        def __init__(self, size: int) -> None:
            self._size = size

        def digest(self) -> bytes:
            return bytes(self._size)

    def blake2b(text: bytes, *, digest_size: int, salt: bytes) -> Any:
        if salt == b"\0":
            return Zero(digest_size)
        return real(text, digest_size=digest_size, salt=salt)

    monkeypatch.setattr(hashlib, "blake2b", blake2b)

    assert own_trace_id(UPGRADE)
    assert span_id(UPGRADE)


def test_every_span_of_a_trace_has_an_id_of_its_own() -> None:
    spans = built().spans

    assert len({span.context.span_id for span in spans}) == len(spans) == 4
    assert {span.context.trace_id for span in spans} == {spans[0].context.trace_id}


def built() -> Trace:
    return build_trace(good_upgrade(), Cluster())


def test_no_time_that_was_observed_is_in_an_id() -> None:
    operation = good_upgrade()
    [run] = operation.hooks
    elsewhere = replace(
        operation,
        started=after(58),
        helm_ended=after(66),
        ended=after(71),
        hooks=(replace(run, started=after(59), ended=None),),
        rollouts=tuple(replace(each, started=after(99)) for each in operation.rollouts),
    )

    def named(each: Trace) -> dict[str, int]:
        return {span.name: span.context.span_id for span in each.spans}

    assert named(build_trace(elsewhere, Cluster())) == named(build_trace(operation, Cluster()))


def test_nothing_of_the_cluster_is_in_an_id() -> None:
    one = build_trace(good_upgrade(), Cluster(uid="one", name="one"))
    other = build_trace(good_upgrade(), Cluster(uid="other", name="other"))

    assert [span.context for span in one.spans] == [span.context for span in other.spans]


def test_without_a_caller_the_run_is_named_like_its_trace() -> None:
    operation = good_upgrade()

    assert run_id(operation) == f"{trace_id(operation):032x}"


def test_two_tests_of_one_record_differ() -> None:
    again = replace(a_test().id, start=after(500))

    assert own_trace_id(a_test().id) != own_trace_id(again)
