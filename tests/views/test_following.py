"""What is shown while operations go on: in a terminal, to a log, to a script."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from rich.text import Text

from helmwake.ledger.entry import Entry, State
from helmwake.views.documents import document
from helmwake.views.following import Endings, JsonLinesView, LineView, LiveView, LogView
from helmwake.views.rows import Rows, RowView
from helmwake.views.screen import Screen, can_move
from helmwake.views.terminal import Terminal
from tests.lifecycle.making import after
from tests.views import entries
from tests.views.emulator import Emulator

PIPE = Terminal(width=100, color=False, unicode=True)


class Tty(io.StringIO):
    """A terminal; `COLUMNS` says how wide it is."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


def now() -> datetime:
    return after(50)


def told(warnings: list[str]) -> LogView:
    return LogView(warnings.append)


def kept(ended: Sequence[Entry]) -> str:
    return "".join(f"ended: {entry.operation.release}\n" for entry in ended)


def live(environ: Mapping[str, str], *, before: int | None = None) -> tuple[LiveView, Tty]:
    """A view that warns on the same terminal."""
    stream = Tty()
    view = LiveView(
        Screen(stream, environ),
        kept=kept,
        quiet="nothing is running",
        endings=Endings(before=before),
        now=now,
        warn=lambda problem: print(problem, file=stream),
    )
    return view, stream


def seen(stream: Tty, width: int = 80) -> list[str]:
    emulator = Emulator(width)
    emulator.write(stream.getvalue())
    return emulator.lines


def test_what_had_ended_before_is_news_only_as_far_as_asked() -> None:
    both = [entries.good(), entries.entry(entries.named(entries.failed().operation, "web"))]

    assert Endings(before=None).news(both) == both
    assert Endings(before=0).news(both) == []
    assert Endings(before=1).news(both) == both[1:]
    assert Endings(before=9).news(both) == both


def test_an_end_is_news_once_whatever_becomes_of_its_delivery() -> None:
    endings = Endings(before=0)
    assert endings.news([entries.rolling()]) == []
    undelivered = replace(entries.good(), state=State.UNDELIVERED)

    assert endings.news([undelivered]) == [undelivered]
    assert endings.news([entries.good()]) == []


def test_a_terminal_is_drawn_over_and_what_ended_stays_above() -> None:
    view, stream = live({"COLUMNS": "80", "NO_COLOR": "1"})
    view.show([], trouble=None)
    assert seen(stream) == ["nothing is running"]

    view.show([entries.begun()], trouble=None)
    assert seen(stream)[0].startswith("… upgrade shop/cart#2")
    assert len(seen(stream)) == 3

    view.show([entries.rolling(1, cause=entries.PULL)], trouble=None)
    assert any("1 of 3 ready" in line for line in seen(stream))
    assert seen(stream)[-1].strip() == entries.IMAGE

    view.show([entries.failed()], trouble=None)
    assert seen(stream) == ["ended: shop/cart", "nothing is running"]
    view.show([entries.failed()], trouble=None)
    view.close()
    assert seen(stream) == ["ended: shop/cart"]


def test_what_runs_stays_as_it_was_seen_last_when_the_view_ends() -> None:
    view, stream = live({"COLUMNS": "80", "NO_COLOR": "1"})
    view.show([entries.rolling()], trouble=None)
    before = seen(stream)

    view.close()

    assert seen(stream) == before


def test_a_terminal_made_narrower_is_cleared_of_what_it_wrapped() -> None:
    environ = {"COLUMNS": "100", "NO_COLOR": "1"}
    stream = Tty()
    screen = Screen(stream, environ)
    screen.show([Text("x" * 90)])
    environ["COLUMNS"] = "50"
    screen.show([Text("short")])

    assert "\x1b[2A" in stream.getvalue(), "90 cells are two rows of 50"


def test_a_terminal_says_when_it_is_not_up_to_date() -> None:
    view, stream = live({"COLUMNS": "60", "NO_COLOR": "1"})

    view.show([entries.begun()], trouble="WATCH /apis/helmwake.dev: connection refused " * 3)

    assert seen(stream, 60)[-1].startswith("not up to date: WATCH /apis")
    assert len(seen(stream, 60)[-1]) <= 60


def test_a_warning_between_two_changes_moves_no_line() -> None:
    view, stream = live({"COLUMNS": "80", "NO_COLOR": "1"})
    view.show([entries.begun()], trouble=None)

    view.tell("one is broken")
    view.show([entries.failed()], trouble=None)
    view.close()

    assert seen(stream) == ["one is broken", "ended: shop/cart"]


def test_a_log_has_a_line_for_each_change_and_no_escape_codes() -> None:
    stream, warnings = io.StringIO(), list[str]()
    view = LineView(stream, endings=Endings(before=0), now=now, warn=warnings.append)
    story = [
        [],
        [entries.begun()],
        [entries.rolling(1)],
        [entries.rolling(1)],
        [entries.rolling(1, cause=entries.PULL)],
        [entries.failed()],
        [entries.failed()],
    ]
    for shown in story:
        view.show(shown, trouble=None)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[-1].endswith(f"failure (image_pull_failed): {entries.IMAGE}")
    assert all(line.isprintable() for line in lines)
    assert warnings == []


def test_trouble_is_told_to_a_log_once() -> None:
    warnings = list[str]()
    view = told(warnings)

    for trouble in (None, "away", "away", None, "away"):
        view.show([], trouble=trouble)

    assert warnings == ["not up to date: away; trying again"] * 2


def test_a_script_gets_a_line_of_json_for_each_end() -> None:
    stream = io.StringIO()
    view = JsonLinesView(
        stream, endings=Endings(before=0), document=document, warn=list[str]().append
    )

    for shown in ([entries.rolling()], [entries.good()], [entries.good()]):
        view.show(shown, trouble=None)

    [line] = stream.getvalue().splitlines()
    assert json.loads(line) == document(entries.good())


def test_rows_tell_that_it_runs_why_it_will_fail_and_that_it_ended() -> None:
    stream = io.StringIO()
    rows = Rows(PIPE, width=None, now=now)
    view = RowView(stream, rows, endings=Endings(before=0), now=now, warn=list[str]().append)

    for shown in (
        [],
        [entries.begun()],
        [entries.rolling(2)],
        [entries.rolling(1, cause=entries.PULL)],
        [entries.failed()],
    ):
        view.show(shown, trouble=None)

    heading, *lines = stream.getvalue().splitlines()
    assert heading.split()[:3] == ["NAMESPACE", "RELEASE", "REV"]
    assert [line.split()[4:6] for line in lines] == [
        ["running", "-"],
        ["running", "image_pull_failed"],
        ["failure", "image_pull_failed"],
    ]
    assert len({line.index("6c1f7c1e") for line in lines}) == 1, "one edge for the eye"


@pytest.mark.parametrize(
    ("stream", "environ", "moves"),
    [
        (Tty(), {"TERM": "xterm"}, True),
        (Tty(), {"TERM": "xterm", "NO_COLOR": "1"}, True),
        (Tty(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_lines_change_in_place_where_a_terminal_can(
    stream: io.StringIO, environ: Mapping[str, str], *, moves: bool
) -> None:
    assert can_move(stream, environ) is moves
