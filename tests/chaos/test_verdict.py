"""A verdict says what is wrong: what it lets pass, nobody would notice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.chaos.lives import Life
from tests.chaos.sink import Arrived, read
from tests.chaos.truth import Done, Evidence
from tests.chaos.verdict import Verdict, judge

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
DONE: Final = Done(
    namespace="shop",
    kind="upgrade",
    revision=2,
    began=NOON,
    ended=NOON + 3 * SECOND,
    context="c-1",
    command="helm upgrade cart",
    evidence=Evidence(born=NOON, died=NOON + 3 * SECOND),
)
GONE: Final = Evidence(born=NOON - SECOND, died=NOON)
AWAKE: Final = Life(number=0, log=Path(), began=NOON - SECOND, ready=NOON - SECOND)


def arrived(
    *,
    request: int = 1,
    trace: bytes = b"t" * 16,
    context: str = "c-1",
    name: str = "root",
    kind: str = "upgrade",
    bounded: bool = False,
) -> list[Arrived]:
    sent = ExportTraceServiceRequest()
    of_resource = sent.resource_spans.add()
    attributes: dict[str, Any] = {
        "helm.release.operation": AnyValue(string_value=kind),
        "helm.release.revision": AnyValue(int_value=2),
        "keptn.context": AnyValue(string_value=context),
        "helmwake.time.bounded": AnyValue(bool_value=bounded),
    }
    pipeline = AnyValue(string_value="shop/cart")
    of_resource.resource.attributes.append(KeyValue(key="cicd.pipeline.name", value=pipeline))
    start = int(NOON.timestamp()) * 10**9
    span = of_resource.scope_spans.add().spans.add(
        name=name,
        trace_id=trace,
        span_id=trace[:8],
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 10**9,
    )
    span.attributes.extend(KeyValue(key=key, value=value) for key, value in attributes.items())
    return list(read(sent, number=request))


def entry(state: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "cart.v2.0", "labels": {"helmwake.dev/state": state.lower()}},
        "spec": {"release": {"namespace": "shop"}, "revision": 2, "operation": "upgrade"},
        "status": {"state": state, "started": "2026-01-01T12:00:00Z"},
    }


def verdict_on(
    *came: Arrived, done: Done = DONE, life: Life = AWAKE, entries: tuple[Any, ...] = ()
) -> Verdict:
    return judge("a scenario", [done], came, lives=[life], entries=entries)


def test_each_operation_delivered_once_is_well() -> None:
    verdict = verdict_on(*arrived(), entries=(entry("Delivered"),))

    assert verdict.holds, str(verdict)
    assert verdict.delivered == 1


def test_what_is_sent_again_alike_is_the_same() -> None:
    verdict = verdict_on(*arrived(), *arrived(request=2))

    assert verdict.holds
    assert (verdict.delivered, verdict.sent_again) == (1, 1)


def test_what_is_sent_again_must_be_alike_to_the_byte() -> None:
    verdict = verdict_on(*arrived(), *arrived(request=2, name="other"))

    assert "different contents" in str(verdict)
    assert not verdict.holds


def test_two_operations_where_one_was_done_are_too_many() -> None:
    verdict = verdict_on(*arrived(), *arrived(trace=b"u" * 16))

    assert len(verdict.unexpected) == 1
    assert not verdict.holds


def test_an_uninstall_may_be_told_of_the_last_revision_that_was_known() -> None:
    """Where all of a release vanished unseen, its bounds are all that is known."""
    uninstall = replace(DONE, kind="uninstall", revision=4, context=None)
    told = arrived(kind="uninstall", bounded=True)

    assert verdict_on(*told, done=uninstall).holds
    assert not verdict_on(*arrived(kind="uninstall"), done=uninstall).holds
    assert not verdict_on(*told).holds


def test_a_rollback_may_be_told_as_an_upgrade_when_its_word_for_it_is_gone() -> None:
    rollback = replace(DONE, kind="rollback", context=None)

    assert verdict_on(*arrived(), done=rollback).holds
    assert not verdict_on(*arrived(kind="install"), done=rollback).holds
    assert not verdict_on(*arrived(kind="rollback")).holds


def test_a_context_must_be_the_operations_own() -> None:
    assert "has the context c-2, not c-1" in str(verdict_on(*arrived(context="c-2")))


def test_of_two_within_a_moment_the_context_tells_which_one_was_told() -> None:
    before = replace(DONE, began=NOON - SECOND, ended=NOON, context="c-0", evidence=GONE)

    verdict = judge("", [before, DONE], arrived(), lives=[], entries=[])

    assert [each for each, _ in verdict.without_evidence] == [before]
    assert verdict.holds


def test_an_entry_of_the_next_one_of_that_name_is_not_this_ones() -> None:
    """It is told, by its trace: the one before, whom nobody saw, has nothing of it."""
    before = replace(DONE, began=NOON - SECOND, ended=NOON, context="c-0", evidence=GONE)
    told = entry("Delivered")
    told["status"]["traceId"] = (b"t" * 16).hex()

    verdict = judge("", [before, DONE], arrived(), lives=[], entries=[told])
    untold = judge("", [before, DONE], arrived(trace=b"u" * 16), lives=[], entries=[told])

    assert [each for each, _ in verdict.without_evidence] == [before]
    assert verdict.holds
    assert untold.missing == [before]


@pytest.mark.parametrize("state", ["Running", "Undelivered", "Unreadable"])
def test_nothing_may_stay_open(state: str) -> None:
    assert not verdict_on(*arrived(), entries=(entry(state),)).holds


def test_what_somebody_watched_may_not_be_missing() -> None:
    assert verdict_on().missing == [DONE]


def test_what_can_still_be_seen_may_not_be_missing() -> None:
    lasting = replace(DONE, evidence=Evidence(born=NOON))
    asleep = Life(number=0, log=Path(), began=NOON)

    assert verdict_on(done=lasting, life=asleep).missing == [lasting]


@pytest.mark.parametrize(
    ("ready", "ended"), [(None, None), (4, None), (-2, -1), (-2, 0.5), (2.5, 3.2)]
)
def test_what_nobody_could_write_down_left_no_evidence(
    ready: float | None, ended: float | None
) -> None:
    life = Life(
        number=0,
        log=Path(),
        began=NOON,
        ready=None if ready is None else NOON + ready * SECOND,
        ended=None if ended is None else NOON + ended * SECOND,
    )
    verdict = verdict_on(life=life)

    assert verdict.holds
    assert [done for done, _ in verdict.without_evidence] == [DONE]


def test_what_the_ledger_began_may_not_be_missing() -> None:
    asleep = Life(number=0, log=Path(), began=NOON)

    assert verdict_on(life=asleep, entries=(entry("Delivered"),)).missing == [DONE]
