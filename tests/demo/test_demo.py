"""The bundled recording tells what it was made for, on every machine, and nothing secret."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from helmwake.app.replay import Replayed, replay
from helmwake.cli import main
from helmwake.facts.change import Change
from helmwake.facts.payload import unpack_object
from helmwake.lifecycle.operation import Operation
from helmwake.recording import read_changes
from tests.demo.delivery import SECRET
from tests.demo.record import BUNDLED, FAILING, GOOD

GOLDEN: Final = Path(__file__).parent / "golden"
MAX_BYTES: Final = 200_000


def refuse(problem: str) -> None:
    raise AssertionError(problem)


def changes() -> list[Change]:
    return list(read_changes([str(BUNDLED)], warn=refuse))


@pytest.fixture(scope="module")
def replayed() -> Replayed:
    return asyncio.run(replay(changes(), warn=refuse))


def shown(*options: str, columns: int = 80) -> str:
    done = CliRunner().invoke(
        main,
        ["replay", str(BUNDLED), *options],
        env={"COLUMNS": str(columns)},
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    assert done.stderr == ""
    return done.stdout


def told(operation: Operation) -> tuple[Any, ...]:
    outcome = operation.outcome
    assert outcome is not None
    return (
        f"{operation.kind} {operation.release}#{operation.revision}",
        outcome.result,
        outcome.error,
        operation.keptn.context,
        operation.inherited_context,
        len(operation.rollouts),
    )


def test_it_holds_these_three_operations_and_no_other(replayed: Replayed) -> None:
    assert [told(operation) for operation in replayed.ended] == [
        ("upgrade sockshop-prod/carts#2", "success", None, GOOD, False, 1),
        (
            "upgrade sockshop-prod/carts#3",
            "failure",
            "progress_deadline_exceeded",
            FAILING,
            False,
            1,
        ),
        # A rollback has its target's labels.
        ("rollback sockshop-prod/carts#4", "success", None, GOOD, True, 1),
    ]
    assert not replayed.running


def test_each_upgrade_ran_its_hook_and_ended_after_helm_did(replayed: Replayed) -> None:
    good, failed, back = replayed.traces

    for trace in (good, failed):
        names = [span.name for span in trace.spans]
        assert names[0] == "upgrade sockshop-prod/carts"
        assert sorted(names[1:]) == [
            "apply",
            "hook pre-upgrade carts-migrate",
            "rollout deployment/carts",
        ]
        ends = {span.name: span.end for span in trace.spans}
        applied, rolled_out = ends["apply"], ends["rollout deployment/carts"]
        assert applied is not None
        assert rolled_out is not None
        assert applied < rolled_out == trace.root.end
    remedied = [link.context for link in back.root.links]
    assert remedied == [failed.root.context]


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_it_is_printed_as_it_was(columns: int) -> None:
    golden = GOLDEN / f"delivery.{columns}.txt"

    page = shown(columns=columns)

    # After a new recording or a wanted change: UPDATE_GOLDEN=1 pytest tests/demo.
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")
    assert max(map(len, page.splitlines())) <= columns


def test_a_keptn_context_finds_its_delivery() -> None:
    page = shown("--keptn-context", FAILING)

    assert "1 operation, 1 failed" in page
    assert "made no progress before its deadline" in page


def test_it_is_valid_otlp_with_the_context_on_every_span() -> None:
    request = json.loads(shown("-o", "otlp-json"))

    spans = [
        span
        for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert len({span["spanId"] for span in spans}) == len(spans) == 4 + 4 + 3
    for span in spans:
        assert len(span["traceId"]) == 32
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        texts = {each["key"]: each["value"].get("stringValue") for each in span["attributes"]}
        assert texts["keptn.context"] in {GOOD, FAILING}


def test_nothing_secret_and_nothing_of_the_machine_is_in_it() -> None:
    text = BUNDLED.read_text(encoding="utf-8")
    # What is packed in there is searched unpacked.
    payloads = [
        json.dumps(unpack_object(change.object))
        for change in changes()
        if change.object.get("data")
    ]

    assert len(text) < MAX_BYTES
    assert len(payloads) >= 3
    for each in (text, *payloads):
        assert SECRET not in each
        assert "DATABASE" not in each
        assert not re.search("/(home|root|tmp|var|Users)/", each)
