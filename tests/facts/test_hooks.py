"""Hooks come in odd shapes, and each is read as far as it can be."""

from datetime import UTC, datetime
from typing import Any

import pytest

from helmwake.facts.payload import MAX_HOOKS, Hook, HookPhase, HookRun, parse_payload
from tests.facts.objects import NOON, packed, release_json

RUN = {
    "started_at": "2026-11-23T12:00:01.5Z",
    "completed_at": "2026-11-23T12:00:02Z",
    "phase": "Succeeded",
}


def hooks(*stored: Any) -> tuple[Hook, ...]:
    return parse_payload(packed(release_json(hooks=list(stored))), seen=NOON).hooks


def hook(**fields: Any) -> Hook:
    [only] = hooks(
        {
            "name": "migrate",
            "kind": "Job",
            "events": ["pre-upgrade", "pre-install"],
            "weight": -5,
            "last_run": RUN,
            **fields,
        }
    )
    return only


def test_a_hook_has_a_name_a_kind_events_a_weight_and_its_last_run() -> None:
    assert hook() == Hook(
        name="migrate",
        kind="Job",
        events=("pre-upgrade", "pre-install"),
        weight=-5,
        last_run=HookRun(
            started_at=datetime(2026, 11, 23, 12, 0, 1, 500000, tzinfo=UTC),
            completed_at=datetime(2026, 11, 23, 12, 0, 2, tzinfo=UTC),
            phase=HookPhase.SUCCEEDED,
        ),
    )


@pytest.mark.parametrize("odd", [None, {}, "never", [], {**RUN, "started_at": ""},
                                 {**RUN, "started_at": "0001-01-01T00:00:00Z"}])  # fmt: skip
def test_a_hook_that_never_started_has_no_run(odd: object) -> None:
    assert hook(last_run=odd).last_run is None


@pytest.mark.parametrize("phase", ["", "Dancing", None, 7, ["Running"]])
def test_a_phase_that_helm_does_not_know_is_unknown(phase: object) -> None:
    run = hook(last_run={**RUN, "phase": phase}).last_run

    assert run is not None
    assert run.phase is HookPhase.UNKNOWN


@pytest.mark.parametrize("unset", ["", None, "0001-01-01T00:00:00Z", "junk"])
def test_a_running_hook_has_no_end(unset: object) -> None:
    run = hook(last_run={**RUN, "completed_at": unset, "phase": "Running"}).last_run

    assert run is not None
    assert (run.completed_at, run.phase) == (None, HookPhase.RUNNING)


@pytest.mark.parametrize("odd", [None, "pre-upgrade", {"pre-upgrade": True}, 7])
def test_events_of_a_foreign_type_are_none(odd: object) -> None:
    assert hook(events=odd).events == ()


@pytest.mark.parametrize("odd", [None, "5", 1.5, [5], True])
def test_a_weight_that_is_no_whole_number_is_0(odd: object) -> None:
    assert hook(weight=odd).weight == 0


@pytest.mark.parametrize("odd", [None, "", 7, {"a": 1}, ["b"]])
def test_a_hook_without_a_name_has_a_question_mark(odd: object) -> None:
    assert (hook(name=odd).name, hook(kind=odd).kind) == ("?", "?")


def test_what_is_no_hook_is_passed_over() -> None:
    assert [known.name for known in hooks("x", None, 7, {"name": "real"}, [])] == ["real"]


@pytest.mark.parametrize("odd", [None, {}, "hooks", 7])
def test_hooks_that_are_no_list_are_none(odd: object) -> None:
    assert parse_payload(packed(release_json(hooks=odd)), seen=NOON).hooks == ()


def test_so_many_hooks_are_kept_and_no_more() -> None:
    assert len(hooks(*({"name": f"h{n}"} for n in range(MAX_HOOKS + 1)))) == MAX_HOOKS


@pytest.mark.parametrize(
    ("events", "tests"),
    [(["test"], True), (["test-success"], True), (["post-install", "test"], True),
     (["pre-install"], False), (["test-failure"], False), ([], False)],
)  # fmt: skip
def test_a_test_is_a_hook_with_that_event(events: list[str], tests: bool) -> None:  # noqa: FBT001  # a table's column
    assert hook(events=events).tests is tests
