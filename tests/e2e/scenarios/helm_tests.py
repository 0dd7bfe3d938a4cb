"""Row: test, on the latest revision, which stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.expected import deploys, runs_tests
from tests.e2e.scenario import scenario
from tests.e2e.scenarios import values

if TYPE_CHECKING:
    from tests.e2e.helm import Helm


def begin(helm: Helm, **passes: bool) -> None:
    helm.install(values=values.tests(**passes), shows=[deploys("install", 1)])
    helm.wait_until_ready()


@scenario()
def test_passes(helm: Helm) -> None:
    begin(helm, first=True, second=True)
    helm.test(shows=[runs_tests(1, first="success", second="success")])


@scenario()
def test_fails(helm: Helm) -> None:
    begin(helm, first=True, second=False)
    failed = runs_tests(
        1,
        "failure test_failed",
        first="success",
        second="failure test_failed",
        message="cart-test-second",
    )
    helm.test(exits=1, shows=[failed])


@scenario()
def test_repeated(helm: Helm) -> None:
    """One record has several operations of a kind: each has a name of its own."""
    begin(helm, first=True)
    for _ in range(3):
        helm.test(shows=[runs_tests(1, first="success")])


@scenario()
def test_of_one_hook(helm: Helm) -> None:
    """For a while the record has no other hooks, whose runs are no news when they return."""
    begin(helm, first=True, second=True)
    helm.test("--filter", "name=cart-test-first", shows=[runs_tests(1, first="success")])
    helm.test("--filter", "name=cart-test-second", shows=[runs_tests(1, second="success")])
    helm.test(shows=[runs_tests(1, first="success", second="success")])


@scenario()
def test_after_an_upgrade(helm: Helm) -> None:
    """The upgrade's record has the runs of the tests before it: they are not its own."""
    begin(helm, first=True)
    helm.test(shows=[runs_tests(1, first="success")])
    helm.upgrade(
        values=values.NEW_IMAGE | values.tests(first=True),
        shows=[deploys("upgrade", 2, inherited=True)],
    )
    helm.wait_until_ready()
    helm.test(shows=[runs_tests(2, first="success")])
