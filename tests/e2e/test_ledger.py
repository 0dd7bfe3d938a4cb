"""The operator's ledger in a real cluster: restarts, rest, and all that people do to it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pytest

from tests.controlplane.waiting import wait_for
from tests.e2e.ledger import damage
from tests.e2e.ledger.deliveries import Shop
from tests.e2e.ledger.home import PROGRESS, Home, home_of, state_of
from tests.e2e.spans import Span
from tests.e2e.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.cluster import ControlPlane

REST: Final = timedelta(seconds=30)
NO_HISTORY: Final = ("--backfill", "none")
LONG: Final = "6s"
OLD: Final = "restarted-old"  # what it holds is older than the operator's first life


# Restarts, and then rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarts:
    """Four lives of one operator; the last one still runs, and nothing more happens."""

    home: Home
    left: Any  # the entry of the upgrade that ran when the first life ended
    completed: datetime  # its rollout, as Kubernetes has it, to the second
    counted: list[Counter[str]]  # durations by result, of each life but the first
    exit_codes: list[int]
    starts: list[datetime]
    cost: list[Any]  # requests of the last upgrade
    rests_since: datetime

    @property
    def namespace(self) -> str:
        return "restarted"

    def root(self, name: str, revision: int) -> Span:
        [found] = [
            span
            for span in self.home.backend.spans(self.namespace)
            if span.is_root and span.operation == (name, revision)
        ]
        return found


@pytest.fixture(scope="module")
def restarts(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Restarts]:
    with home_of(control_plane, "restarted", tmp_path_factory.mktemp("restarted")) as home:
        yield _restarts(home)


def _restarts(home: Home) -> Restarts:
    namespace = home.observed("restarted")
    shop = Shop(cluster=home.cluster, namespace=namespace)
    workload = Workload(api=home.cluster.api, namespace=namespace)
    counted: list[Counter[str]] = []
    exit_codes: list[int] = []

    def stop() -> None:
        metrics = home.operator.ask("/metrics")
        counted.append(damage.counted_durations(metrics, namespace))
        exit_codes.append(home.operator.stop())

    old = Shop(cluster=home.cluster, namespace=home.observed(OLD))
    old.install("cart")
    home.begin(*NO_HISTORY)
    shop.install("cart")
    home.backend.wait_for(namespace, "install cart 1")
    shop.upgrade("cart", readyAfter=LONG, podAnnotations={"step": "2"})
    left = home.wait_until_rolling(namespace, "cart", 2)
    stop()

    home.begin(*NO_HISTORY)
    home.wait_until_delivered(namespace, "cart", 2)
    completed = _progressed(home.cluster.api.get(workload.path))
    stop()

    tests = {"first": {"enabled": True}}
    shop.upgrade("cart", podAnnotations={"step": "3"}, tests=tests)
    shop.test("cart")
    old.upgrade("cart", podAnnotations={"step": "2"})
    workload.wait_until_ready()
    home.begin(*NO_HISTORY)
    home.backend.wait_for(namespace, "upgrade cart 3", "test cart 3")
    home.backend.wait_for(OLD, "upgrade cart 2")
    home.wait_until_delivered(namespace, "cart", 3)
    stop()

    home.begin(*NO_HISTORY)
    began = datetime.now(UTC)
    shop.upgrade("cart", podAnnotations={"step": "4"}, tests=tests)
    home.backend.wait_for(namespace, "upgrade cart 4")
    home.wait_until_delivered(namespace, "cart", 4)
    time.sleep(1)  # the audit log is written behind
    rests_since = datetime.now(UTC)
    return Restarts(
        home=home,
        left=left,
        completed=completed,
        counted=counted,
        exit_codes=exit_codes,
        starts=[life.began for life in home.operator.lives],
        cost=requests(home, since=began, until=rests_since),
        rests_since=rests_since,
    )


def _progressed(deployment: Any) -> datetime:
    [condition] = [
        each for each in deployment["status"]["conditions"] if each["type"] == "Progressing"
    ]
    return datetime.fromisoformat(condition["lastUpdateTime"])


def requests(home: Home, *, since: datetime, until: datetime | None = None) -> list[Any]:
    """Return the operator's own, each once; a watch counts when it begins."""
    events = {
        event["auditID"]: event
        for event in home.cluster.audit_events(user=home.user, since=since)
        if until is None or datetime.fromisoformat(event["requestReceivedTimestamp"]) < until
    }
    return list(events.values())


