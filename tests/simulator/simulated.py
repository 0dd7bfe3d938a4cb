"""`SimulatedHelm`: run operations on one release, then read `events` and `truth`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tests.simulator.client import (
    Client,
    Fate,
    InterruptedHelmError,
    KilledError,
    RefusedError,
)
from tests.simulator.cluster import Cluster, Event, Manager, Object, stamp
from tests.simulator.deliver import PENDING, Delivery, install, upgrade
from tests.simulator.release import Release
from tests.simulator.revert import rollback, run_tests, uninstall
from tests.simulator.storage import Driver, Storage
from tests.simulator.truth import ABANDONED, Incident, Operation
from tests.simulator.workloads import Workloads
from tests.simulator.world import World

FINE: Final = Fate()
OBSERVED: Final[Mapping[str, str]] = {"helmwake.dev/observe": "enabled"}
KUBECTL: Final = Manager("kubectl-create")
NAMESPACE_CONTROLLER: Final = Manager("kube-controller-manager")


class SimulatedHelm:
    """One release in one namespace, and everyone who touches it.

    Every method carries one operation out to its end in virtual time and returns its
    ground truth. What Helm itself refuses raises `RefusedError` and writes nothing.
    Time between operations passes with `sleep`, and `settle` waits for the last rollout.

    Example:
        helm = SimulatedHelm(start=NOON, helm=4)
        helm.install(chart=Chart(hooks=(MIGRATE,)), labels={"keptn.sh/context": "a3f1"})
        helm.settle()
        failed = helm.upgrade(chart=Chart(image="2.0", ready_after=None), atomic=True)
        assert failed.outcomes[0].admits("timeout", "progress_deadline_exceeded")
        assert helm.truth[-1].nested  # the rollback inside --atomic

    A second release on the same `cluster` comes after or between this one's operations;
    for operations at the same time give each simulator a `lane` of its own and merge
    (`cluster.merged`).
    """

    def __init__(
        self,
        *,
        start: datetime,
        helm: int = 4,
        driver: Driver = "secret",
        namespace: str = "shop",
        release: str = "cart",
        lane: int = 0,
        cluster: Cluster | None = None,
        skew: timedelta = timedelta(0),
        offset: timedelta = timedelta(0),
        namespace_labels: Mapping[str, str] = OBSERVED,
    ) -> None:
        """Begin with an empty namespace, which is made if the cluster lacks it.

        `skew` is how far the client's clock is ahead, `offset` its time zone.
        """
        self.cluster = cluster or Cluster(start=start, lane=lane)
        self.truth: list[Operation] = []
        self.incidents: list[Incident] = []
        self._labels = dict(namespace_labels)
        where: Any = {"namespace": namespace, "release": release, "helm": helm}
        self._world = World(
            cluster=self.cluster,
            storage=Storage(self.cluster, driver=driver, **where),
            workloads=Workloads(self.cluster, **where),
            **where,
            skew=skew,
            offset=offset,
            truth=self.truth,
            incidents=self.incidents,
        )
        self._ensure_namespace()

    @property
    def events(self) -> list[Event]:
        """All watch events of the cluster so far, in true order."""
        return self.cluster.events

    @property
    def namespace(self) -> str:
        return self._world.namespace

    @property
    def release(self) -> str:
        return self._world.release

    def history(self) -> list[Release]:
        """Read what `helm history` would show, ascending."""
        return self._world.storage.history()

    def status(self) -> str | None:
        """Read the latest revision's status; None if there is no release."""
        last = self._world.storage.last()
        return last.info.status if last else None

    def deployments(self) -> list[str]:
        return self._world.workloads.names()

    def install(self, *, fate: Fate = FINE, **flags: Any) -> Operation:
        """Run `helm install`; the flags are those of `Delivery`.

        After an uninstall it is a reinstall: revision 1 again, another uid.
        """
        self._ensure_namespace()
        delivery = Delivery(**flags)
        return self._run(fate, lambda client: install(client, delivery))

    def upgrade(self, *, fate: Fate = FINE, **flags: Any) -> Operation:
        """Run `helm upgrade`. With `atomic` and a failure, the rollback is `truth[-1]`."""
        delivery = Delivery(**flags)
        return self._run(fate, lambda client: upgrade(client, delivery))

    def rollback(self, *, fate: Fate = FINE, **flags: Any) -> Operation:
        """Run `helm rollback`: `to` (0: the revision before), `wait`, `timeout`."""
        return self._run(fate, lambda client: rollback(client, **flags))

    def uninstall(self, *, fate: Fate = FINE, **flags: Any) -> Operation | None:
        """Run `helm uninstall`: `keep_history`, `delete_error`, `description`.

        On a kept history it only purges: no operation, None.
        """
        before = len(self.truth)
        self._attempt(fate, lambda client: uninstall(client, **flags))
        return self.truth[before] if len(self.truth) > before else None

    def test(self, *, fate: Fate = FINE, only: Iterable[str] = ()) -> Operation:
        """Run `helm test`, with `only` as `--filter name=...`."""
        return self._run(fate, lambda client: run_tests(client, only=only))

    def sleep(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def settle(self) -> None:
        """Wait until every rollout is complete or has exceeded its deadline."""
        self.cluster.settle()

    def scale(self, replicas: int, *, by: str = "kubectl") -> None:
        """Scale every Deployment, as `kubectl scale` or, `by` another name, the HPA does."""
        for name in self.deployments():
            self._world.workloads.scale(name, replicas, by=by)
        self._world.note("scale")

    def restart(self) -> None:
        """`kubectl rollout restart` of every Deployment."""
        for name in self.deployments():
            self._world.workloads.restart(name)
        self._world.note("restart")

    def reserialise(self) -> None:
        """Store the latest record again by another Helm version, nothing changed in it."""
        last = self._need_last()
        other = 3 if self._world.helm >= 4 else 4
        self._world.storage.update(last, helm=other)
        self._world.note("re-serialisation", self._world.storage.uid(last.version))

    def unlock(self) -> None:
        """Unlock a stale release as Flux's helm-controller does."""
        last = self._need_last()
        stale = last.info.status
        if stale not in PENDING:
            raise RefusedError("not pending")
        last.set_status("failed", f"Release unlocked from stale '{stale}' state")
        uid = self._world.storage.uid(last.version)
        written = self._world.storage.update(last)
        for operation in self._world.running():
            if operation.uid == uid and operation.kind != "test" and written:
                operation.writes.append((uid, written["metadata"]["resourceVersion"]))
                operation.settle("abandoned", ABANDONED, at=self.cluster.now)
        self._world.note("unlock", uid)

    def delete_record(self, revision: int) -> None:
        """`kubectl delete` one record behind Helm's back."""
        storage = self._world.storage
        uid = storage.uid(revision)
        self._world.lose(uid)
        storage.delete(revision)
        self._world.note("foreign delete", uid)

    def delete_namespace(self) -> None:
        """`kubectl delete namespace`: marked first, then emptied, then gone."""
        found = self.cluster.find("Namespace", "", self.namespace)
        assert found is not None
        found["metadata"]["deletionTimestamp"] = stamp(self.cluster.now)
        found["status"]["phase"] = "Terminating"
        self.cluster.replace(found, by=NAMESPACE_CONTROLLER, fields={"f:status": {}})
        self.cluster.advance(0.2)
        for name in self.deployments():
            self._world.workloads.delete(name)
        storage = self._world.storage
        uids = [storage.uid(known.version) for known in self.history()]
        self._world.lose(*uids)
        for known in self.history():
            storage.delete(known.version)
        self.cluster.advance(5)
        self.cluster.delete("Namespace", "", self.namespace)
        self._world.note("namespace deletion", *uids)

    def _run(self, fate: Fate, action: Callable[[Client], None]) -> Operation:
        before = len(self.truth)
        self._attempt(fate, action)
        if len(self.truth) == before:
            raise KilledError("the client died before its operation could be seen")
        return self.truth[before]

    def _attempt(self, fate: Fate, action: Callable[[Client], None]) -> None:
        client = Client(self._world, fate)
        try:
            action(client)
        except (KilledError, InterruptedHelmError):
            client.give_up()

    def _need_last(self) -> Release:
        last = self._world.storage.last()
        if last is None:
            raise RefusedError("release: not found")
        return last

    def _ensure_namespace(self) -> None:
        if self.cluster.find("Namespace", "", self.namespace):
            return
        new: Object = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": dict(self._labels)},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
        self.cluster.create(new, by=KUBECTL, fields={"f:metadata": {"f:labels": {}}})
