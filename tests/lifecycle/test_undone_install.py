"""`install --atomic`: `pending-install` -> `uninstalling` -> D, and no reason is stored.

Told as an atomic upgrade is: what failed, and what takes it back.
"""

from helmwake.lifecycle.operation import Operation
from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, hook


def install_of(story: Story) -> Operation:
    [found] = [operation for operation in story.delivered if operation.kind == "install"]
    return found


def test_an_install_that_is_taken_back_failed_and_an_uninstall_follows() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"), first.is_("uninstalling", at=30))

    story.tell(first.goes(at=31))

    assert sorted(story.ended) == [("install", 1, "failure"), ("uninstall", 1, "success")]
    assert ended(install_of(story).outcome) == (Result.FAILURE, ErrorType.OTHER)
    assert install_of(story).helm_ended == after(30)
    uninstall = story.delivered[-1]
    assert uninstall.previous is not None
    assert (uninstall.previous.id, uninstall.previous.failed) == (install_of(story).id, True)


def test_its_reason_is_taken_from_the_workloads() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0, quota="exceeded quota: pods"),
        first.is_("uninstalling", at=30),
        deployment("a", at=30.5, applied=0, gone=True),
        first.goes(at=31),
    )

    outcome = install_of(story).outcome
    assert ended(outcome) == (Result.FAILURE, ErrorType.FAILED_CREATE)
    assert outcome is not None
    assert "exceeded quota" in outcome.message


def test_without_a_cause_it_names_what_was_not_ready() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=1),
        first.is_("uninstalling", at=30),
        deployment("a", at=30.5, applied=0, gone=True),
        first.goes(at=31),
    )

    outcome = install_of(story).outcome
    assert outcome is not None
    assert "deployment/cart was not ready: 1 of 2 replicas available" in outcome.message


def test_its_reason_is_taken_from_the_hooks() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(
        first,
        hooks=(hook("migrate", "pre-install", started=1, ended=5, phase="Failed"),),
    )

    story.tell(first.is_("uninstalling", at=30), first.goes(at=31))

    assert ended(install_of(story).outcome) == (Result.FAILURE, ErrorType.HOOK_FAILED)


def test_an_uninstall_of_a_silent_install_finds_it_abandoned() -> None:
    """A manual uninstall of a killed install looks the same, but for the silence before it."""
    first = Revision(1)
    story = Story().tell(first.is_("pending-install")).passes(3600)
    assert story.release.operations[0].stuck

    story.tell(first.is_("uninstalling", at=3600), first.goes(at=3601))

    assert sorted(story.ended) == [("install", 1, "error"), ("uninstall", 1, "success")]
    assert ended(install_of(story).outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_an_upgrade_that_is_uninstalled_was_abandoned() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))

    story.tell(second.is_("uninstalling", at=30), second.goes(at=31))

    assert sorted(story.ended) == [("uninstall", 2, "success"), ("upgrade", 2, "error")]