def wording(event: Any) -> str:
    reference = event.get("objectRef", {})
    kind = "/".join(filter(None, (reference.get("resource"), reference.get("subresource"))))
    return f"{event['verb']} {kind or event['requestURI']}"


def test_an_upgrade_goes_on_over_a_restart_as_the_same_trace(restarts: Restarts) -> None:
    root = restarts.root("upgrade", 2)

    assert root.context[0] == restarts.left["status"]["traceId"]
    assert root.verdict == "success"
    started = datetime.fromisoformat(restarts.left["status"]["started"])
    assert abs(root.start - started) < timedelta(milliseconds=1)
    # The operator ran again when the rollout was complete.
    assert timedelta(seconds=-1) < root.end - restarts.completed < timedelta(seconds=3)
    assert root["helmwake.time.bounded"] is None


def test_an_operation_is_counted_by_the_process_that_saw_its_end(restarts: Restarts) -> None:
    assert restarts.counted == [
        Counter(success=1),  # the install
        Counter(success=1),  # the upgrade over the restart
        Counter(success=2),  # an upgrade and a test that nobody had watched
    ]


def test_what_happened_while_it_was_down_is_told_and_linked(restarts: Restarts) -> None:
    first, second = restarts.root("upgrade", 2), restarts.root("upgrade", 3)
    test = restarts.root("test", 3)

    assert (second.verdict, test.verdict) == ("success", "success")
    assert first.context in second.links
    assert second.context in test.links
    assert test.context in restarts.root("upgrade", 4).links


def test_a_restart_delivers_nothing_again(restarts: Restarts) -> None:
    assert restarts.home.backend.roots("restarted") == [
        "install cart 1",
        "test cart 3",
        "upgrade cart 2",
        "upgrade cart 3",
        "upgrade cart 4",
    ]
    assert restarts.exit_codes == [0, 0, 0]
    assert restarts.home.operator.defects == []


def test_what_is_older_than_the_window_is_not_told_because_it_was_superseded(
    restarts: Restarts,
) -> None:
    assert restarts.home.backend.roots(OLD) == ["upgrade cart 2"]


def test_a_start_lists_only_entries_that_may_be_open(restarts: Restarts) -> None:
    """All others only where a release's own past is asked for, or to find what is too old."""
    for since in restarts.starts:
        lists = [
            event
            for event in requests(restarts.home, since=since, until=since + timedelta(seconds=30))
            if wording(event) == "list releasetraces"
        ]
        selectors = [
            unquote(event["requestURI"]).partition("labelSelector=")[2] for event in lists
        ]
        assert selectors
        assert any("helmwake.dev/state" in each for each in selectors)
        assert all("helmwake.dev/" in each for each in selectors), selectors


def test_an_operation_costs_few_requests(restarts: Restarts) -> None:
    cost = Counter(wording(event) for event in restarts.cost)
    print("\nrequests for one upgrade:", dict(cost))  # noqa: T201  # measured

    assert cost["create releasetraces"] == 1
    assert cost["get secrets"] <= 3
    assert cost["patch releasetraces/status"] <= 8
    assert cost["patch releasetraces"] <= 3
    assert cost.total() <= 20


# Bad input


@pytest.fixture(scope="module")
def homeless(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, str, str]]:
    """An operator whose namespace came late; its log and readiness from before that."""
    directory = tmp_path_factory.mktemp("damaged")
    with home_of(control_plane, "damaged", directory, built=False) as home:
        home.begin(ready=False)
        wait_for("a word of it", lambda: "The ledger cannot be read" in _log(home))
        log, why = home.log, damage.readiness(home)
        home.observed("too-early")
        Shop(cluster=control_plane, namespace="too-early").install("cart")
        home.build()
        assert home.operator.wait_until_ready()
        yield home, log, why


