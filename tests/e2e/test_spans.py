"""What people and pipelines are shown of deliveries, while Helm is at work and after."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.controlplane import toolbox
from tests.controlplane.waiting import wait_for
from tests.e2e.ledger.deliveries import Shop
from tests.e2e.ledger.home import Home, home_of
from tests.e2e.ledger.showing import (
    REPLICAS,
    VERSIONS,
    Asked,
    Shown,
    context_of,
    environment,
    namespace_of,
    show,
)
from tests.e2e.programs import HELMWAKE, Recorder, defects
from tests.e2e.spans import from_otlp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane
    from tests.controlplane.commands import HelmVersion

EVERY_VERSION: Final = pytest.mark.parametrize("version", VERSIONS)
DURATION: Final = re.compile(r"\d+(?:\.\d+)?(?:ms|m\d\d|s)s?")
NEVER: Final = 99
REFUSED: Final = "exceeded quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    home: Home
    reader: Path
    shown: Mapping[HelmVersion, Shown]
    lines: str  # of a pipe
    lines_exit_code: int
    in_vain: Asked
    recording: Path

    def spans(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask the ledger, with a reader's rights."""
        return _run([str(HELMWAKE), "spans", *arguments], self)

    def replay(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run([str(HELMWAKE), "replay", str(self.recording), *arguments], self)

    def kubectl(self, *arguments: str, path: str = "") -> str:
        binary = str(toolbox.locate(toolbox.KUBERNETES, "kubectl"))
        done = _run([binary, *arguments, "-n", self.home.ledger], self, path=path)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _run(
    command: list[str], session: Session, *, path: str = ""
) -> subprocess.CompletedProcess[str]:
    env = environment(session.home, session.reader)
    env["PATH"] = os.pathsep.join(filter(None, [path, env["PATH"]]))
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.fixture(scope="module")
def session(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """Everything shown; the operator still runs, and all is delivered."""
    files = tmp_path_factory.mktemp("shown")
    with home_of(control_plane, "shown", files) as home:
        home.begin()
        recording = files / "recording.jsonl"
        with Recorder(recording, kubeconfig=control_plane.kubeconfig, log=files / "recorder.log"):
            for version in VERSIONS:
                home.observed(namespace_of(version))
                shop = Shop(
                    cluster=control_plane, namespace=namespace_of(version), version=version
                )
                shop.install("cart", replicas=REPLICAS)
            for version in VERSIONS:
                home.backend.wait_for(namespace_of(version), "install cart 1")
            reader = home.reader()
            shown, lines, in_vain = _shown(home, reader, files)
            code = lines.interrupt()
            for version in VERSIONS:
                home.backend.wait_for(namespace_of(version), "upgrade cart 2", "upgrade cart 3")
        yield Session(
            home=home,
            reader=reader,
            shown=shown,
            lines=lines.output,
            lines_exit_code=code,
            in_vain=in_vain,
            recording=recording,
        )


def _shown(home: Home, reader: Path, files: Path) -> tuple[dict[HelmVersion, Shown], Asked, Asked]:
    def ask(*arguments: str, name: str) -> Asked:
        return Asked(*arguments, home=home, kubeconfig=reader, log=files / f"{name}.txt")

    async def both() -> list[Shown]:
        return await asyncio.gather(
            *(show(home, version, reader=reader, files=files) for version in VERSIONS)
        )

    revision = f"{namespace_of(4)}/cart@{NEVER}"
    lines = ask("--follow", name="lines")
    in_vain = ask("--wait", "--release", revision, "--timeout", "3s", name="in-vain")
    try:
        shown = dict(zip(VERSIONS, asyncio.run(both()), strict=True))
        in_vain.ended()
        wait_for("the last line", lambda: len(re.findall("cart#3 .*failure", lines.output)) >= 2)
    except BaseException:
        lines.kill()
        in_vain.kill()
        raise
    return shown, lines, in_vain


@EVERY_VERSION
def test_a_terminal_shows_how_far_a_running_upgrade_is(
    session: Session, version: HelmVersion
) -> None:
    screens = session.shown[version].running
    name = f"upgrade {namespace_of(version)}/cart#2"
    running = [screen for screen in screens if f"… {name}" in screen]

    assert any("apply  pending-upgrade" in re.sub(" +", "  ", screen) for screen in running)
    rolling = [screen for screen in running if "rollout deployment/cart" in screen]
    counts = [int(found) for screen in rolling for found in re.findall(r"(\d) of 3 ready", screen)]
    assert counts, "\n\n".join(running)
    assert counts == sorted(counts)
    assert set(counts) & {1, 2}, counts
    assert all(context_of(version, 2) in screen for screen in running)


@EVERY_VERSION
def test_a_terminal_shows_the_cause_while_the_upgrade_still_runs(
    session: Session, version: HelmVersion
) -> None:
    screens = session.shown[version].failing
    name = f"… upgrade {namespace_of(version)}/cart#3"
    running = [screen for screen in screens if name in screen]

    assert any(REFUSED in " ".join(screen.split()) for screen in running), "\n\n".join(running)


@EVERY_VERSION
def test_finished_waterfalls_stay_on_the_terminal(session: Session, version: HelmVersion) -> None:
    shown = session.shown[version]
    titles = [line for line in shown.left.splitlines() if line[:1] in {"✓", "✗", "…"}]

    release = f"upgrade {namespace_of(version)}/cart"
    assert shown.exit_code == 130
    assert [title.split("  ")[0] for title in titles] == [f"✓ {release}", f"✗ {release}"]
    assert REFUSED in " ".join(shown.left.split())
    assert "nothing is running" not in shown.left


def test_a_pipe_gets_a_line_for_each_change(session: Session) -> None:
    lines = session.lines.splitlines()
    for version in VERSIONS:
        good = [line for line in lines if f"{namespace_of(version)}/cart#2  " in line]
        bad = [line for line in lines if f"{namespace_of(version)}/cart#3  " in line]

        assert "apply  pending-upgrade" in good[0]
        assert any("of 3 ready" in line for line in good)
        assert good[-1].endswith("success")
        assert any(REFUSED in line for line in bad[:-1])
        assert "failure" in bad[-1]
    assert not [line for line in lines if "\x1b" in line]
    assert session.lines_exit_code == 130


@EVERY_VERSION
def test_a_wait_that_began_before_the_upgrade_tells_by_its_exit_code_how_it_ended(
    session: Session, version: HelmVersion
) -> None:
    shown = session.shown[version]

    assert shown.too_early == []
    assert {name[-1]: code for name, code in shown.exit_codes.items()} == {"2": 0, "3": 1}


def test_a_wait_in_vain_times_out(session: Session) -> None:
    assert session.in_vain.exit_code == 3
    assert session.in_vain.errors == (
        "helmwake: timed out after 3s: no install, upgrade or rollback of "
        f"{namespace_of(4)}/cart@{NEVER} was seen\n"
    )


def test_kubectl_finds_a_delivery_by_its_keptn_context(session: Session) -> None:
    listed = session.kubectl("get", "releasetraces", "-l", f"keptn.sh/context={context_of(4, 3)}")
    header, *rows = listed.splitlines()

    assert header.split() == [
        "NAME", "NAMESPACE", "OPERATION", "RESULT", "CAUSE", "DURATION", "KEPTN", "CONTEXT", "AGE",
    ]  # fmt: skip
    assert len(rows) == 1
    cells = rows[0].split()
    assert re.fullmatch(r"cart\.v3\.[0-9a-f]{16}", cells[0])
    assert cells[1:5] == ["shown-4", "upgrade", "failure", "failed_create"]
    assert DURATION.fullmatch(cells[5])
    assert cells[6] == context_of(4, 3)
    assert re.fullmatch(r"\d+s|\d+m\d*s?", cells[7])


def test_kubectl_shows_state_trace_and_message_where_there_is_room(session: Session) -> None:
    selector = f"keptn.sh/context={context_of(3, 3)}"
    header, row = session.kubectl("get", "rt", "-o", "wide", "-l", selector).splitlines()
    trace = {
        span.context[0]
        for span in session.home.backend.spans("shown-3")
        if span.is_root and span["helm.release.revision"] == 3
    }

    assert header.split()[10:15] == ["STATE", "TRACE", "ID", "MESSAGE", "AGE"]
    assert "Delivered" in row
    assert trace == {row.split()[10]}
    assert REFUSED in row


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("status.result=failure", 2),
        ("status.state=Delivered", 6),
        ("status.state=Running", 0),
        ("spec.release.namespace=shown-3,spec.revision=2", 1),
        ("spec.release.name=cart,spec.operation=install", 2),
        (f"status.keptn.context={context_of(4, 2)}", 1),
    ],
)
def test_kubectl_selects_by_fields(session: Session, selector: str, count: int) -> None:
    found = session.kubectl("get", "rt", "--field-selector", selector, "-o", "name")

    assert len(found.splitlines()) == count


