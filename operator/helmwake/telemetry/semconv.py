"""Every attribute key that Helmwake sets, each with its meaning.

Source: semantic conventions v1.44 (cicd, deployment, k8s, vcs, error); Keptn's own keys from
keptn/lifecycle-toolkit. `helm.*` and `helmwake.*` are ours.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Key:
    """An attribute's key, where it is set and what it says; the README's table is made of it."""

    name: str
    on: str
    meaning: str

    def __str__(self) -> str:
        return self.name


RUN = "root"
TASK = "apply, hook and rollout"
ALL = "every span"
NAMED = "rollout, and root where all agree"

PIPELINE_NAME: Final = Key("cicd.pipeline.name", RUN, "`<namespace>/<release>`")
PIPELINE_RUN_ID: Final = Key("cicd.pipeline.run.id", RUN, "names the operation, in hex")
PIPELINE_RESULT: Final = Key("cicd.pipeline.result", RUN, "how the operation ended")
TASK_NAME: Final = Key("cicd.pipeline.task.name", TASK, "the hook or workload")
TASK_RUN_ID: Final = Key("cicd.pipeline.task.run.id", TASK, "names the run, in hex")
TASK_RESULT: Final = Key("cicd.pipeline.task.run.result", TASK, "how it ended")
ERROR_TYPE: Final = Key("error.type", "what did not succeed", "why, from a closed set")

RELEASE_NAME: Final = Key("helm.release.name", ALL, "the release")
RELEASE_REVISION: Final = Key("helm.release.revision", ALL, "its revision")
RELEASE_OPERATION: Final = Key(
    "helm.release.operation", ALL, "install, upgrade, rollback, uninstall or test"
)
RELEASE_STATUS: Final = Key("helm.release.status", RUN, "Helm's own word at the end")
ROLLBACK_REVISION: Final = Key(
    "helm.release.rollback.revision", RUN, "the revision rolled back to"
)
CHART_NAME: Final = Key("helm.chart.name", RUN, "the chart")
CHART_VERSION: Final = Key("helm.chart.version", RUN, "its version")
CHART_APP_VERSION: Final = Key("helm.chart.app_version", RUN, "the version of what it holds")
ENVIRONMENT: Final = Key(
    "deployment.environment.name", RUN, "Keptn's stage, by its well-known name"
)
COMMIT: Final = Key("vcs.ref.head.revision", RUN, "the commit, from `keptn.sh/commitid`")
NAMESPACE: Final = Key("k8s.namespace.name", "root and rollout", "the namespace")

KEPTN_CONTEXT: Final = Key("keptn.context", ALL, "the delivery's Keptn context")
KEPTN_INHERITED: Final = Key(
    "keptn.context.inherited", ALL, "true where an earlier revision had the same context"
)
KEPTN_PROJECT: Final = Key("keptn.project", ALL, "Keptn's project")
KEPTN_STAGE: Final = Key("keptn.stage", ALL, "Keptn's stage")
KEPTN_SERVICE: Final = Key("keptn.service", ALL, "Keptn's service")
KEPTN_APP: Final = Key("keptn.deployment.app.name", NAMED, "Keptn's application")
KEPTN_WORKLOAD: Final = Key("keptn.deployment.workload.name", NAMED, "Keptn's workload")
KEPTN_WORKLOAD_VERSION: Final = Key(
    "keptn.deployment.workload.version", NAMED, "its version as Keptn has it"
)

JOB_NAME: Final = Key("k8s.job.name", "hook", "the hook's Job")
POD_NAME: Final = Key("k8s.pod.name", "hook", "the hook's Pod")
DEPLOYMENT_NAME: Final = Key("k8s.deployment.name", "rollout", "the Deployment")
DEPLOYMENT_UID: Final = Key("k8s.deployment.uid", "rollout", "its uid")
CLUSTER_UID: Final = Key("k8s.cluster.uid", "resource", "uid of the namespace kube-system")
CLUSTER_NAME: Final = Key("k8s.cluster.name", "resource", "the name you gave the cluster")
SERVICE_NAME: Final = Key("service.name", "resource", "`helmwake`")
SERVICE_VERSION: Final = Key("service.version", "resource", "its version")

HOOK_EVENT: Final = Key("helmwake.hook.event", "hook", "pre-install, post-upgrade, test, ...")
LINK_TYPE: Final = Key("helmwake.link.type", "link", "upstream, previous or remedied")
LINK_LIKELY: Final = Key(
    "helmwake.link.likely", "link", "true where the remedy is likely, and not certain"
)
OMITTED: Final = Key("helmwake.spans.omitted", RUN, "how many spans were too many")
BOUNDED: Final = Key(
    "helmwake.time.bounded", RUN, "true where it happened unseen, between these times"
)
HISTORY: Final = Key(
    "helmwake.history", RUN, "true where it was over before it was observed: in no metric"
)

KEYS: Final = tuple(value for value in tuple(globals().values()) if isinstance(value, Key))

# Source: semantic conventions, deployment.environment.name.
ENVIRONMENTS: Final = {"prod": "production", "dev": "development", "stage": "staging"}
