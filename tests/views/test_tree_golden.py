"""What people see, to the cell. After a wanted change: UPDATE_GOLDEN=1 pytest tests/views."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from helmwake.telemetry.spans import Trace
from helmwake.views import render_traces
from tests.views import examples

GOLDEN: Final = Path(__file__).parent / "golden"


def delivery() -> Sequence[Trace]:
    return [examples.good(), examples.failed(), examples.rollback(), examples.running()]


def one(build: Callable[[], Trace]) -> Callable[[], Sequence[Trace]]:
    return lambda: [build()]


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("delivery", delivery),
        ("cancelled", one(examples.cancelled)),
        ("many", one(examples.many)),
        ("long-names", one(examples.long_names)),
        ("instant", one(examples.instant)),
        ("nearly-instant", one(examples.nearly_instant)),
        ("wide", one(examples.wide)),
        ("deep", one(examples.deep)),
        ("nothing", list[Trace]),
    ],
)
@pytest.mark.parametrize(
    ("look", "width", "color", "unicode"),
    [
        ("80", 80, False, True),
        ("200", 200, False, True),
        ("color", 80, True, True),
        ("ascii", 100, False, False),
    ],
)
def test_a_page_looks_as_it_did(
    name: str,
    build: Callable[[], Sequence[Trace]],
    look: str,
    width: int,
    *,
    color: bool,
    unicode: bool,
) -> None:
    golden = GOLDEN / f"{name}.{look}.txt"

    page = render_traces(build(), width=width, color=color, unicode=unicode)

    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(page, encoding="utf-8")
    assert page == golden.read_text(encoding="utf-8")
