"""The kinds that are observed, and how the apiserver is asked for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

METADATA_ACCEPT: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST_ACCEPT: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
WHOLE_ACCEPT: Final = "application/json"
# The page is what decides the peak of memory: it is held as parsed JSON while it is reduced.
# Measured at 5,000 records: pages of 500 cost 2 MB more, and no less CPU.
METADATA_PAGE_SIZE: Final = 50
WHOLE_PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind, as selected by the server; in one namespace, or in all (None)."""

    group: str = ""  # empty: the core group
    version: str = "v1"
    plural: str
    kind: str
    namespaced: bool = True
    field_selector: str = ""
    label_selector: str = ""
    metadata_only: bool = False
    namespace: str | None = None
    page_size: int = METADATA_PAGE_SIZE  # objects in a page of a list

    def within(self, namespace: str | None) -> "Resource":
        """Restrict to one namespace; None leaves it as it is.

        A Namespace itself is restricted by its name, which RBAC's resourceNames understand.
        """
        if namespace is None:
            return self
        if not self.namespaced:
            return replace(self, field_selector=f"metadata.name={namespace}")
        return replace(self, namespace=namespace)

    @property
    def path(self) -> str:
        """Where the collection is."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        where = f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"{root}{where}/{self.plural}"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def selectors(self) -> Mapping[str, str]:
        """What the server filters by, as query parameters."""
        both = {"fieldSelector": self.field_selector, "labelSelector": self.label_selector}
        return {key: value for key, value in both.items() if value}

    @property
    def list_accept(self) -> str:
        return METADATA_LIST_ACCEPT if self.metadata_only else WHOLE_ACCEPT

    @property
    def watch_accept(self) -> str:
        return METADATA_ACCEPT if self.metadata_only else WHOLE_ACCEPT

    def __str__(self) -> str:
        """Name it as kubectl does: `deployments.apps in shop`."""
        name = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{name} in {self.namespace}" if self.namespace else name


# Source of type and label: helm/helm, pkg/storage/driver/secrets.go, newSecretsObject.
HELM_SECRETS: Final = Resource(
    plural="secrets",
    kind="Secret",
    field_selector="type=helm.sh/release.v1",
    label_selector="owner=helm",
    metadata_only=True,
)
# ConfigMaps have no type to select by.
HELM_CONFIG_MAPS: Final = Resource(
    plural="configmaps", kind="ConfigMap", label_selector="owner=helm", metadata_only=True
)
# Source of the label: helm/helm, pkg/action/validate.go, setMetadataVisitor.
DEPLOYMENTS: Final = Resource(
    group="apps",
    plural="deployments",
    kind="Deployment",
    label_selector="app.kubernetes.io/managed-by=Helm",
    page_size=WHOLE_PAGE_SIZE,
)
# Labels and annotations are all that the opt-in reads.
NAMESPACES: Final = Resource(
    plural="namespaces", kind="Namespace", namespaced=False, metadata_only=True
)
