"""The package of kubernetes has two clients and a thousand models; we may not pay for them."""

import subprocess
import sys
from pathlib import Path

import helmwake

COST = """
import aiohttp, kopf

def resident_kib():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

before = resident_kib()
import helmwake.cluster.client, helmwake.cluster.payloads
import helmwake.cluster.reflector, helmwake.cluster.workloads
print(resident_kib() - before)
"""

UNUSED = """
import sys
import helmwake.cli.run

unused = {"oauthlib", "requests", "websocket", "kubernetes.config", "kubernetes.aio.stream"}
print(*unused & set(sys.modules))
"""

OTHERS = """
import sys
import helmwake.cluster.credentials
import kubernetes, kubernetes.aio

assert "requests" not in sys.modules
kubernetes.__version__, kubernetes.config.load_kube_config, kubernetes.client.CoreV1Api
kubernetes.aio.watch.Watch, kubernetes.aio.config.load_kube_config
assert "requests" in sys.modules
try:
    kubernetes.nonsense
except AttributeError as error:
    print(error)
"""


def said_by(script: str) -> str:
    source_root = Path(helmwake.__path__[0]).parent
    return subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(source_root)},
    ).stdout.strip()


def test_importing_this_room_costs_little_beside_kopf_and_aiohttp() -> None:
    assert int(said_by(COST)) < 5 * 1024, "measured: 2.1 MB"


def test_running_loads_nothing_of_the_synchronous_client() -> None:
    assert not said_by(UNUSED)


def test_whoever_else_imports_kubernetes_finds_all_of_it() -> None:
    assert said_by(OTHERS) == "module 'kubernetes' has no attribute 'nonsense'"
