"""What is made of the ledger's entries, to the cell. Anew: UPDATE_GOLDEN=1 pytest tests/views."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from rich.text import Text

from helmwake.ledger.entry import Entry
from helmwake.telemetry.traces import Cluster, build_trace
from helmwake.views.changes import changes
from helmwake.views.documents import document
from helmwake.views.entries import entry_trace
from helmwake.views.glyphs import glyphs
from helmwake.views.painting import paint
from helmwake.views.panel import panel
from helmwake.views.table import table_lines
from helmwake.views.tree import render_traces
from tests.lifecycle.making import after
from tests.views import entries

GOLDEN: Final = Path(__file__).parent / "golden" / "ledger"
NOW: Final = after(95)


def running() -> Sequence[Entry]:
    """As it goes on, and one that is silent and has three hooks behind it."""
    hooked = entries.hooked()
    stuck = entries.entry(replace(entries.begun().operation, stuck=True))
    return [
        entries.begun(),
        entries.rolling(0),
        entries.rolling(2),
        entries.rolling(1, cause=entries.PULL),
        hooked,
        stuck,
    ]


def ended() -> Sequence[Entry]:
    long = entries.named(entries.failed().operation, "a-release-with-a-long-name-that-goes-on")
    return [*entries.delivery(), entries.failed(), entries.entry(long), entries.given_up()]


def written(name: str, page: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")


LOOKS: Final = pytest.mark.parametrize(
    ("look", "width", "color", "unicode"),
    [
        ("50", 50, False, True),
        ("80", 80, False, True),
        ("200", 200, False, True),
        ("color", 80, True, True),
        ("ascii", 80, False, False),
    ],
)


@LOOKS
def test_what_runs_is_a_progress_display(
    look: str, width: int, *, color: bool, unicode: bool
) -> None:
    lines = panel(running(), width=width, height=99, now=NOW, glyphs=glyphs(unicode=unicode))

    written(f"panel.{look}", paint(lines, width=width, color=color))
    assert all(line.cell_len <= width for line in lines)


@LOOKS
def test_a_table_loses_whole_columns_where_there_is_no_room(
    look: str, width: int, *, color: bool, unicode: bool
) -> None:
    shown = [*ended(), entries.rolling(1, cause=entries.PULL)]
    lines = table_lines(shown, width=width, now=NOW, glyphs=glyphs(unicode=unicode))

    written(f"table.{look}", paint(lines, width=width, color=color))
    if width >= 80:
        assert all(line.cell_len <= width for line in lines)


@pytest.mark.parametrize("build", [running, ended])
def test_a_pipes_table_is_whole(build: Callable[[], Sequence[Entry]]) -> None:
    lines = table_lines(build(), width=None, now=NOW, glyphs=glyphs(unicode=True))

    written(f"table.{build.__name__}.piped", paint(lines, width=80, color=False))
    for entry, line in zip(build(), lines[1:], strict=True):
        assert entry.trace_id in line.plain
        assert entry.operation.release.name in line.plain


def test_changes_are_one_line_each() -> None:
    told, before = list[str](), None
    story = [*running()[:4], entries.failed()]
    for index, entry in enumerate(story):
        now = after(1 + 2 * index)
        told += changes(before, entry, now=now)
        assert list(changes(entry, entry, now=now))[1:] == [], "nothing is new"
        before = entry

    written("changes", "\n".join(told) + "\n")
    assert all(line.startswith("upgrade shop/cart#2  +") for line in told)


def test_waterfalls_tell_the_cause_of_what_runs_and_the_end_of_what_was_given_up() -> None:
    shown = [entries.rolling(1, cause=entries.PULL), entries.given_up(), entries.failed()]
    traces = [entry_trace(entry) for entry in shown]

    written("tree", render_traces(traces, width=80, color=False, unicode=True, now=NOW))


def test_documents_are_camel_case_and_leave_out_what_is_not_known() -> None:
    shown = [entries.good(), *running()[3:4], entries.failed(), entries.given_up()]

    documents = [document(entry) for entry in shown]

    written("documents", json.dumps(documents, indent=2) + "\n")
    _, runs, failed, lost = documents
    assert "ended" not in runs
    assert (runs["result"], runs["cause"]) == ("running", entries.IMAGE)
    assert (failed["result"], failed["error"]) == ("failure", "image_pull_failed")
    assert lost["result"] == "unknown"


def test_a_panel_is_never_higher_than_its_room() -> None:
    for height in range(1, 40):
        lines = panel(running(), width=80, height=height, now=NOW, glyphs=glyphs(unicode=True))
        assert 1 <= len(lines) <= height
    assert lines[-1].plain != "", "all of it fits"


def test_what_a_panel_leaves_out_is_counted() -> None:
    lines: list[Text] = panel(running(), width=80, height=8, now=NOW, glyphs=glyphs(unicode=True))

    assert lines[-1].plain == "4 more operations running"


def test_a_clock_that_is_behind_the_servers_shows_no_negative_time() -> None:
    early = entries.begun().operation.started - timedelta(seconds=30)

    [title, *_] = panel(
        [entries.begun()], width=80, height=9, now=early, glyphs=glyphs(unicode=True)
    )

    assert title.plain.endswith(" 0s so far")


def test_a_final_entrys_trace_is_the_one_that_was_sent() -> None:
    """By an older version, and in a cluster that had another name then."""
    sent = replace(entries.good(), version="0.0.9", cluster_name="old")
    cluster = Cluster(uid=sent.cluster_uid, name="old")

    assert entry_trace(sent) == build_trace(sent.operation, cluster, version="0.0.9")
