"""Keptn's context: from the release's labels, its values, its namespace; kept and dropped."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from tests.e2e.expected import deploys, runs_tests, uninstall
from tests.e2e.helm import CONTEXT
from tests.e2e.scenario import scenario
from tests.e2e.scenarios import values

if TYPE_CHECKING:
    from tests.e2e.helm import Helm

LABELS: Final = {"keptn.sh/project": "shop", "keptn.sh/stage": "prod", "keptn.sh/service": "cart"}
ATTRIBUTES: Final = {
    "keptn.project": "shop",
    "keptn.stage": "prod",
    "keptn.service": "cart",
    "deployment.environment.name": "production",
}
NONE: Final = dict.fromkeys(ATTRIBUTES)


def another(helm: Helm) -> str:
    """Name another delivery of the scenario."""
    return str(uuid.uuid5(uuid.UUID(helm.context), "another"))


@scenario()
def labels_given_kept_changed_and_removed(helm: Helm) -> None:
    helm.install(labels=LABELS, shows=[deploys("install", 1, attributes=ATTRIBUTES)])
    helm.wait_until_ready()
    helm.upgrade(
        values=values.NEW_IMAGE,
        shows=[deploys("upgrade", 2, attributes=ATTRIBUTES, inherited=True)],
    )
    helm.wait_until_ready()
    next_one = another(helm)
    helm.upgrade(
        values=values.NEWER_IMAGE,
        labels={CONTEXT: next_one},
        shows=[deploys("upgrade", 3, attributes=ATTRIBUTES, context=next_one)],
    )
    helm.wait_until_ready()
    # Without values Helm takes those of the revision before.
    helm.upgrade(
        labels=dict.fromkeys(LABELS, "null"),
        shows=[
            deploys("upgrade", 4, rollout=None, attributes=NONE, context=next_one, inherited=True)
        ],
    )
    helm.wait_until_ready()
    # A rollback has its target's labels, and so the first delivery's context.
    helm.rollback(2, shows=[deploys("rollback", 5, attributes=ATTRIBUTES)])
    helm.wait_until_ready()
    helm.uninstall(shows=[uninstall(5, attributes=ATTRIBUTES)])


@scenario()
def labels_inherited_from_a_failed_revision(helm: Helm) -> None:
    helm.install(shows=[deploys("install", 1)])
    helm.wait_until_ready()
    next_one = another(helm)
    helm.upgrade(
        values=values.REFUSED,
        labels={CONTEXT: next_one},
        exits=1,
        shows=[deploys("upgrade", 2, "failure _OTHER", rollout=None, context=next_one)],
    )
    helm.upgrade(
        values=values.NEW_IMAGE,
        shows=[deploys("upgrade", 3, context=next_one, inherited=True)],
    )


@scenario()
def context_of_a_test(helm: Helm) -> None:
    """A test carries its revision's."""
    helm.install(
        labels=LABELS,
        values=values.tests(first=True),
        shows=[deploys("install", 1, attributes=ATTRIBUTES)],
    )
    helm.wait_until_ready()
    helm.test(shows=[runs_tests(1, first="success")])


@scenario(annotations={"keptn.sh/project": "fleet", CONTEXT: "of-the-namespace"})
def context_of_the_namespace(helm: Helm) -> None:
    """It holds where the release says nothing, and what the release says goes before it."""
    project = {"keptn.project": "fleet"}
    helm.install(shows=[deploys("install", 1, attributes=project)])
    helm.wait_until_ready()
    helm.upgrade(
        values=values.NEW_IMAGE,
        labels={CONTEXT: "null"},
        shows=[deploys("upgrade", 2, attributes=project, context="of-the-namespace")],
    )


@scenario()
def context_of_keptn_v1_values(helm: Helm) -> None:
    keptn = {"project": "old", "stage": "dev", "service": "cart", "deployment": "direct"}
    seen = {
        "keptn.project": "old",
        "keptn.stage": "dev",
        "keptn.service": "cart",
        "deployment.environment.name": "development",
    }
    helm.install(values={"keptn": keptn}, shows=[deploys("install", 1, attributes=seen)])
    helm.wait_until_ready()
    # Labels are stronger.
    helm.upgrade(
        values={"keptn": keptn, **values.NEW_IMAGE},
        labels={"keptn.sh/stage": "prod"},
        shows=[
            deploys(
                "upgrade",
                2,
                attributes={"keptn.project": "old", "keptn.stage": "prod"},
                inherited=True,
            )
        ],
    )