def _log(home: Home) -> str:
    return home.log if home.operator.lives[-1].log.exists() else ""


@pytest.fixture
def home(homeless: tuple[Home, str, str]) -> Iterator[Home]:
    """A running operator, all of whose damage is repaired; no operation is ever told twice."""
    found = homeless[0]
    if found.operator.ask("/livez") is None:  # a test before this one failed
        found.begin()
    yield found
    found.backend.away = False
    told = Counter((each.resource["cicd.pipeline.name"], each.id) for each in _roots(found))
    assert [each for each, count in told.items() if count > 1] == []
    assert found.operator.defects == []


def _roots(home: Home) -> list[Any]:
    return [each for each in home.backend.arrived if each.is_root]


@pytest.fixture
def shop(home: Home, request: pytest.FixtureRequest) -> Shop:
    words = request.node.originalname.removeprefix("test_").split("_")
    namespace = home.observed("-".join(words)[:50].strip("-"))
    return Shop(cluster=home.cluster, namespace=namespace)


def wait_until_kept(home: Home, shop: Shop, release: str) -> Any:
    """Wait until an operation has ended and its backend is missed."""
    return home.wait_for_entry(
        shop.namespace,
        release,
        that=lambda found: state_of(found) == "Undelivered",
        what="kept",
    )


def test_without_its_namespace_it_waits_and_says_what_to_do(
    homeless: tuple[Home, str, str],
) -> None:
    home, log, why = homeless

    home.backend.wait_for("too-early", "install cart 1")
    told = [line for line in log.splitlines() if "WARNING" in line]
    assert len(told) == 1
    assert "apply manifests/ again" in told[0] or "kubectl apply -k manifests/" in told[0]
    assert why.startswith("ledger: ")
    assert why.count("\n") == 1


def test_damage_to_running_entries_is_repaired(home: Home, shop: Shop) -> None:
    shop.install_all(["wiped", "removed", "relabelled"], readyAfter=LONG)
    before = {
        name: home.wait_until_rolling(shop.namespace, name)
        for name in ("wiped", "removed", "relabelled")
    }

    damage.status_edited(home, before["wiped"], None)
    damage.entry_deleted(home, before["removed"])
    nonsense = {"helmwake.dev/state": "delivered", "helmwake.dev/release-name": None, "mine": "x"}
    damage.labels_edited(home, before["relabelled"], nonsense)

    for name, was in before.items():
        after = home.wait_until_delivered(shop.namespace, name)
        labels = after["metadata"]["labels"]
        assert after["metadata"]["name"] == was["metadata"]["name"]
        assert after["status"]["traceId"] == was["status"]["traceId"]
        assert after["status"]["result"] == "success"
        assert labels["helmwake.dev/release-name"] == name
        assert labels["helmwake.dev/state"] == "delivered"
        assert ("mine" in labels) is (name == "relabelled")  # other people's stay
    assert home.backend.roots(shop.namespace) == [
        "install relabelled 1",
        "install removed 1",
        "install wiped 1",
    ]
    assert len(home.said("wiped.v1", "edited by hand")) == 1
    assert len(home.said("removed.v1", "deleted by hand")) == 1


def test_damage_to_undelivered_entries_is_repaired(home: Home, shop: Shop) -> None:
    home.backend.away = True
    shop.install_all(["wiped", "removed"])
    for name in ("wiped", "removed"):
        entry = wait_until_kept(home, shop, name)
        if name == "wiped":
            damage.status_edited(home, entry, None)
        else:
            damage.entry_deleted(home, entry)
    home.backend.away = False

    for name in ("wiped", "removed"):
        after = home.wait_until_delivered(shop.namespace, name)
        assert after["status"]["result"] == "success"
        assert after["metadata"]["labels"]["helmwake.dev/state"] == "delivered"
    assert home.backend.roots(shop.namespace) == ["install removed 1", "install wiped 1"]


