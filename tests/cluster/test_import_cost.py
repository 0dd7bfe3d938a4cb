"""The client of kubernetes.aio has a thousand models; we may not pay for them."""

import subprocess
import sys
from pathlib import Path

import helmwake

SCRIPT = """
import aiohttp, kopf

def resident_kib():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

before = resident_kib()
import helmwake.cluster.client, helmwake.cluster.payloads
import helmwake.cluster.reflector, helmwake.cluster.workloads
print(resident_kib() - before)
"""


def test_importing_this_room_costs_little_beside_kopf_and_aiohttp() -> None:
    source_root = Path(helmwake.__path__[0]).parent
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source_root)},
    )
    assert int(run.stdout) < 5 * 1024, "measured: 2.1 MB"
