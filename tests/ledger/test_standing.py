# ruff: noqa: E501 - a table reads best in lines
"""What is news, what is history, and what is old."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record, Status
from helmwake.facts.identity import Driver, ReleaseKey
from helmwake.ledger.progress import EVER, ObservedNamespace, Progress
from helmwake.ledger.standing import read_until, standing
from tests.lifecycle.making import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BEGAN = NOON
# Observed by an earlier process since the day before, with the history of a day.
KNOWN = ObservedNamespace(uid="u", since=NOON - DAY, filled_from=NOON - 2 * DAY)
READ = {Driver.SECRET: "100"}


def record(
    *, version: str = "200", age: timedelta = HOUR, driver: Driver = Driver.SECRET
) -> Record:
    """Make a record that was created and written so long before this process began."""
    return Record(
        release=ReleaseKey("shop", "cart"),
        revision=1,
        driver=driver,
        uid="uid-1",
        resource_version=version,
        status=Status.DEPLOYED,
        created=BEGAN - age,
        written=BEGAN - age,
        seen=BEGAN,
    )


@pytest.mark.parametrize(
    ("known", "read_to", "made", "backfill", "wanted"),
    [
        # Known, and read by an earlier process.
        (KNOWN, READ, record(version="101"), DAY, Origin.RELISTED),
        (KNOWN, READ, record(version="101", age=9 * DAY), DAY, Origin.RELISTED),
        (KNOWN, READ, record(version="100"), DAY, Origin.INITIAL),
        (KNOWN, READ, record(version="99", age=26 * HOUR), DAY, Origin.INITIAL),
        # Known, and nothing of this driver was read to the end.
        (KNOWN, {}, record(age=23 * HOUR), DAY, Origin.RELISTED),
        (KNOWN, READ, record(driver=Driver.CONFIG_MAP, version="1"), DAY, Origin.RELISTED),
        (KNOWN, {}, record(age=25 * HOUR), DAY, Origin.INITIAL),
        # History is filled in once, and as far as it is wanted now.
        (replace(KNOWN, filled_from=None), READ, record(version="9", age=25 * HOUR), DAY, Origin.HISTORY),
        (replace(KNOWN, filled_from=None), {}, record(age=25 * HOUR), DAY, Origin.HISTORY),
        (replace(KNOWN, filled_from=None), READ, record(version="9", age=HOUR), DAY, Origin.INITIAL),
        (KNOWN, READ, record(version="9", age=49 * HOUR), DAY, Origin.INITIAL),
        (KNOWN, READ, record(version="9", age=49 * HOUR), 2 * DAY, Origin.HISTORY),
        (KNOWN, READ, record(version="9", age=47 * HOUR), 2 * DAY, Origin.INITIAL),
        (KNOWN, READ, record(version="9", age=900 * DAY), None, Origin.HISTORY),
        (replace(KNOWN, filled_from=EVER), READ, record(version="9", age=900 * DAY), None, Origin.INITIAL),
        (replace(KNOWN, filled_from=None), READ, record(version="9", age=25 * HOUR), 0 * DAY, Origin.INITIAL),
        # Whoever was to fill it in ended before; meanwhile it was written again.
        (replace(KNOWN, filled_from=None), READ, record(version="101", age=25 * HOUR), DAY, Origin.HISTORY),
        (replace(KNOWN, filled_from=None), READ, record(version="101", age=HOUR), DAY, Origin.RELISTED),
        (replace(KNOWN, filled_from=None), READ, record(version="101", age=25 * HOUR), 0 * DAY, Origin.RELISTED),
        # Observed since this process began.
        (None, READ, record(), DAY, Origin.INITIAL),
        (replace(KNOWN, since=BEGAN, filled_from=None), READ, record(), DAY, Origin.HISTORY),
        (replace(KNOWN, since=BEGAN, filled_from=None), {}, record(age=25 * HOUR), DAY, Origin.INITIAL),
        (replace(KNOWN, since=BEGAN, filled_from=None), {}, record(age=25 * HOUR), None, Origin.HISTORY),
        (replace(KNOWN, since=BEGAN, filled_from=None), {}, record(), 0 * DAY, Origin.INITIAL),
        # Observed again: what was read before it was left is told already.
        (replace(KNOWN, since=BEGAN, filled_from=None, left=READ), READ, record(version="100"), DAY, Origin.INITIAL),
        (replace(KNOWN, since=BEGAN, filled_from=None, left=READ), READ, record(version="101"), DAY, Origin.HISTORY),
        (replace(KNOWN, left={}), READ, record(version="101"), DAY, Origin.RELISTED),
    ],
)  # fmt: skip
def test_standing(
    known: ObservedNamespace | None,
    read_to: dict[Driver, str],
    made: Record,
    backfill: timedelta | None,
    wanted: Origin,
) -> None:
    progress = Progress(read_to=read_to, namespaces={"shop": known} if known else {})
    assert standing(made, progress, backfill=backfill, began=BEGAN) is wanted


def test_what_began_before_the_ledger_was_in_step_is_known() -> None:
    read = Progress(
        read_at=NOON, namespaces={"shop": ObservedNamespace(uid="u", since=NOON - DAY)}
    )

    assert read_until(read, "shop") == NOON - timedelta(minutes=1)
    assert read_until(Progress(namespaces=read.namespaces), "shop") == NOON - DAY
    assert read_until(Progress(), "shop") is None