# What was done to an entry while its operator was down.
REBUILT: Final = ("run-wiped", "wait-newer")
AS_IT_WAS: Final = ("wait-more-fields", "wait-relabelled", "wait-unlabelled", "run-unlabelled")
LEFT_ALONE: Final = ("run-wiped-gone", "wait-newer-gone")


def test_damage_while_it_was_down_is_repaired_where_the_record_is_left(
    home: Home, shop: Shop
) -> None:
    home.backend.away = True
    everything = (*REBUILT, *AS_IT_WAS, *LEFT_ALONE)
    shop.install_all([name for name in everything if name.startswith("wait")])
    shop.install_all([name for name in everything if name.startswith("run")], readyAfter="15s")
    entries = {
        name: home.wait_until_rolling(shop.namespace, name)
        if name.startswith("run")
        else wait_until_kept(home, shop, name)
        for name in everything
    }
    home.operator.kill("to damage what it keeps")
    damage.newer_version_installed(home, entries["wait-newer"])
    damage.status_edited(home, entries["wait-newer-gone"], {"state": "Archived"})
    damage.status_edited(home, entries["wait-more-fields"], {"future": {"is": "bright"}})
    for name in ("run-wiped", "run-wiped-gone"):
        damage.status_edited(home, entries[name], None)
        damage.annotations_removed(home, entries[name])
    damage.labels_edited(home, entries["wait-relabelled"], {"helmwake.dev/release-name": "other"})
    for name in ("wait-unlabelled", "run-unlabelled"):
        damage.labels_edited(home, entries[name], {"helmwake.dev/state": None})
    shop.uninstall_all(LEFT_ALONE)
    home.backend.away = False

    home.begin()

    for name in (*REBUILT, *AS_IT_WAS):
        after = home.wait_until_delivered(shop.namespace, name)
        assert after["status"]["traceId"] == entries[name]["status"]["traceId"]
        assert after["status"]["result"] == "success"
        assert after["metadata"]["labels"]["helmwake.dev/release-name"] == name
        assert after["metadata"]["labels"]["helmwake.dev/state"] == "delivered"
    for name in LEFT_ALONE:
        after = home.wait_for_entry(
            shop.namespace,
            name,
            that=lambda found: state_of(found) == "Unreadable",
            what="left alone",
        )
        [condition] = after["status"]["conditions"]
        assert (condition["type"], condition["status"]) == ("Readable", "False")
        assert "status" in condition["message"]
        assert after["metadata"]["labels"]["helmwake.dev/state"] == "unreadable"
        assert len(home.said(entries[name]["metadata"]["name"], "left alone")) == 1
    assert [each for each in home.backend.roots(shop.namespace) if "install" in each] == sorted(
        f"install {name} 1" for name in (*REBUILT, *AS_IT_WAS)
    )

    # The older CRD again: it takes nobody from the ledger, and the next start finds peace.
    damage.crd_applied(home)
    home.operator.stop()
    home.begin()
    assert home.said("WARNING") == []


def test_damage_to_the_progress_loses_and_doubles_nothing(home: Home, shop: Shop) -> None:
    api = home.cluster.api
    shop.install("cart")
    home.backend.wait_for(shop.namespace, "install cart 1")

    damage.progress_broken(home)
    shop.upgrade("cart", podAnnotations={"step": "2"})
    home.wait_until_delivered(shop.namespace, "cart", 2)
    home.operator.stop()
    assert "nonsense" not in str(api.get(home.progress)["data"])

    damage.progress_broken(home)
    shop.upgrade("cart", podAnnotations={"step": "3"})
    home.begin()
    home.wait_until_delivered(shop.namespace, "cart", 3)
    assert home.said(PROGRESS, "it is passed over")
    api.delete(home.progress)
    shop.upgrade("cart", podAnnotations={"step": "4"})
    home.wait_until_delivered(shop.namespace, "cart", 4)
    home.operator.stop()
    assert api.find(home.progress) is not None

    api.delete(home.progress)
    shop.upgrade("cart", podAnnotations={"step": "5"})
    home.begin()
    home.wait_until_delivered(shop.namespace, "cart", 5)
    assert home.backend.roots(shop.namespace) == [
        "install cart 1",
        *(f"upgrade cart {revision}" for revision in range(2, 6)),
    ]


