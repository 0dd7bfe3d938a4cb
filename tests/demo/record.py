"""Record the bundled demo anew: `python -m tests.demo.record [FILE]`.

On the real control plane, with the real helm and `helmwake record`: a good upgrade with a
hook, a failing one and its rollback. The install before them is no part of it.
"""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.controlplane.cluster import ControlPlane
from tests.controlplane.process import Process
from tests.controlplane.waiting import wait_for
from tests.demo.delivery import NAMESPACE, RELEASE, Delivery

BUNDLED: Final = Path(__file__).parents[2] / "examples" / "delivery.jsonl"
INSTALLED: Final = "2d9e4b70-5c18-4e63-a1f4-07b6d8c35e91"
GOOD: Final = "6f0c1a52-0e1b-4f2e-9d7a-3b8a5c2d1e40"
FAILING: Final = "b81d7f36-94c5-4a0d-8e52-c7f3a9160d2b"
DEPLOYMENT: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{RELEASE}"
RECORDER: Final = (sys.executable, "-c", "from helmwake.cli import main; main()", "record")


def main() -> None:
    """Parse, record, say where it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo.record", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=BUNDLED, metavar="FILE")
    file: Path = parser.parse_args().file
    with tempfile.TemporaryDirectory(prefix="helmwake-demo-") as name:
        recorded = record(Path(name))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(recorded, encoding="utf-8")
    print(f"{file}: {len(recorded.splitlines())} changes, {len(recorded) // 1024} KiB")


def record(directory: Path) -> str:
    """Run the delivery on a cluster of its own; return what was recorded."""
    recording = directory / "delivery.jsonl"
    with ControlPlane(directory) as cluster:
        delivery = Delivery(cluster=cluster, say=print)
        delivery.prepare()
        delivery.install(context=INSTALLED)
        login = ["--kubeconfig", str(cluster.kubeconfig)]
        recorder = Process([*RECORDER, str(recording), *login], log=directory / "record.log")
        try:
            # What a reflector has listed it watches from there: nothing is missed.
            recorder.wait_until(lambda: has(recording, cluster.api.get(DEPLOYMENT)))
            delivery.upgrade(context=GOOD)
            delivery.failing_upgrade(context=FAILING)
            delivery.rollback()
            last = cluster.api.get(DEPLOYMENT)
            wait_for("the last change", lambda: has(recording, last))
        finally:
            recorder.stop()
    return recording.read_text(encoding="utf-8")


def has(recording: Path, wanted: Any) -> bool:
    """Whether this version of an object was recorded, or a later one."""
    if not recording.exists():
        return False
    lines = recording.read_text(encoding="utf-8").splitlines(keepends=True)
    seen = [json.loads(line)["object"]["metadata"] for line in lines if line.endswith("\n")]
    meta = wanted["metadata"]
    return any(
        each["uid"] == meta["uid"] and int(each["resourceVersion"]) >= int(meta["resourceVersion"])
        for each in seen
    )


if __name__ == "__main__":
    main()
