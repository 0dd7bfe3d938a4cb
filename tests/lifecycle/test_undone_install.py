"""`install --atomic`: `pending-install` -> `uninstalling` -> D, and no reason is stored."""

from helmwake.lifecycle.outcome import ErrorType, Result
from tests.lifecycle.making import Revision, Story, after, deployment, ended, hook


def test_an_install_that_is_undone_failed_and_is_one_operation() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"), first.is_("uninstalling", at=30))
    assert story.running == ["install"]

    story.tell(first.goes(at=31))

    assert story.ended == [("install", 1, "failure")]
    assert ended(story.only.outcome) == (Result.FAILURE, ErrorType.OTHER)
    assert story.only.ended == after(31)


def test_its_reason_is_taken_from_the_workloads() -> None:
    first = Revision(1)
    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0, quota="exceeded quota: pods"),
        first.is_("uninstalling", at=30),
        deployment("a", at=30.5, applied=0, gone=True),
        first.goes(at=31),
    )

    assert ended(story.only.outcome) == (Result.FAILURE, ErrorType.FAILED_CREATE)
    assert story.only.outcome is not None
    assert "exceeded quota" in story.only.outcome.message


def test_its_reason_is_taken_from_the_hooks() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(
        first,
        hooks=(hook("migrate", "pre-install", started=1, ended=5, phase="Failed"),),
    )

    story.tell(first.is_("uninstalling", at=30), first.goes(at=31))

    assert ended(story.only.outcome) == (Result.FAILURE, ErrorType.HOOK_FAILED)


def test_an_uninstall_of_a_silent_install_is_an_uninstall() -> None:
    """A manual uninstall of a killed install looks the same, but for the silence before it."""
    first = Revision(1)
    story = Story().tell(first.is_("pending-install")).passes(3600)
    assert story.release.operations[0].stuck

    story.tell(first.is_("uninstalling", at=3600), first.goes(at=3601))

    assert sorted(story.ended) == [("install", 1, "error"), ("uninstall", 1, "success")]
    [install] = [op for op in story.delivered if op.kind == "install"]
    assert ended(install.outcome) == (Result.ERROR, ErrorType.ABANDONED)


def test_an_upgrade_that_is_uninstalled_was_abandoned() -> None:
    second = Revision(2)
    story = Story().tell(second.is_("pending-upgrade"))

    story.tell(second.is_("uninstalling", at=30), second.goes(at=31))

    assert sorted(story.ended) == [("uninstall", 2, "success"), ("upgrade", 2, "error")]
