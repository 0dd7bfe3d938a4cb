"""`helmwake spans` as a person or a script calls it, on a ledger that an apiserver serves."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from helmwake.cli import main
from helmwake.facts.helm import Tags
from helmwake.facts.keptn import KeptnContext
from helmwake.ledger.documents import to_object
from helmwake.ledger.entry import Entry
from helmwake.lifecycle.operation import Operation
from tests.cli.spans_server import NAMESPACE, LedgerServer, ledger_served
from tests.cli.spans_terminal import in_terminal
from tests.cluster.server import write_kubeconfig
from tests.telemetry import operations
from tests.views import entries

GOLDEN: Final = Path(__file__).parent / "golden"
Helmwake = Callable[..., Coroutine[Any, Any, Result]]


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[LedgerServer]:
    async with ledger_served(tmp_path) as server:
        yield server


@pytest.fixture
def helmwake(ledger: LedgerServer) -> Helmwake:
    """Call the command; the apiserver answers meanwhile."""

    async def call(*args: str, columns: int = 80) -> Result:
        environ = {"KUBECONFIG": ledger.kubeconfig, "COLUMNS": str(columns)}
        return await asyncio.to_thread(
            CliRunner().invoke, main, ["spans", *args], env=environ, catch_exceptions=False
        )

    return call


def of(operation: Operation, name: str, **fields: Any) -> Entry:
    return entries.entry(entries.named(operation, name, **fields))


def delivery() -> list[Entry]:
    """One of each, none of which runs."""
    failing, back = operations.remedy()
    lost = entries.given_up()
    return [
        entries.good(),
        of(entries.failed().operation, "web"),
        of(failing, "db"),
        of(back, "db", uid="uid-back"),
        of(operations.a_test(), "db", uid="uid-back", revision=3),
        of(operations.uninstalled(), "queue"),
        replace(lost, operation=entries.named(lost.operation, "lost")),
    ]


def hours_ago(known: Entry, hours: int) -> Entry:
    """Ages are told in whole hours: these stay as they are while a test runs."""
    then = datetime.now(UTC) - timedelta(hours=hours, minutes=30)
    return entries.moved(known, then - known.operation.started)


def one_line(shown: Result, *, code: int) -> str:
    assert shown.exit_code == code, shown.output
    assert "Traceback" not in shown.output
    [line] = shown.stderr.splitlines()
    assert line.startswith("helmwake: ")
    return line


def written(name: str, page: str) -> None:
    golden = GOLDEN / f"spans.{name}.txt"
    # After a wanted change: UPDATE_GOLDEN=1 pytest tests/cli.
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("form", ["tree", "wide"])
async def test_a_piped_page_looks_as_it_did(
    form: str, columns: int, ledger: LedgerServer, helmwake: Helmwake
) -> None:
    shown = delivery()
    if form == "wide":
        shown = [hours_ago(entry, 9 - number) for number, entry in enumerate(shown)]
    ledger.put(*shown)

    page = await helmwake("-o", form, columns=columns)

    assert (page.exit_code, page.stderr) == (0, "")
    written(f"{form}.{columns}.piped", page.stdout)
    assert "\x1b" not in page.stdout


@pytest.mark.parametrize("no_color", [True, False])
@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("form", ["tree", "wide"])
async def test_a_terminals_page_looks_as_it_did(
    form: str, columns: int, *, no_color: bool, ledger: LedgerServer
) -> None:
    shown = delivery()
    if form == "wide":
        shown = [hours_ago(entry, 9 - number) for number, entry in enumerate(shown)]
    ledger.put(*shown)

    async with in_terminal(
        "spans", "-o", form, kubeconfig=ledger.kubeconfig, width=columns, no_color=no_color
    ) as terminal:
        assert await terminal.ended() == 0

    look = "no-color" if no_color else "color"
    written(f"{form}.{columns}.{look}", terminal.written.replace("\r\n", "\n"))
    assert all(len(line) <= columns for line in terminal.lines)


async def test_the_newest_is_last_and_the_rest_is_counted(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    for number in range(25):
        ledger.put(entries.moved(of(entries.good().operation, f"cart-{number}"), hours(number)))

    shown = await helmwake("-o", "wide")

    rows = [line.split()[1] for line in shown.stdout.splitlines()[1:]]
    assert rows == [f"cart-{number}" for number in range(5, 25)]
    assert one_line(shown, code=0).endswith("the newest 20 of 25 are shown; --limit 0 shows all")
    assert len((await helmwake("-o", "wide", "--limit", "0")).stdout.splitlines()) == 26
    assert len((await helmwake("-o", "wide", "--limit", "3")).stdout.splitlines()) == 4
    by_context = await helmwake("-o", "wide", "--keptn-context", entries.CONTEXT)
    assert len(by_context.stdout.splitlines()) == 26, "a delivery is shown whole"


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


async def test_json_is_a_list_for_scripts_and_empty_where_there_is_nothing(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(*delivery(), entries.entry(entries.named(entries.begun().operation, "new")))

    documents = json.loads((await helmwake("-o", "json")).stdout)
    starts = [each["started"] for each in documents]
    assert starts == sorted(starts)
    assert {each["result"] for each in documents} == {"success", "failure", "running", "unknown"}
    nothing = await helmwake("-o", "json", "--project", "sockshop", "--since", "1s", "--failed")
    assert json.loads(nothing.stdout) == []
    assert "no operation failed in that time" in one_line(nothing, code=0)


async def test_otlp_is_of_what_is_final(ledger: LedgerServer, helmwake: Helmwake) -> None:
    lost = entries.given_up()
    lost = replace(lost, operation=entries.named(lost.operation, "lost"))
    ledger.put(entries.good(), lost, of(entries.begun().operation, "new"))

    shown = await helmwake("-o", "otlp-json")

    [resource] = json.loads(shown.stdout)["resourceSpans"]
    [scope] = resource["scopeSpans"]
    assert scope["spans"][0]["traceId"] == entries.good().trace_id
    assert "2 not final, and not written" in one_line(shown, code=0)


async def test_labels_are_selected_by_the_server(ledger: LedgerServer, helmwake: Helmwake) -> None:
    ledger.put(entries.good())

    await helmwake("--keptn-context", entries.CONTEXT, "--stage", "production")

    assert [request.query.get("labelSelector") for request in ledger.requests] == [
        f"keptn.sh/context={entries.CONTEXT},keptn.sh/stage=production"
    ]


async def test_a_context_nobody_knows_is_told_those_that_are_known(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(*delivery())

    context = one_line(await helmwake("--keptn-context", "nobody"), code=2)
    release = one_line(await helmwake("--release", "shop/nobody"), code=2)
    revision = one_line(await helmwake("--release", "shop/cart@99"), code=2)

    assert entries.CONTEXT in context
    assert "shop/web" in release
    assert "of shop/cart@99" in revision


async def test_a_long_context_has_no_label_and_is_found_all_the_same(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    long = KeptnContext(context="x" * 100)
    ledger.put(entries.entry(operations.good_upgrade(Tags(keptn=long))))

    shown = await helmwake("--keptn-context", "x" * 100)

    assert "1 operation, 0 failed" in shown.stdout


async def test_an_empty_ledger_says_where_it_looked(helmwake: Helmwake) -> None:
    shown = await helmwake()

    assert shown.stdout == ""
    assert f"the ledger in {NAMESPACE} is empty" in one_line(shown, code=0)


async def test_an_entry_that_was_created_this_moment_is_shown(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    begun = to_object(of(entries.good().operation, "begun"), namespace=NAMESPACE)
    del begun["status"]
    ledger.put_object(begun)
    ledger.put(entries.good())

    shown = await helmwake()

    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "2 operations, 0 failed" in shown.stdout


async def test_a_broken_entry_is_named_and_the_others_are_shown(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    broken = to_object(of(entries.good().operation, "broken"), namespace=NAMESPACE)
    broken["status"]["started"] = "yesterday"
    ledger.put_object(broken)
    ledger.put(entries.good())

    shown = await helmwake()

    line = one_line(shown, code=1)
    assert broken["metadata"]["name"] in line
    assert "status.started" in line
    assert "yesterday" not in line
    assert "1 operation, 0 failed" in shown.stdout


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "kubectl apply -k manifests/"),
        (403, "--clusterrole=helmwake-reader"),
        (401, "log in again"),
        (500, "500"),
    ],
)
@pytest.mark.parametrize("how", [(), ("--follow",), ("--wait", "--release", "a/b@1")])
async def test_a_refusal_is_one_line_that_says_what_to_do(
    how: tuple[str, ...], status: int, told: str, ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.refusal = status

    assert told in one_line(await helmwake(*how), code=2)


async def test_a_cluster_that_cannot_be_reached_is_one_line(
    helmwake: Helmwake, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere.yaml"
    # Nothing listens on port 1.
    dead = write_kubeconfig(
        tmp_path / "dead.yaml", server="http://127.0.0.1:1", user={"token": "t"}
    )

    assert "cannot be reached at http://127.0.0.1:1" in one_line(
        await helmwake("--kubeconfig", dead), code=2
    )
    assert "--kubeconfig FILE" in one_line(await helmwake("--kubeconfig", str(nowhere)), code=2)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--wait"], "--wait needs --release NS/NAME@REV or --keptn-context ID"),
        (["--wait", "--release", "shop/cart"], "--wait needs"),
        (["--wait", "--project", "sockshop"], "--wait needs"),
        (["--wait", "--release", "a/b@1", "--failed"], "--failed"),
        (["--timeout", "5m"], "--timeout is for --wait"),
        (["--revision", "3"], "--revision needs --release"),
        (["--release", "shop/cart@3", "--revision", "4"], "revision 3"),
        (["--release", "cart"], "NAMESPACE/NAME"),
        (["--since", "soon"], "--since"),
        (["--namespace", "../secrets"], "the name of a namespace"),
    ],
)
async def test_bad_use_is_one_line(args: list[str], told: str, helmwake: Helmwake) -> None:
    assert told in one_line(await helmwake(*args), code=2)


async def test_a_wait_for_what_went_well_ends_with_0(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(entries.good())

    shown = await helmwake("--wait", "--release", "shop/cart", "--revision", "2")

    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith("✓ upgrade shop/cart  success")


async def test_a_wait_for_what_failed_ends_with_1_and_says_why(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(entries.good(), of(entries.failed().operation, "web"))

    shown = await helmwake("--wait", "--keptn-context", entries.CONTEXT)

    line = one_line(shown, code=1)
    assert line == f"helmwake: upgrade shop/web#2: failure (image_pull_failed): {entries.IMAGE}"
    assert "2 operations, 1 failed" in shown.stdout


async def test_a_wait_in_vain_ends_with_3_and_says_for_what(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(entries.rolling(1))
    brief = ("--wait", "--timeout", "300ms")

    runs = await helmwake(*brief, "--release", "shop/cart@2")
    never = await helmwake(*brief, "--release", "shop/cart@3")
    nobody = await helmwake(*brief, "--keptn-context", "nobody")

    assert "timed out after 300ms: upgrade shop/cart#2 still running" in one_line(runs, code=3)
    assert "rollout deployment/cart 1 of 3 ready" in runs.stderr
    assert "1 operation, 0 failed, 1 running" in runs.stdout
    assert "no install, upgrade or rollback of shop/cart@3" in one_line(never, code=3)
    assert "no operation with the Keptn context nobody" in one_line(nobody, code=3)
    assert never.stdout == ""


async def test_a_wait_for_an_inherited_context_says_that_it_is_one(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    inherited = replace(entries.good().operation, inherited_context=True)
    ledger.put(entries.entry(inherited))

    shown = await helmwake("--wait", "--timeout", "300ms", "--keptn-context", entries.CONTEXT)

    assert "only inherited by upgrade shop/cart#2" in one_line(shown, code=3)


async def test_a_followed_wait_in_a_pipe_is_lines_and_then_the_waterfall(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(entries.rolling(1))
    asked = asyncio.create_task(helmwake("-f", "--wait", "--release", "shop/cart@2"))
    await ledger.watched.wait()
    ledger.put(entries.failed())

    shown = await asked

    assert shown.exit_code == 1
    lines, _, waterfall = shown.stdout.partition("\n\n")
    assert all(line.startswith("upgrade shop/cart#2  +") for line in lines.splitlines())
    assert waterfall.startswith("✗ upgrade shop/cart")
    assert "\x1b" not in shown.stdout


async def test_a_followed_wait_in_json_is_a_line_for_each_operation(
    ledger: LedgerServer, helmwake: Helmwake
) -> None:
    ledger.put(entries.good())

    shown = await helmwake("-f", "--wait", "--release", "shop/cart@2", "-o", "json")

    [line] = shown.stdout.splitlines()
    assert json.loads(line)["result"] == "success"


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("helmwake", "Usage: helmwake spans "),
        ("kubectl-helmwake", "Usage: kubectl helmwake spans "),
    ],
)
def test_a_plugins_usage_is_what_was_typed(name: str, usage: str) -> None:
    shown = CliRunner().invoke(main, ["spans", "--help"], prog_name=name)

    assert shown.stdout.startswith(usage)
