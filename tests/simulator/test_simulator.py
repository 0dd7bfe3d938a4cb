"""The simulator writes the rows of helm-storage.md's table, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Fate, RefusedError
from tests.simulator.release import Chart, HookSpec
from tests.simulator.simulated import SimulatedHelm
from tests.simulator.strategies import AROUND, LOAD, MIGRATE, NOTIFY, SMOKE, SWEEP
from tests.simulator.telling import NEVER, NEXT, after, installed, payload, simulated

INSTALL_ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "install": ({}, ["C v1 pending-install", "U v1 deployed"]),
    "install with a hook before and one after": (
        {"chart": Chart(hooks=(MIGRATE, NOTIFY))},
        ["C v1 pending-install", *["U v1 pending-install"] * 2, "U v1 deployed"],
    ),
    "install fails": (
        {"fate": Fate(apply_error=True)},
        ["C v1 pending-install", "U v1 failed"],
    ),
    "install --wait times out": (
        {"chart": NEVER, "wait": True, "timeout": 20.0},
        ["C v1 pending-install", "U v1 failed"],
    ),
    "install --atomic fails": (
        {"chart": NEVER, "atomic": True, "timeout": 20.0},
        ["C v1 pending-install", "U v1 uninstalling", "D v1"],
    ),
    "install killed": ({"fate": Fate(killed_after=1)}, ["C v1 pending-install"]),
    "install interrupted": (
        {"fate": Fate(interrupted_after=1)},
        ["C v1 pending-install", "U v1 failed"],
    ),
}


@pytest.mark.parametrize("helm", [3, 4])
@pytest.mark.parametrize("row", INSTALL_ROWS)
def test_install_rows(row: str, helm: int) -> None:
    flags, expected = INSTALL_ROWS[row]
    assert after(simulated(helm=helm), lambda helm: helm.install(**flags)) == expected


UPGRADED = ["C v2 pending-upgrade", "U v1 superseded", "U v2 deployed"]
ROLLED_BACK = ["C v3 pending-rollback", "U v1 superseded", "U v3 deployed"]
FAILED = ["C v2 pending-upgrade", "U v2 failed"]
UPGRADE_ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "upgrade": ({"chart": NEXT}, UPGRADED),
    "upgrade fails": ({"chart": NEXT, "fate": Fate(apply_error=True)}, FAILED),
    "upgrade --wait times out": ({"chart": NEVER, "wait": True, "timeout": 20.0}, FAILED),
    "upgrade --atomic fails": (
        {"chart": NEVER, "atomic": True, "timeout": 20.0},
        [*FAILED, *ROLLED_BACK],
    ),
    "upgrade with a failing hook": (
        {"chart": Chart(hooks=(MIGRATE,)), "fate": Fate(failing_hook="migrate")},
        ["C v2 pending-upgrade", "U v2 pending-upgrade", "U v2 failed"],
    ),
    "upgrade with room for the deployed one only": (
        {"chart": NEXT, "history_max": 1},
        UPGRADED,
    ),
    "upgrade killed before its last write": (
        {"chart": NEXT, "fate": Fate(killed_after=2)},
        ["C v2 pending-upgrade", "U v1 superseded"],
    ),
}


@pytest.mark.parametrize("helm", [3, 4])
@pytest.mark.parametrize("row", UPGRADE_ROWS)
def test_upgrade_rows(row: str, helm: int) -> None:
    flags, expected = UPGRADE_ROWS[row]
    assert after(installed(helm=helm), lambda helm: helm.upgrade(**flags)) == expected


def test_prune_spares_the_deployed_one_and_goes_oldest_first() -> None:
    helm = installed()
    for image in ("2.0", "3.0"):
        helm.upgrade(chart=Chart(image=image))
    helm.upgrade(fate=Fate(apply_error=True))

    written = after(helm, lambda helm: helm.upgrade(history_max=2))

    assert written == [
        *["D v1", "D v2", "D v4"],
        *["C v5 pending-upgrade", "U v3 superseded", "U v5 deployed"],
    ]


def test_upgrade_with_nothing_deployed_supersedes_the_failed_one() -> None:
    helm = simulated()
    helm.install(fate=Fate(apply_error=True))
    assert after(helm, lambda helm: helm.upgrade()) == UPGRADED
    assert helm.truth[0].state == "failed"


def twice_upgraded(**more: Any) -> SimulatedHelm:
    helm = installed(**more)
    helm.upgrade(chart=NEXT)
    helm.settle()
    return helm


ROLLBACK_ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "rollback": ({}, ["C v3 pending-rollback", "U v2 superseded", "U v3 deployed"]),
    "rollback, pods never ready": (
        {"wait": True, "timeout": 9.0, "fate": Fate(never_ready=True)},
        ["C v3 pending-rollback", "U v3 failed"],
    ),
    "rollback apply error": (
        {"fate": Fate(apply_error=True)},
        ["C v3 pending-rollback", "U v2 superseded", "U v3 failed"],
    ),
    "rollback killed": ({"fate": Fate(killed_after=1)}, ["C v3 pending-rollback"]),
}


@pytest.mark.parametrize("row", ROLLBACK_ROWS)
def test_rollback_rows(row: str) -> None:
    flags, expected = ROLLBACK_ROWS[row]
    assert after(twice_upgraded(), lambda helm: helm.rollback(**flags)) == expected


def test_rollback_hook_error_stays_pending_with_its_hook_running() -> None:
    helm = simulated()
    helm.install(chart=Chart(hooks=(MIGRATE,)))
    helm.upgrade(chart=NEXT)

    written = after(helm, lambda helm: helm.rollback(fate=Fate(failing_hook="migrate")))

    assert written == ["C v3 pending-rollback", "U v3 pending-rollback"]
    assert payload(helm)["hooks"][0]["last_run"]["phase"] == "Running"
    assert helm.truth[-1].outcomes == ()


def test_rollback_over_a_killed_upgrade_abandons_it() -> None:
    helm = installed()
    upgrade = helm.upgrade(chart=NEXT, fate=Fate(killed_after=1))
    with pytest.raises(RefusedError):
        helm.upgrade()

    written = after(helm, lambda helm: helm.rollback(to=1))

    assert written == ["C v3 pending-rollback", "U v1 superseded", "U v3 deployed"]
    assert upgrade.state == "abandoned"


UNINSTALL_ROWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "uninstall": ({}, ["U v2 uninstalling", "D v1", "D v2"]),
    "uninstall --keep-history": (
        {"keep_history": True},
        ["U v2 uninstalling", "U v2 uninstalled"],
    ),
    "uninstall whose deletion fails": ({"delete_error": True}, ["U v2 uninstalling"]),
    "uninstall killed while it purges": (
        {"fate": Fate(killed_after=2)},
        ["U v2 uninstalling", "D v1"],
    ),
}


@pytest.mark.parametrize("driver", ["secret", "configmap"])
@pytest.mark.parametrize("row", UNINSTALL_ROWS)
def test_uninstall_rows(row: str, driver: str) -> None:
    flags, expected = UNINSTALL_ROWS[row]
    helm = twice_upgraded(driver=driver)
    assert after(helm, lambda helm: helm.uninstall(**flags)) == expected


def test_uninstall_keeping_history_supersedes_what_else_was_deployed() -> None:
    helm = installed()
    helm.upgrade(fate=Fate(apply_error=True))
    written = after(helm, lambda helm: helm.uninstall(keep_history=True))
    assert written == ["U v2 uninstalling", "U v2 uninstalled", "U v1 superseded"]


def test_uninstall_is_retried_after_a_failed_hook() -> None:
    helm = simulated()
    helm.install(chart=Chart(hooks=(SWEEP,)))

    first = after(helm, lambda helm: helm.uninstall(fate=Fate(failing_hook="sweep")))
    second = after(helm, lambda helm: helm.uninstall())

    assert first == ["U v1 uninstalling"]
    # pre-delete start, the write of the state, post-delete start
    assert second == [*["U v1 uninstalling"] * 3, "D v1"]
    _, failed, retried = helm.truth
    assert (failed.state, retried.state) == ("abandoned", "succeeded")
    assert failed.uid == retried.uid
    assert failed.start < retried.start


def test_purge_of_a_kept_history_is_no_operation() -> None:
    helm = installed()
    helm.uninstall(keep_history=True)
    assert helm.uninstall() is None
    assert [incident.kind for incident in helm.incidents] == ["purge"]


def test_replace_supersedes_the_uninstalled_one_and_goes_on_counting() -> None:
    helm = installed()
    helm.uninstall(keep_history=True)
    written = after(helm, lambda helm: helm.install(replace=True))
    assert written == ["U v1 superseded", "C v2 pending-install", "U v2 deployed"]


def test_replace_leaves_a_failed_one_alone() -> None:
    helm = simulated()
    helm.install(fate=Fate(apply_error=True))
    written = after(helm, lambda helm: helm.install(replace=True))
    assert written == ["C v2 pending-install", "U v2 deployed"]


def test_reinstall_has_the_old_name_and_another_uid() -> None:
    helm = installed()
    first = helm.truth[0]
    helm.uninstall()
    again = helm.install()
    assert again.revision == first.revision == 1
    assert again.uid != first.uid


def test_test_writes_each_start_and_one_end() -> None:
    helm = simulated()
    helm.install(chart=Chart(hooks=(SMOKE, LOAD)))

    written = after(helm, lambda helm: helm.test(fate=Fate(failing_hook="load")))

    assert written == ["U v1 deployed"] * 3
    phases = {hook["name"]: hook["last_run"]["phase"] for hook in payload(helm)["hooks"]}
    assert phases == {"smoke": "Succeeded", "load": "Failed"}


def test_filtered_test_hides_the_other_hooks_for_a_while() -> None:
    helm = simulated()
    helm.install(chart=Chart(hooks=(SMOKE, LOAD)))
    helm.test(only=["load"])
    assert [hook["name"] for hook in payload(helm, position=-2)["hooks"]] == ["load"]
    assert [hook["name"] for hook in payload(helm)["hooks"]] == ["smoke", "load"]


def test_hook_completion_waits_for_the_next_write() -> None:
    helm = simulated()
    helm.install(chart=Chart(hooks=(MIGRATE, NOTIFY)))
    runs = [payload(helm, position=at)["hooks"][0]["last_run"]["phase"] for at in (-3, -2)]
    assert runs == ["Running", "Succeeded"]


def test_hook_of_two_events_has_one_slot() -> None:
    helm = installed()
    upgrade = helm.upgrade(chart=Chart(hooks=(AROUND,)))
    (hook,) = payload(helm)["hooks"]
    assert len(upgrade.hook_runs) == 2
    assert hook["last_run"]["started_at"] == upgrade.hook_runs[-1][1]


def test_rollback_copies_the_old_run_of_a_hook() -> None:
    helm = simulated()
    install = helm.install(chart=Chart(hooks=(HookSpec(name="seed", events=("pre-install",)),)))
    helm.upgrade(chart=NEXT)
    helm.rollback(to=1)
    (hook,) = payload(helm)["hooks"]
    assert hook["last_run"]["started_at"] == install.hook_runs[0][1]
    assert hook["last_run"]["started_at"] < payload(helm)["info"]["last_deployed"]


def test_cancelled_hook_is_unknown() -> None:
    helm = simulated()
    operation = helm.install(chart=Chart(hooks=(MIGRATE,)), fate=Fate(interrupted_after=2))
    assert operation.state == "cancelled"
    assert payload(helm)["hooks"][0]["last_run"]["phase"] == "Unknown"
    assert payload(helm)["info"]["description"] == 'Release "cart" failed: context canceled'


def test_simulator_imports_nothing_of_ours() -> None:
    sources = list(Path(__file__).parent.glob("*.py"))
    assert len(sources) > 10
    imports = re.compile(r"^\s*(from|import) helmwake", re.MULTILINE)
    assert not [path.name for path in sources if imports.search(path.read_text())]
