"""`helmwake.dev/observe=disabled` on a record opts the release out."""

from dataclasses import replace

from helmwake.facts.helm import NO_TAGS, Tags
from helmwake.facts.keptn import KeptnContext
from tests.lifecycle.making import Revision, Story, after, deployment, hook, install

OUT = replace(NO_TAGS, opted_out=True)


def test_a_record_that_is_opted_out_makes_no_operation_and_costs_no_request() -> None:
    first = Revision(1, tags=OUT)

    story = Story().tell(
        first.is_("pending-install"),
        deployment("a", at=1, applied=0, ready=0),
        first.is_("deployed", at=5),
        first.is_("uninstalling", at=50),
        first.goes(at=51),
    )

    assert story.intents == []


def test_a_test_of_it_is_none_either() -> None:
    first = Revision(1, tags=OUT)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.holds(first, hooks=(hook("smoke", "test", started=60, phase="Running"),))

    story.tell(first.is_("deployed", at=60))

    assert story.intents == []


def test_the_label_is_inherited_and_counts_for_each_revision() -> None:
    story, _ = install()
    second, third = Revision(2, created=after(60), tags=OUT), Revision(3, created=after(120))

    story.tell(second.is_("pending-upgrade"), second.is_("deployed", at=65))
    story.tell(third.is_("pending-upgrade"), third.is_("deployed", at=125))

    assert story.ended == [("install", 1, "success"), ("upgrade", 3, "success")]


def test_a_revision_that_is_opted_out_still_abandons_what_runs() -> None:
    first, second = Revision(1), Revision(2, created=after(60), tags=OUT)
    story = Story().tell(first.is_("pending-install"))

    story.tell(second.is_("pending-rollback"))

    assert story.ended == [("install", 1, "error")]


def test_its_labels_are_inherited_all_the_same() -> None:
    one = Tags(keptn=KeptnContext(context="one"))
    first = Revision(1, tags=replace(one, opted_out=True))
    second = Revision(2, created=after(60), tags=one)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))

    story.tell(second.is_("pending-upgrade"), second.is_("deployed", at=65))

    assert story.only.inherited_context
