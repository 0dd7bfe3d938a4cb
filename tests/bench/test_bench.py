"""The benchmarks run. How fast is for people to read: no time is asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main


def test_a_small_one_completes_and_tells_ratios(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "bench.json"

    main(["--small", "--json", str(saved)])

    page = capsys.readouterr().out
    assert "ours / handler" in page
    assert "ours / bare" in page
    numbers = json.loads(saved.read_text(encoding="utf-8"))
    watching, replaying = numbers["watching"], numbers["replaying"]
    assert watching["revisions"] == 50
    assert all(value > 0 for each in watching["ratios"].values() for value in each.values())
    assert watching["rest"]["requests"] == {}
    # Three operations of each copy.
    assert replaying["operations"] == 5 * 3
