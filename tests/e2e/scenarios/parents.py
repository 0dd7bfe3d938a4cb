"""A caller's `traceparent` among the release's labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, uninstall
from tests.e2e.scenario import scenario
from tests.e2e.scenarios.values import NEW_IMAGE, NEWER_IMAGE

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


def caller(helm: Helm, number: int) -> tuple[str, str]:
    """Name a span of somebody who calls Helm."""
    trace = f"{number:02x}{helm.context.replace('-', '')[2:]}"
    return trace, trace[:16]


def label(span: tuple[str, str], *, sampled: bool = True) -> dict[str, str]:
    return {"traceparent": f"00-{span[0]}-{span[1]}-{sampled:02x}"}


@scenario()
def caller_is_the_parent_once(helm: Helm) -> None:
    """The label is inherited; the call is not."""
    first, second = caller(helm, 1), caller(helm, 2)
    helm.install(labels=label(first), shows=[deploys("install", 1, parent=first)])
    helm.wait_until_ready()
    helm.upgrade(
        values=NEW_IMAGE,
        shows=[
            deploys("upgrade", 2, upstream=first, links=("upstream", "previous"), inherited=True)
        ],
    )
    helm.wait_until_ready()
    helm.upgrade(
        values=NEWER_IMAGE,
        labels=label(second),
        shows=[deploys("upgrade", 3, parent=second, links=("previous",), inherited=True)],
    )
    helm.wait_until_ready()
    helm.rollback(1, shows=[deploys("rollback", 4, upstream=first)])
    helm.wait_until_ready()
    helm.uninstall(shows=[uninstall(4)])


@scenario()
def caller_that_is_not_sampled(helm: Helm) -> None:
    """It is traced all the same, in a trace of its own that links to the caller."""
    span = caller(helm, 3)
    helm.install(
        labels=label(span, sampled=False),
        shows=[deploys("install", 1, upstream=span, links=("upstream",))],
    )


@scenario()
def caller_that_is_no_traceparent(helm: Helm) -> None:
    helm.install(
        labels={"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"},
        shows=[deploys("install", 1, links=())],
    )
