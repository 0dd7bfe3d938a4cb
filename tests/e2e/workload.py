"""A scenario's workload, as the API server has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.controlplane.waiting import wait_for
from tests.e2e.expected import RELEASE

if TYPE_CHECKING:
    from tests.controlplane.api import Api


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The one Deployment of the test chart, and the Jobs of its hooks."""

    api: Api
    namespace: str

    @property
    def path(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{RELEASE}"

    def generation(self) -> int:
        """Count its changes; zero before it is there."""
        found = self.api.find(self.path)
        return int(found["metadata"]["generation"]) if found else 0

    def jobs(self) -> int:
        """Count the hooks' Jobs."""
        return len(self.api.items(f"/apis/batch/v1/namespaces/{self.namespace}/jobs"))

    def wait_until_ready(self) -> None:
        """Wait for the rollout, as `kubectl rollout status` does."""
        wait_for(f"the pods of {self.namespace}", self._is_ready)

    def _is_ready(self) -> bool:
        found = self.api.get(self.path)
        status = found.get("status", {})
        return bool(
            status.get("observedGeneration") == found["metadata"]["generation"]
            and status.get("updatedReplicas") == status.get("replicas")
            and status.get("availableReplicas") == found["spec"]["replicas"]
        )
