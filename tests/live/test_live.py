"""What `make live` prints is true: its query shows the delivery."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pytest

from tests.live.found import root_of
from tests.live.installed import ROOT

COMMAND: Final = (sys.executable, "-u", "-m", "tests.live", "--hurried")
ENDED_SECONDS: Final = 180
LAST_LINE: Final = "Everything stays up until Ctrl-C."


@pytest.fixture
def live(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:
        yield process
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=ENDED_SECONDS)


def read_until(stdout: IO[str] | None, last: str) -> list[str]:
    assert stdout is not None
    lines = []
    for line in stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == last:
            break
    return lines


def test_what_it_prints_works_until_it_is_ended_and_then_nothing_is_left(
    live: subprocess.Popen[str], tmp_path: Path
) -> None:
    said = read_until(live.stdout, LAST_LINE)

    assert said[-1] == LAST_LINE, said
    url = next(found[1] for line in said if (found := re.fullmatch(r"  curl '(.*)'", line)))
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own Jaeger's
        traces: list[Any] = json.load(answer)["data"]
    roots = sorted((root_of(trace)[0] for trace in traces), key=lambda root: root["startTime"])
    names = ["install", "upgrade", "upgrade", "rollback"]
    assert [root["operationName"] for root in roots] == [
        f"{name} sockshop-prod/carts" for name in names
    ]
    summary = "\n".join(said)
    for name in names:
        assert f"  {name} sockshop-prod/carts: " in summary
    assert "failure progress_deadline_exceeded" in summary
    helm = helm_history(said)
    assert helm.count("carts-0.4.8") == 2
    assert "Rollback to 2" in helm

    live.send_signal(signal.SIGINT)
    rest, _ = live.communicate(timeout=ENDED_SECONDS)
    assert rest == "Ending everything\n"
    assert live.returncode == 0
    assert list(tmp_path.iterdir()) == []


def helm_history(said: list[str]) -> str:
    """Do as we were told, in a shell."""
    exports = [line.strip() for line in said if line.startswith("  export ")]
    script = "\n".join([*exports, "helm history carts -n sockshop-prod"])
    done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=True)
    return done.stdout
