"""What holds for every page, whatever is on it."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from helmwake.telemetry.spans import Trace
from helmwake.views import render_traces
from tests.views import examples

ALL: Final = (
    examples.good(),
    examples.failed(),
    examples.rollback(),
    examples.running(),
    examples.cancelled(),
    examples.many(),
    examples.long_names(),
    examples.instant(),
    examples.nearly_instant(),
    examples.wide(),
    examples.deep(),
)


def page(*traces: Trace, width: int = 80, unicode: bool = True) -> list[str]:
    return render_traces(traces, width=width, color=False, unicode=unicode).splitlines()


@pytest.mark.parametrize("width", [48, 49, 60, 79, 80, 81, 100, 137, 200, 500])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_page_or_ends_in_blanks(*, width: int, unicode: bool) -> None:
    for trace in ALL:
        for line in page(trace, width=width, unicode=unicode):
            assert cell_len(line) <= width
            assert line == line.rstrip()


def test_without_color_there_are_no_escape_codes() -> None:
    for line in page(*ALL):
        assert line.isprintable()


def test_color_changes_no_character() -> None:
    colored = render_traces(ALL, width=80, color=True, unicode=True)

    stripped = [line.plain.rstrip() for line in Text.from_ansi(colored).split("\n")]
    assert stripped == page(*ALL)


def test_plain_signs_are_ascii() -> None:
    traces = [trace for trace in ALL if trace != examples.wide()]

    assert all(line.isascii() for line in page(*traces, unicode=False))


def test_a_name_can_neither_move_the_cursor_nor_be_markup() -> None:
    text = "\n".join(page(examples.wide()))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]second[/bold] :smile:" in text


def test_a_cause_is_said_at_the_top_and_where_it_happened_but_not_between() -> None:
    middle = examples.span(2, 9, "rollout", 0, 9, cause=examples.IMAGE)
    inner = examples.span(2, 10, "pod startup", 1, 9, parent=9, cause=examples.IMAGE)
    root = examples.span(2, 1, "upgrade", 0, 9, parent=None, cause=examples.IMAGE)

    lines = page(examples.of(root, middle, inner))

    said = [index for index, line in enumerate(lines) if examples.IMAGE in line]
    assert said == [1, len(lines) - 3]


def test_a_link_names_an_operation_that_is_shown_too() -> None:
    both = "\n".join(page(examples.failed(), examples.rollback()))
    alone = "\n".join(page(examples.rollback()))

    assert "remedies upgrade shop/cart#3" in both
    assert "remedies trace 4bf92f3577b34da6a3ce929d0e0e4702" in alone


def test_what_runs_is_drawn_until_now() -> None:
    now = examples.at(260)

    text = render_traces([examples.running()], width=80, color=False, unicode=True, now=now)

    assert "1m 00s so far" in text
    assert "1 operation, 0 failed, 1 running" in text


def test_a_span_whose_parent_is_missing_is_shown() -> None:
    root = examples.span(1, 1, "upgrade", 0, 9, parent=None)
    orphan = examples.span(1, 5, "orphan", 1, 2, parent=77)
    own_parent = examples.span(1, 6, "own", 1, 2, parent=6)

    text = "\n".join(page(examples.of(root, orphan, own_parent)))

    assert "├─ orphan" in text
    assert "└─ own" in text


def test_operations_are_counted() -> None:
    assert page(*ALL)[-1] == "11 operations, 3 failed, 1 running"
    assert page()[-1] == "0 operations, 0 failed"
    assert page(examples.good())[-1] == "1 operation, 0 failed"


@settings(max_examples=150, deadline=None)
@given(
    times=st.lists(
        st.tuples(st.floats(-10, 1e7), st.floats(0, 1e7) | st.none(), st.text(max_size=30)),
        min_size=1,
        max_size=12,
    ),
    width=st.integers(48, 220),
)
def test_any_trace_can_be_drawn(times: list[tuple[float, float | None, str]], width: int) -> None:
    spans = [
        examples.span(
            1,
            number,
            name,
            start,
            None if took is None else start + took,
            parent=None if number == 1 else number // 2,
            cause=name or None,
        )
        for number, (start, took, name) in enumerate(times, start=1)
    ]

    for line in page(examples.of(*spans), width=width):
        assert cell_len(line) <= width
        assert line.isprintable()


def test_ids_are_never_cut_and_narrow_terminals_may_wrap() -> None:
    text = "\n".join(page(examples.good(), width=20))

    assert examples.CONTEXT in text
    assert "4bf92f3577b34da6a3ce929d0e0e4701" in text


def test_durations_stay_short() -> None:
    """Seven cells hold the longest of them."""
    from helmwake.views.words import duration  # noqa: PLC0415

    said = {
        0.0: "0ms",
        0.0004: "0ms",
        0.2504: "250ms",
        0.9996: "1.0s",
        9.12: "9.1s",
        59.94: "59.9s",
        59.96: "1m 00s",
        3599.6: "1h 00m",
        9000: "2h 30m",
        90000: "1d 01h",
        -5: "0ms",
    }
    assert {seconds: duration(timedelta(seconds=seconds)) for seconds in said} == said