def test_without_its_rights_it_waits_and_says_what_to_do(home: Home, shop: Shop) -> None:
    shop.install("before", readyAfter=LONG)
    home.wait_until_rolling(shop.namespace, "before")

    damage.rights_are_gone(home)
    shop.install("meanwhile")
    wait_for("a word of it", lambda: home.said("The ledger cannot be written"))
    why = damage.readiness(home)
    home.operator.kill("without rights")
    home.begin(ready=False)
    wait_for("a word of it", lambda: "The ledger cannot be read" in _log(home))
    assert home.operator.ask("/livez") == "ok\n"
    assert home.operator.ask("/readyz") is None
    damage.rights_are_back(home)
    assert home.operator.wait_until_ready()

    home.wait_until_delivered(shop.namespace, "before")
    home.wait_until_delivered(shop.namespace, "meanwhile")
    assert why == f"ledger: the operator may not {why[28:].strip()}\n"
    assert "apply manifests/ again" in why
    assert len(home.said("The ledger cannot be read")) == 1
    assert home.backend.roots(shop.namespace) == ["install before 1", "install meanwhile 1"]


def test_an_idle_cluster_is_asked_and_written_nothing(restarts: Restarts) -> None:
    """One write after the last operation: how far the cluster was read, seldom and late."""
    home = restarts.home
    last = wait_for(
        "the last write",
        lambda: [
            event
            for event in requests(home, since=restarts.rests_since)
            if wording(event) == "patch configmaps"
        ],
    )
    written = datetime.fromisoformat(last[-1]["requestReceivedTimestamp"])
    rest = (written + REST - datetime.now(UTC)).total_seconds()
    time.sleep(max(rest, 0))  # there is nothing to wait for: that nothing happens is the point

    asked = Counter(
        wording(event)
        for event in requests(home, since=restarts.rests_since, until=written + REST)
        if event["verb"] != "watch"
    )
    # Once an hour, and first after a minute, it looks for what is too old.
    assert asked.pop("list releasetraces", 0) <= 1
    assert asked == Counter({"patch configmaps": 1})


def test_without_the_crd_it_waits_and_loses_nothing(home: Home, shop: Shop) -> None:
    """The last test here: with the CRD go all entries in the cluster."""
    shop.install("before", readyAfter=LONG)
    home.wait_until_rolling(shop.namespace, "before")

    damage.crd_removed(home)
    shop.install("meanwhile")
    wait_for("a word of it", lambda: home.said("The ledger cannot be written"))
    why = damage.readiness(home)
    alive = home.operator.ask("/livez")
    damage.crd_applied(home)
    for name in ("before", "meanwhile"):
        home.wait_until_delivered(shop.namespace, name)
    assert (alive, home.operator.ask("/readyz")) == ("ok\n", "ok\n")
    assert why.startswith("ledger: ")
    assert len(home.said("The ledger cannot be written")) == 1
    assert len(home.said("The ledger can be written again")) == 1

    # How far the cluster was read is written at an end in order, and else every 30 s: what no
    # entry tells of any more is known by that alone.
    home.operator.stop()
    home.begin()
    damage.crd_removed(home)
    shop.install("later")
    wait_for("a word of it", lambda: home.said("The ledger cannot be written"))
    home.operator.kill("without the CRD")
    home.begin(ready=False)
    wait_for("a word of it", lambda: "The ledger cannot be read" in _log(home))
    why = damage.readiness(home)
    damage.crd_applied(home)
    assert home.operator.wait_until_ready()
    home.wait_until_delivered(shop.namespace, "later")
    assert "kubectl apply -k manifests/" in why
    assert home.backend.roots(shop.namespace) == [
        "install before 1",
        "install later 1",
        "install meanwhile 1",
    ]
