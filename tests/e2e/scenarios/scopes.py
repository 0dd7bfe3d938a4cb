"""What is observed: namespaces with the label, without the releases that opt out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.e2e.expected import deploys, uninstall
from tests.e2e.helm import OBSERVED
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEW_IMAGE, NEWER_IMAGE, SLOW, WAIT_LONG

if TYPE_CHECKING:
    from tests.e2e.helm import Helm

LABEL: Final = "helmwake.dev/observe"
HISTORY: Final = {"helmwake.history": True}


@scenario()
def release_that_opts_out(helm: Helm) -> None:
    helm.observed = False
    helm.install(labels={LABEL: "disabled"}, shows=[])
    helm.wait_until_ready()
    helm.upgrade(values=NEW_IMAGE, shows=[])
    helm.wait_until_ready()
    helm.observed = True
    shows = deploys("upgrade", 3, inherited=True)
    helm.upgrade(values=NEWER_IMAGE, labels={LABEL: "null"}, shows=[shows])


@scenario(labels={}, replays_alike=False)
def namespace_that_is_not_observed(helm: Helm) -> None:
    helm.observed = False
    helm.install(shows=[])
    helm.wait_until_ready()
    helm.upgrade(values=NEW_IMAGE, shows=[])
    helm.uninstall(shows=[])


@scenario(labels={}, replays_alike=False)
def namespace_labelled_for_a_while(helm: Helm) -> None:
    """What happened without the label is told afterwards, as history."""
    helm.install(shows=[deploys("install", 1, attributes=HISTORY, links=())])
    helm.wait_until_ready()
    helm.label_namespace(OBSERVED, says="observed from now on")
    helm.wait_for_end_of("install of revision 1")
    helm.upgrade(
        values=NEW_IMAGE, shows=[deploys("upgrade", 2, inherited=True, links=("previous",))]
    )
    helm.wait_until_ready()
    helm.wait_for_end_of("upgrade of revision 2")
    helm.label_namespace({LABEL: None}, says="observed no more")
    helm.upgrade(
        values=NEWER_IMAGE,
        shows=[deploys("upgrade", 3, inherited=True, attributes=HISTORY, links=("previous",))],
    )
    helm.wait_until_ready()
    helm.label_namespace({LABEL: "enabled", "again": "1"}, says="observed from now on")
    helm.wait_for_end_of("upgrade of revision 3")
    helm.uninstall(shows=[uninstall(3, links=("previous",))])


@scenario(labels={}, replays_alike=False)
def namespace_labelled_in_the_middle(helm: Helm) -> None:
    """An operation that still runs is told whole: its record and its workload are there."""

    def label() -> None:
        helm.label_namespace(OBSERVED, says="observed from now on")

    helm.meanwhile(label, "install", *WAIT_LONG, values=SLOW, shows=[deploys("install", 1)])


@scenario(replays_alike=False)
def namespace_unlabelled_in_the_middle(helm: Helm) -> None:
    """An operation whose end nobody may see is not told, rather than half."""

    def unlabel() -> None:
        helm.label_namespace({LABEL: None}, says="observed no more")

    helm.observed = False
    helm.meanwhile(unlabel, "install", *WAIT_LONG, values=SLOW, shows=[])
    helm.upgrade(values=NEW_IMAGE, shows=[])
