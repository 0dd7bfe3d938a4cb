"""Deployments of one release, and what their controller does with them.

Source: kubernetes/kubernetes, pkg/controller/deployment/{sync,progress}.go.
"""

from dataclasses import dataclass
from typing import Any, Final

from tests.simulator.cluster import Cluster, Manager, Object, stamp
from tests.simulator.release import Chart
from tests.simulator.truth import Rollout

CONTROLLER: Final = Manager("kube-controller-manager", subresource="status")
ANNOTATOR: Final = Manager("kube-controller-manager")
RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
DEADLINE_SECONDS: Final = 600
NOTICE_SECONDS: Final = 0.012

_TEMPLATE_FIELDS: Final[dict[str, Any]] = {"f:spec": {"f:template": {"f:spec": {}}}}
_SCALE_FIELDS: Final[dict[str, Any]] = {"f:spec": {"f:replicas": {}}}
_STATUS_FIELDS: Final[dict[str, Any]] = {"f:status": {"f:conditions": {}}}


@dataclass(slots=True)
class _Change:
    """The controller's work on one pod template."""

    ready_after: float | None
    rollout: Rollout | None
    """None: the change is not Helm's."""


class Workloads:
    """Applies a chart's Deployments as Helm does; their status follows by itself."""

    def __init__(self, cluster: Cluster, *, namespace: str, release: str, helm: int) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._release = release
        self._helm = Manager("helm", operation="Apply" if helm >= 4 else "Update")
        self._changes: dict[str, _Change] = {}

    def apply(self, chart: Chart, *, ready: bool = True) -> list[Rollout]:
        """Create or patch what the chart names, delete what it no longer does.

        Only a changed pod template starts a rollout. An equal one is no write at all.
        """
        for name in [name for name in self._changes if name not in chart.deployments]:
            self.delete(name)
        rollouts = (self._apply_one(name, chart, ready=ready) for name in chart.deployments)
        return [rollout for rollout in rollouts if rollout]

    def names(self) -> list[str]:
        return list(self._changes)

    def unready(self) -> list[str]:
        return [name for name in self._changes if not self._complete(self._live(name))]

    def all_ready(self) -> bool:
        return not self.unready()

    def all_settled(self) -> bool:
        """Say whether each one is either ready or has exceeded its progress deadline."""
        return all(
            _condition(self._live(name), "Progressing").get("status") == "False"
            for name in self.unready()
        )

    def delete(self, name: str) -> None:
        self._close(name, "deleted")
        del self._changes[name]
        self._cluster.delete("Deployment", self._namespace, name)

    def scale(self, name: str, replicas: int, *, by: str = "kubectl") -> None:
        """Change `spec.replicas` only: a new generation, but no rollout."""
        live = self._live(name)
        if live["spec"]["replicas"] == replicas:
            return
        live["spec"]["replicas"] = replicas
        live["metadata"]["generation"] += 1
        by_scale = Manager(by, subresource="scale")
        self._cluster.replace(live, by=by_scale, fields=_SCALE_FIELDS)
        change = self._changes[name]
        self._later(NOTICE_SECONDS, name, change, self._observe)
        self._later(1.5, name, change, self._follow_scale)

    def restart(self, name: str) -> None:
        """`kubectl rollout restart`: a new pod template that is not Helm's."""
        live = self._live(name)
        template = live["spec"]["template"]
        template["metadata"]["annotations"] = {RESTARTED_AT: stamp(self._cluster.now)}
        live["metadata"]["generation"] += 1
        by = Manager("kubectl-rollout")
        if self._cluster.replace(live, by=by, fields=_TEMPLATE_FIELDS):
            ready_after = self._changes[name].ready_after
            self._roll_out(name, _Change(ready_after, None))

    def _apply_one(self, name: str, chart: Chart, *, ready: bool) -> Rollout | None:
        ready_after = chart.ready_after if ready else None
        if name not in self._changes:
            new = self._deployment(name, chart)
            obj = self._cluster.create(new, by=self._helm, fields=_TEMPLATE_FIELDS)
        else:
            live = self._live(name)
            container = live["spec"]["template"]["spec"]["containers"][0]
            if container["image"] == _image(name, chart):
                return None
            container["image"] = _image(name, chart)
            live["metadata"]["generation"] += 1
            patched = self._cluster.replace(live, by=self._helm, fields=_TEMPLATE_FIELDS)
            assert patched is not None
            obj = patched
        rollout = Rollout(
            workload=name,
            uid=obj["metadata"]["uid"],
            generation=obj["metadata"]["generation"],
            image=_image(name, chart),
            start=self._cluster.now,
        )
        self._roll_out(name, _Change(ready_after, rollout))
        return rollout

    def _roll_out(self, name: str, change: _Change) -> None:
        self._close(name, "superseded")
        self._changes[name] = change
        replicas = self._live(name)["spec"]["replicas"]
        self._later(NOTICE_SECONDS, name, change, self._annotate)
        self._later(2 * NOTICE_SECONDS, name, change, self._begin)
        if change.ready_after is None:
            self._later(DEADLINE_SECONDS, name, change, self._exceed_deadline)
            return
        for ready in range(1, replicas):
            self._later(
                change.ready_after * ready / replicas, name, change, self._step, ready=ready
            )
        self._later(change.ready_after, name, change, self._finish)

    def _later(self, seconds: float, name: str, change: _Change, step: Any, **more: int) -> None:
        def act() -> None:
            # A newer template or a deletion ends the work on an older one.
            if self._changes.get(name) is change:
                step(name, self._live(name), **more)

        self._cluster.after(seconds, act)

    def _annotate(self, name: str, live: Object) -> None:
        notes = live["metadata"]["annotations"]
        revision = int(notes.get("deployment.kubernetes.io/revision", "0")) + 1
        notes["deployment.kubernetes.io/revision"] = str(revision)
        self._cluster.replace(live, by=ANNOTATOR, fields={"f:metadata": {"f:annotations": {}}})

    def _begin(self, name: str, live: Object) -> None:
        old = live["status"].get("availableReplicas", 0)
        self._report(live, updated=1, replicas=old + 1, available=old)
        self._progress(live, "True", "ReplicaSetUpdated")

    def _step(self, name: str, live: Object, *, ready: int) -> None:
        wanted = live["spec"]["replicas"]
        updated = min(ready + 1, wanted)
        self._report(live, updated=updated, replicas=wanted + 1, available=min(ready, wanted))
        self._progress(live, "True", "ReplicaSetUpdated")

    def _finish(self, name: str, live: Object) -> None:
        wanted = live["spec"]["replicas"]
        self._report(live, updated=wanted, replicas=wanted, available=wanted)
        self._progress(live, "True", "NewReplicaSetAvailable")
        self._close(name, "complete")

    def _exceed_deadline(self, name: str, live: Object) -> None:
        live["status"]["observedGeneration"] = live["metadata"]["generation"]
        self._progress(live, "False", "ProgressDeadlineExceeded")
        self._close(name, "failed")

    def _observe(self, name: str, live: Object) -> None:
        live["status"]["observedGeneration"] = live["metadata"]["generation"]
        self._cluster.replace(live, by=CONTROLLER, fields=_STATUS_FIELDS)

    def _follow_scale(self, name: str, live: Object) -> None:
        rolling = _condition(live, "Progressing").get("reason") != "NewReplicaSetAvailable"
        if not rolling:
            wanted = live["spec"]["replicas"]
            self._report(live, updated=wanted, replicas=wanted, available=wanted)
            self._cluster.replace(live, by=CONTROLLER, fields=_STATUS_FIELDS)

    def _report(self, live: Object, *, updated: int, replicas: int, available: int) -> None:
        status = live["status"]
        status["observedGeneration"] = live["metadata"]["generation"]
        counts = {
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": available,
            "availableReplicas": available,
            "unavailableReplicas": max(replicas - available, 0),
        }
        # The API leaves zeros out.
        for field, count in counts.items():
            status.pop(field, None)
            if count:
                status[field] = count

    def _progress(self, live: Object, value: str, reason: str) -> None:
        available = live["status"].get("availableReplicas", 0) >= live["spec"]["replicas"]
        minimum = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
        self._condition(live, "Available", str(available), minimum)
        self._condition(live, "Progressing", value, reason)
        self._cluster.replace(live, by=CONTROLLER, fields=_STATUS_FIELDS)

    def _condition(self, live: Object, kind: str, value: str, reason: str) -> None:
        now = stamp(self._cluster.now)
        old = _condition(live, kind)
        changed = old.get("status") != value
        new = {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": f"Deployment {live['metadata']['name']}: {reason}",
            "lastUpdateTime": now,
            "lastTransitionTime": now if changed else old["lastTransitionTime"],
        }
        others = [c for c in live["status"].get("conditions", []) if c["type"] != kind]
        live["status"]["conditions"] = [*others, new]

    def _close(self, name: str, state: Any) -> None:
        change = self._changes.get(name)
        if change and change.rollout:
            change.rollout.close(state, at=self._cluster.now)

    def _complete(self, live: Object) -> bool:
        reason = _condition(live, "Progressing").get("reason")
        observed = live["status"].get("observedGeneration", 0)
        return reason == "NewReplicaSetAvailable" and observed >= live["metadata"]["generation"]

    def _live(self, name: str) -> Object:
        live = self._cluster.find("Deployment", self._namespace, name)
        assert live is not None
        return live

    def _deployment(self, name: str, chart: Chart) -> Object:
        labels = {"app.kubernetes.io/name": name}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": name,
                "namespace": self._namespace,
                "generation": 1,
                "labels": {**labels, "app.kubernetes.io/managed-by": "Helm"},
                "annotations": {
                    "meta.helm.sh/release-name": self._release,
                    "meta.helm.sh/release-namespace": self._namespace,
                },
            },
            "spec": {
                "replicas": chart.replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": name, "image": _image(name, chart)}]},
                },
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
                },
                "progressDeadlineSeconds": DEADLINE_SECONDS,
            },
            "status": {},
        }


def _image(name: str, chart: Chart) -> str:
    return f"example.com/{name}:{chart.image}"


def _condition(live: Object, kind: str) -> dict[str, Any]:
    for condition in live["status"].get("conditions", []):
        if condition["type"] == kind:
            found: dict[str, Any] = condition
            return found
    return {}