def test_spans_is_a_plugin_of_kubectl(session: Session) -> None:
    asked = ("--keptn-context", context_of(4, 2), "--namespace", session.home.ledger)
    binary = str(toolbox.locate(toolbox.KUBERNETES, "kubectl"))

    done = _run([binary, "helmwake", "spans", *asked], session, path=str(HELMWAKE.parent))

    assert done.returncode == 0, done.stderr
    assert done.stdout == session.spans(*asked).stdout
    assert "upgrade shown-4/cart" in done.stdout


def test_unknown_context_is_one_line_that_names_what_is_known(session: Session) -> None:
    done = session.spans("--keptn-context", "nobody")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert context_of(4, 3) in done.stderr


@pytest.mark.parametrize(("version", "revision"), [(3, 3), (4, 2)])
def test_the_ledger_and_a_recording_show_the_same_waterfall(
    session: Session, version: HelmVersion, revision: int
) -> None:
    asked = ("--keptn-context", context_of(version, revision))

    from_ledger, from_recording = session.spans(*asked), session.replay(*asked)

    assert from_ledger.returncode == 0, from_ledger.stderr
    assert shape(from_ledger.stdout) == shape(from_recording.stdout)


def test_the_ledger_and_a_recording_have_the_same_spans(session: Session) -> None:
    told = from_otlp(json.loads(session.spans("-o", "otlp-json").stdout))
    replayed = from_otlp(json.loads(session.replay("-o", "otlp-json").stdout))

    found = {span.identity for span in replayed if span.run in {each.run for each in told}}
    assert {span.identity for span in told} == found


def shape(tree: str) -> list[str]:
    """Leave out what two watchers of the same may see at other moments: times and bars."""
    lines = [DURATION.sub("TIME", line) for line in tree.splitlines()]
    return [re.sub(r"[^\w/:.,()-]+", " ", line).strip() for line in lines]


@EVERY_VERSION
def test_otlp_json_has_the_spans_that_the_backend_got(
    session: Session, version: HelmVersion
) -> None:
    namespace = namespace_of(version)
    asked = ("--release", f"{namespace}/cart", "-o", "otlp-json")
    told: Any = json.loads(session.spans(*asked).stdout)
    by_context = {span.context: span for span in from_otlp(told)}

    got = {span.context: span for span in session.home.backend.spans(namespace)}

    assert by_context == got


def test_each_operation_was_delivered_once(session: Session) -> None:
    for version in VERSIONS:
        assert session.home.backend.roots(namespace_of(version)) == [
            "install cart 1",
            "upgrade cart 2",
            "upgrade cart 3",
        ]
    assert defects(session.home.log) == []
