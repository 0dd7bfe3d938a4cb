"""Every command of the README is run, and its table is the code's."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.controlplane.cluster import ControlPlane
from tests.controlplane.waiting import wait_for
from tests.e2e.installing import install_operator
from tests.readme.attributes import README, with_table

ROOT: Final = README.parent
HELMWAKE: Final = Path(sys.executable).parent / "helmwake"


def commands() -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL):
        for line in block.splitlines():
            yield line.partition("#")[0].strip()


def run(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(args, cwd=cwd, capture_output=True, text=True, check=True)


def test_the_table_of_attributes_is_the_codes() -> None:
    text = README.read_text()
    assert text == with_table(text), "stale: run `make readme`"


def test_every_command_is_run_by_a_test_below() -> None:
    assert list(commands()) == [
        "make demo",
        "make test",
        "export PATH=$PWD/.venv/bin:$PATH",
        "kubectl apply -k manifests/",
        "kubectl label namespace shop helmwake.dev/observe=enabled",
        (
            "helm upgrade --install cart ./chart -n shop "
            "--labels keptn.sh/context=6c1f7c1e,keptn.sh/stage=prod"
        ),
        "helmwake spans --keptn-context 6c1f7c1e",
        "kubectl get releasetraces -n helmwake-system -l keptn.sh/context=6c1f7c1e",
        "helmwake spans --release shop/cart --since 24h --failed",
        "helmwake spans --follow",
        "helmwake spans --wait --release shop/cart@7 --timeout 10m",
        "kubectl helmwake spans -o wide",
        "helmwake record delivery.jsonl",
        "helmwake replay delivery.jsonl",
        (
            "helmwake replay examples/delivery.jsonl "
            "--keptn-context b81d7f36-94c5-4a0d-8e52-c7f3a9160d2b -o otlp-json"
        ),
    ]


def test_make_demo_works_on_a_fresh_clone(tmp_path: Path) -> None:
    run("git", "clone", "-q", str(ROOT), str(tmp_path / "clone"))
    shown = run("make", "demo", f"PYTHON={sys.executable}", cwd=tmp_path / "clone").stdout
    assert "upgrade sockshop-prod/carts" in shown
    assert "rollback sockshop-prod/carts" in shown
    assert "3 operations, 1 failed" in shown
    for name in ("helmwake", "kubectl-helmwake"):
        command = tmp_path / "clone" / ".venv" / "bin" / name
        assert "spans" in run(str(command), "--help").stdout


def test_make_test_is_what_ci_runs() -> None:
    """It is what runs this very test; so only that CI runs it, and it runs pytest."""
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    assert "-m pytest" in run("make", "-n", "test").stdout


@pytest.fixture
def operator(control_plane: ControlPlane, tmp_path: Path) -> Iterator[None]:
    """Run what the Deployment runs, with the rights it has: there is no kubelet to start it."""
    login = install_operator(control_plane)
    log = tmp_path / "operator.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [HELMWAKE, "run", "--kubeconfig", login, "--http-address", "127.0.0.1:0"],
            stderr=file,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        try:
            wait_for("the operator", lambda: "namespaces: in sync" in log.read_text())
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=40) == 0, log.read_text()


def test_what_is_done_in_a_cluster_is_answered_recorded_and_replayed(
    control_plane: ControlPlane, operator: None, tmp_path: Path
) -> None:
    given = list(map(shlex.split, commands()))[3:]
    _, label, upgrade, by_context, get, *asked, record, replay, _ = given
    failed, follow, wait, plugin = asked
    control_plane.create_namespace("shop")
    control_plane.kubectl(*label[1:])
    file, told = tmp_path / "delivery.jsonl", tmp_path / "record.log"
    with told.open("w") as log:
        recorder = subprocess.Popen(
            [HELMWAKE, *record[1:], "--kubeconfig", control_plane.kubeconfig],
            cwd=tmp_path,
            stderr=log,
        )

    def deployed() -> bool:
        return any(
            '"namespace":"shop"' in line and '"status":"deployed"' in line
            for line in file.read_text().splitlines()
        )

    try:
        wait_for("the recording of each kind", lambda: told.read_text().count(": in sync") >= 4)
        chart = str(ROOT / "tests" / "charts" / "web")
        done = control_plane.helm(*[chart if a == "./chart" else a for a in upgrade[1:]], "--wait")
        assert done.returncode == 0, done.stderr
        wait_for("the release", deployed)
    finally:
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(timeout=20) == 0, told.read_text()

    def ask(command: list[str], *more: str) -> subprocess.CompletedProcess[str]:
        # kubectl would start its plugin `kubectl-helmwake`, found on the PATH.
        return subprocess.run(
            [HELMWAKE, *command[command.index("spans") :], *more],
            env={**os.environ, "KUBECONFIG": str(control_plane.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    waited = ask([part.replace("@7", "@1") for part in wait])
    assert waited.returncode == 0, waited.stderr
    assert "install shop/cart" in waited.stdout
    assert "install shop/cart" in ask(by_context).stdout
    assert "6c1f7c1e" in control_plane.kubectl(*get[1:]).stdout
    assert ask(failed).returncode == 0
    assert "shop" in ask(plugin).stdout
    followed = ask(follow, "--wait", "--keptn-context", "6c1f7c1e")
    assert followed.returncode == 0, followed.stderr

    shown = run(str(HELMWAKE), *replay[1:], cwd=tmp_path).stdout

    assert "install shop/cart" in shown
    assert "6c1f7c1e" in shown


def test_the_bundled_recording_is_asked_by_its_keptn_context() -> None:
    ask = shlex.split(list(commands())[-1])
    shown = run(str(HELMWAKE), *ask[1:]).stdout
    assert '"resourceSpans"' in shown
    assert shown.count('"upgrade sockshop-prod/carts"') == 1
