"""How a ReleaseTrace is written, and what is said of one that cannot be read."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from helmwake.facts.identity import Driver, ReleaseKey
from helmwake.ledger.conditions import unreadable_status
from helmwake.ledger.documents import identity_of_spec, parse_entry, to_object, to_spec, to_status
from helmwake.ledger.entry import State
from helmwake.ledger.errors import BadEntryError
from helmwake.lifecycle.operation import OperationId, OperationKind
from tests.ledger.making import BAD, LEDGER, entry, full, rollout
from tests.lifecycle.making import NOON
from tests.telemetry.operations import failed_upgrade, good_upgrade, running


def test_the_spec_says_which_operation_it_is_and_no_more() -> None:
    assert to_spec(full()) == {
        "release": {"namespace": "shop", "name": "cart"},
        "revision": 2,
        "operation": "test",
        "record": {"driver": "ConfigMap", "uid": "uid-2"},
        "start": "2026-11-23T12:00:00.000001Z",
    }


def test_people_find_the_outcome_at_the_top() -> None:
    status = to_status(entry(failed_upgrade()))

    assert status["result"] == "timeout"
    assert status["error"] == "timeout"
    assert status["cause"].startswith("Helm's deadline passed while deployment/cart")
    assert status["duration"] == "1m10s"
    assert status["keptn"]["context"] == "c-1"


def test_the_cause_is_told_before_the_end_but_no_result() -> None:
    operation = replace(
        running(), rollouts=(rollout("cart", ended=None, outcome=None, cause=BAD),)
    )

    status = to_status(entry(operation, state=State.RUNNING))

    assert status["error"] == "image_pull_failed"
    assert status["cause"] == "no image shop/cart:3"
    assert not status.keys() & {"result", "duration", "ended"}


def test_what_goes_without_saying_is_not_written() -> None:
    status = to_status(entry(good_upgrade(), state=State.RUNNING))

    def values(part: Any) -> list[Any]:
        if isinstance(part, dict):
            return [each for value in part.values() for each in (value, *values(value))]
        if isinstance(part, list):
            return [each for value in part for each in (value, *values(value))]
        return []

    assert all(value not in (None, "", {}, []) for value in values(status))
    assert not status.keys() & {"stuck", "bounded", "history", "omitted", "conditions"}
    # As the operation's own, which it mostly is.
    assert not status["record"].keys() & {"status", "tags"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0, "0.0s"),
        (18.44, "18.4s"),
        (59.94, "59.9s"),
        (59.96, "1m00s"),
        (123, "2m03s"),
        (3599.6, "1h00m"),
        (3900, "1h05m"),
        (100_000, "27h46m"),
    ],
)
def test_a_duration_is_rounded_for_people(seconds: float, text: str) -> None:
    operation = replace(full(), ended=full().started + timedelta(seconds=seconds))

    assert to_status(entry(operation))["duration"] == text


@pytest.mark.parametrize(
    ("state", "problem", "condition"),
    [
        (State.DELIVERED, None, ("Delivered", "True", "Delivered", "http://c:4317 has it")),
        (State.SET_ASIDE, "HTTP 400", ("Delivered", "False", "SetAside", "HTTP 400")),
        (
            State.GIVEN_UP,
            None,
            ("Delivered", "False", "GivenUp", "it was followed no more before its end"),
        ),
        (State.UNREADABLE, "no", ("Readable", "False", "Unreadable", "no")),
    ],
)
def test_a_condition_says_what_became_of_it(
    state: State, problem: str | None, condition: tuple[str, ...]
) -> None:
    delivered = NOON if state is State.DELIVERED else None
    status = to_status(
        entry(
            full(), state=state, problem=problem, delivered=delivered, delivered_to="http://c:4317"
        )
    )

    [said] = status["conditions"]
    assert tuple(said[key] for key in ("type", "status", "reason", "message")) == condition
    assert said["lastTransitionTime"]


@pytest.mark.parametrize("state", [State.RUNNING, State.UNDELIVERED])
def test_there_is_no_condition_while_nothing_is_decided(state: State) -> None:
    assert "conditions" not in to_status(entry(full(), state=state))


def good() -> dict[str, Any]:
    return copy.deepcopy(to_object(entry(full()), namespace=LEDGER))


NAME: Final = f"{LEDGER}/{good()['metadata']['name']}"
ABSENT: Final = object()
PHASES: Final = "'Unknown', 'Running', 'Succeeded' or 'Failed'"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("status",), ABSENT, "status is not there"),
        (("status",), "hunter2", "status is not an object"),
        (("spec",), ABSENT, "spec is not there"),
        (("spec", "record", "uid"), ABSENT, "spec.record.uid is not there"),
        (("spec", "revision"), "hunter2", "spec.revision is not a whole number"),
        (("spec", "start"), "2026-11-23", "spec.start is not a time (RFC 3339)"),
        (("spec", "start"), 1764000000, "spec.start is not a time (RFC 3339)"),
        (("spec", "start"), "9999-12-31T23:59:59-01:00", "spec.start is not a time (RFC 3339)"),
        (("status", "started"), "0001-13-01T00:00:00Z", "status.started is not a time (RFC 3339)"),
        (("status", "hooks"), {"hunter2": 1}, "status.hooks is not a list"),
        (
            ("status", "hooks", 0, "phase"),
            "hunter2",
            f"status.hooks[0].phase is not one of {PHASES}",
        ),
        (
            ("status", "rollouts", 0, "wanted"),
            [1],
            "status.rollouts[0].wanted is not a whole number",
        ),
        (("status", "helm", "ended"), 7, "status.helm.ended is not a time (RFC 3339)"),
        (("status", "traceId"), "hunter2", "status.traceId is not what a ReleaseTrace has there"),
        (("status", "stuck"), "hunter2", "status.stuck is not true or false"),
        (("status", "version"), {}, "status.version is not a text"),
        (
            ("status", "helm", "clockOffsetMicroseconds"),
            10**30,
            "status.helm.clockOffsetMicroseconds is not a whole number",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line_without_what_is_there(
    path: tuple[str | int, ...], value: Any, said: str
) -> None:
    obj: Any = good()
    del obj["metadata"]["annotations"]  # what it was created with
    *way, last = path
    part = obj
    for step in way:
        part = part[step]
    if value is ABSENT:
        del part[last]
    else:
        part[last] = value

    with pytest.raises(BadEntryError) as caught:
        parse_entry(obj)

    assert str(caught.value) == f"{NAME}: {said}"
    assert caught.value.__cause__ is None


def test_an_object_under_another_name_is_no_entry() -> None:
    obj = good()
    wanted = obj["metadata"]["name"]
    obj["metadata"]["name"] = "a-copy"

    with pytest.raises(BadEntryError, match=rf"a-copy: metadata\.name is not {wanted}"):
        parse_entry(obj)


@pytest.mark.parametrize("obj", [{}, {"metadata": None}, {"metadata": {"name": "a\nb"}}])
def test_whatever_is_there_the_error_is_one_line(obj: dict[str, Any]) -> None:
    with pytest.raises(BadEntryError) as caught:
        parse_entry(obj)

    assert "\n" not in str(caught.value)


def test_what_a_newer_version_added_is_let_go() -> None:
    obj = good()
    wanted = parse_entry(obj)
    obj["status"]["mood"] = "good"
    obj["status"]["hooks"][0]["mood"] = {"very": "good"}

    assert parse_entry(obj) == wanted


def test_until_its_status_is_written_an_entry_says_what_it_was_created_with() -> None:
    obj = good()
    wanted = parse_entry(obj)
    del obj["status"]

    assert parse_entry(obj) == wanted


def test_what_it_was_created_with_is_nothing_where_it_was_edited() -> None:
    obj = good()
    del obj["status"]
    obj["metadata"]["annotations"]["helmwake.dev/first-status"] = "{"

    with pytest.raises(BadEntryError, match="status is not there"):
        parse_entry(obj)


def test_the_spec_alone_tells_which_operation_it_was() -> None:
    obj = good()
    del obj["status"]

    identity = identity_of_spec(obj)

    assert identity.id == OperationId(uid="uid-2", kind=OperationKind.TEST, start=full().id.start)
    assert identity.release == ReleaseKey("shop", "cart")
    assert identity.revision == 2
    assert identity.driver is Driver.CONFIG_MAP


def test_a_broken_spec_tells_nothing() -> None:
    with pytest.raises(BadEntryError, match="spec is not there"):
        identity_of_spec({"metadata": {"namespace": LEDGER, "name": "x"}})


def test_what_cannot_be_read_can_be_marked() -> None:
    assert unreadable_status("x: status is not there", now=NOON) == {
        "state": "Unreadable",
        "problem": "x: status is not there",
        "conditions": [
            {
                "type": "Readable",
                "status": "False",
                "reason": "Unreadable",
                "message": "x: status is not there",
                "lastTransitionTime": "2026-11-23T12:00:00.000000Z",
            }
        ],
    }
