"""Helm's client has a clock of its own: it refines times, or tells how far it is off."""

from datetime import timedelta

import pytest

from tests.lifecycle.making import Revision, Story, after, hook


def deployed(last_deployed: float, started: float, ended: float) -> Story:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(
        first,
        last_deployed=after(last_deployed),
        first_deployed=after(last_deployed),
        hooks=(hook("check", "pre-install", started=started, ended=ended),),
    )
    return story.tell(first.is_("deployed", at=10))


def test_a_clock_that_agrees_gives_the_fraction_of_the_start() -> None:
    story = deployed(0.734, started=1.5, ended=2.5)

    assert story.only.started == after(0.734)
    assert story.only.clock_offset == timedelta(0)
    assert story.only.hooks[0].started == after(1.5)


@pytest.mark.parametrize("offset", [-7200.0, -3.0, 3.0, 7200.0])
def test_a_clock_that_is_off_moves_its_hooks_and_not_the_start(offset: float) -> None:
    story = deployed(offset, started=offset + 1, ended=offset + 4)

    assert story.only.started == after(0)
    assert story.only.clock_offset == timedelta(seconds=offset)
    [run] = story.only.hooks
    assert (run.started, run.ended) == (after(1), after(4))
    assert run.started_at == after(offset + 1), "the client's own word names the run"


def test_without_any_time_of_the_clients_the_servers_stands() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, last_deployed=None, first_deployed=None)

    assert story.tell(first.is_("deployed", at=10)).only.started == after(0)


def test_a_start_is_never_after_the_end() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    story.holds(first, last_deployed=after(1.9), first_deployed=after(1.9))

    operation = story.tell(first.is_("deployed", at=0.5)).only

    assert operation.ended is not None
    assert operation.started <= operation.ended


@pytest.mark.parametrize("offset", [-7200.0, 7200.0])
def test_an_uninstall_by_a_clock_that_is_off_starts_when_it_was_seen(offset: float) -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.holds(first, deleted=after(60 + offset))

    story.tell(first.is_("uninstalling", at=60), first.goes(at=61))

    assert story.delivered[1].started == after(60)
