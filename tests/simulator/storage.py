"""Helm's storage: one object for each revision, with the labels as Helm sets them.

Source: helm/helm, pkg/storage/storage.go, pkg/storage/driver/{secrets,cfgmaps,util}.go.
"""

import base64
from typing import Any, Final, Literal

from tests.simulator.cluster import Cluster, Manager, Object
from tests.simulator.release import Release, encode

Driver = Literal["secret", "configmap"]
SYSTEM_LABELS: Final = frozenset({"name", "owner", "status", "version", "createdAt", "modifiedAt"})
HELM: Final = Manager("helm")


class Storage:
    """Writes records of one release, and reads them back as Helm does."""

    def __init__(
        self, cluster: Cluster, *, driver: Driver, namespace: str, release: str, helm: int
    ) -> None:
        self.helm = helm
        self.kind = "Secret" if driver == "secret" else "ConfigMap"
        self._cluster = cluster
        self._namespace = namespace
        self._release = release
        self._stored: dict[int, tuple[Release, str]] = {}

    def create(self, release: Release) -> Object:
        labels = {**release.labels, "createdAt": self._unix()}
        obj = self._object(release, labels, helm=self.helm)
        made = self._cluster.create(obj, by=HELM, fields=_fields(obj))
        self._stored[release.version] = release.copy(), made["metadata"]["uid"]
        self._remember(release, made)
        return made

    def update(self, release: Release, *, helm: int | None = None) -> Object | None:
        """PUT a record. None if nobody sees anything: it is unchanged, or pruned already.

        Of a record that is gone Helm logs a warning and goes on (recordRelease).
        """
        if release.version not in self._stored:
            return None
        # Helm lays the release's labels over `modifiedAt` again, so that one read
        # back from storage keeps the old `modifiedAt` for ever (helm#32404).
        labels = {"modifiedAt": self._unix()}
        obj = self._object(release, labels, helm=helm or self.helm)
        made = self._cluster.replace(obj, by=HELM, fields=_fields(obj))
        self._remember(release, obj)
        return made

    def delete(self, version: int) -> Object:
        del self._stored[version]
        return self._cluster.delete(self.kind, self._namespace, self.key(version))

    def forget(self) -> None:
        """Drop everything: somebody deleted the objects behind Helm's back."""
        self._stored.clear()

    def forget_one(self, version: int) -> None:
        del self._stored[version]

    def history(self) -> list[Release]:
        """Read all revisions, ascending, with all their labels, as a query does."""
        return [self._stored[version][0].copy() for version in sorted(self._stored)]

    def last(self) -> Release | None:
        history = self.history()
        return history[-1] if history else None

    def get(self, version: int) -> Release:
        """Read one revision by name: only then Helm drops the system labels."""
        release = self._stored[version][0].copy()
        release.labels = {k: v for k, v in release.labels.items() if k not in SYSTEM_LABELS}
        return release

    def deployed(self) -> list[Release]:
        return [release for release in self.history() if release.info.status == "deployed"]

    def uid(self, version: int) -> str:
        return self._stored[version][1]

    def to_prune(self, history_max: int) -> list[int]:
        """Name the revisions that go before one more is created, oldest first."""
        history = self.history()
        room = history_max - 1
        if history_max <= 0 or len(history) <= room:
            return []
        deployed = self.deployed()
        spared = deployed[-1].version if deployed else None
        candidates = [release.version for release in history if release.version != spared]
        return candidates[: len(history) - room]

    def key(self, version: int) -> str:
        return f"sh.helm.release.v1.{self._release}.v{version}"

    def _remember(self, release: Release, obj: Object) -> None:
        kept = release.copy()
        kept.labels = dict(obj["metadata"]["labels"])
        self._stored[release.version] = kept, self._stored[release.version][1]

    def _object(self, release: Release, labels: dict[str, str], *, helm: int) -> Object:
        text = encode(release, helm=helm)
        obj: Object = {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {
                "name": self.key(release.version),
                "namespace": self._namespace,
                "labels": {
                    **labels,
                    **release.labels,
                    "name": release.name,
                    "owner": "helm",
                    "status": release.info.status,
                    "version": str(release.version),
                },
            },
        }
        if self.kind == "Secret":
            obj["data"] = {"release": base64.b64encode(text.encode()).decode()}
            obj["type"] = "helm.sh/release.v1"
        else:
            obj["data"] = {"release": text}
        return obj

    def _unix(self) -> str:
        return str(int(self._cluster.now.timestamp()))


def _fields(obj: Object) -> dict[str, Any]:
    labels: dict[str, Any] = {f"f:{name}": {} for name in obj["metadata"]["labels"]}
    return {"f:data": {"f:release": {}}, "f:metadata": {"f:labels": {".": {}, **labels}}}
