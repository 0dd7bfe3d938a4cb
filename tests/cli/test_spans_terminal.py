"""A delivery followed in a real terminal, while it goes on."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from helmwake.ledger.entry import Entry
from tests.cli.spans_server import LedgerServer, ledger_served
from tests.cli.spans_terminal import CTRL_C, in_terminal
from tests.views import entries


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[LedgerServer]:
    async with ledger_served(tmp_path) as server:
        yield server


def just_now(entry: Entry) -> Entry:
    return entries.moved(entry, datetime.now(UTC) - entry.operation.started)


async def test_a_delivery_is_shown_as_it_goes_on_and_stays_when_it_ended(
    ledger: LedgerServer,
) -> None:
    begun = just_now(entries.begun())
    by = begun.operation.started - entries.begun().operation.started
    story = [
        entries.moved(each, by)
        for each in (
            entries.begun(),
            entries.rolling(1),
            entries.rolling(1, cause=entries.PULL),
            entries.failed(),
        )
    ]
    async with in_terminal("spans", "--follow", kubeconfig=ledger.kubeconfig) as terminal:
        await terminal.until(lambda lines: lines == ["nothing is running; Ctrl-C ends"])

        ledger.put(story[0])
        await terminal.until(lambda lines: "apply  pending-upgrade" in "\n".join(lines))
        assert terminal.lines[0].startswith("… upgrade shop/cart#2")
        assert terminal.lines[1] == f"  sockshop / production / carts · {entries.CONTEXT}"

        ledger.put(story[1])
        await terminal.until(lambda lines: "1 of 3 ready" in "\n".join(lines))
        assert "━━━━━━━━┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅┅  1 of 3 ready" in terminal.lines[-1]

        ledger.put(story[2])
        await terminal.until(lambda lines: entries.IMAGE in lines[-1])
        assert len(terminal.lines) == 5

        ledger.put(story[3])
        await terminal.until(lambda lines: lines[-1] == "nothing is running; Ctrl-C ends")
        assert terminal.lines[0].startswith("✗ upgrade shop/cart  failure (image_pull_failed)")

        terminal.press(CTRL_C)
        assert await terminal.ended() == 130
        # The finished waterfall is all that stays.
        assert sum("upgrade shop/cart" in line for line in terminal.lines) == 2
        assert "nothing is running" not in "\n".join(terminal.lines)
        assert "Traceback" not in terminal.written


async def test_a_wait_that_is_followed_ends_with_what_it_waited_for(ledger: LedgerServer) -> None:
    asked = ("spans", "-f", "--wait", "--release", "shop/cart@2")
    async with in_terminal(*asked, kubeconfig=ledger.kubeconfig) as terminal:
        await terminal.until(lambda lines: lines == ["waiting for an operation of shop/cart@2"])
        ledger.put(entries.rolling(2))
        await terminal.until(lambda lines: "2 of 3 ready" in "\n".join(lines))
        ledger.put(entries.good())

        assert await terminal.ended() == 0

    shown = "\n".join(terminal.lines)
    assert terminal.lines[0].startswith("✓ upgrade shop/cart  success")
    assert "2 of 3 ready" not in shown
    assert "waiting" not in shown


async def test_no_color_leaves_the_cursor_and_takes_the_colors(ledger: LedgerServer) -> None:
    ledger.put(entries.rolling(1))
    asked = ("spans", "-f")
    async with in_terminal(*asked, kubeconfig=ledger.kubeconfig, no_color=True) as terminal:
        await terminal.until(lambda lines: "1 of 3 ready" in "\n".join(lines))
        ledger.put(entries.rolling(2))
        await terminal.until(lambda lines: "2 of 3 ready" in "\n".join(lines))

    assert "\x1b[J" in terminal.written
    assert re.search(r"\x1b\[[0-9;]*m", terminal.written) is None


async def test_more_than_a_screen_of_running_operations_is_counted(ledger: LedgerServer) -> None:
    for number in range(9):
        operation = entries.named(entries.rolling(1).operation, f"cart-{number}")
        ledger.put(replace(entries.rolling(1), operation=operation))
    asked = ("spans", "-f")
    async with in_terminal(*asked, kubeconfig=ledger.kubeconfig, height=12) as terminal:
        await terminal.until(lambda lines: "more operations running" in "\n".join(lines))

        assert len(terminal.lines) <= 10
