"""Helm carries labels on to later revisions: what is inherited is kept, and said."""

import pytest

from helmwake.facts.helm import NO_TAGS, Tags
from helmwake.facts.keptn import KeptnContext, TraceParent
from helmwake.lifecycle.operation import Operation
from tests.lifecycle.making import Revision, Story, after, deployment, hook, namespace

PARENT = TraceParent(trace_id="a" * 32, span_id="b" * 16, sampled=True)
OTHER = TraceParent(trace_id="c" * 32, span_id="d" * 16, sampled=True)
ONE = Tags(keptn=KeptnContext(context="one"), traceparent=PARENT)
TWO = Tags(keptn=KeptnContext(context="two"), traceparent=OTHER)


def second(begins: str, *, before: Tags, now: Tags) -> Operation:
    """The operation that creates revision 2 after a well installed one."""
    first, later = Revision(1, tags=before), Revision(2, created=after(60), tags=now)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    return story.tell(later.is_(begins), later.is_("deployed", at=65)).delivered[1]


def test_an_install_inherits_nothing() -> None:
    first = Revision(1, tags=ONE)
    operation = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5)).only

    assert not operation.inherited_context
    assert operation.parent == PARENT


def test_an_upgrade_with_labels_of_its_own_inherits_nothing() -> None:
    operation = second("pending-upgrade", before=ONE, now=TWO)

    assert not operation.inherited_context
    assert operation.parent == OTHER


def test_an_upgrade_with_the_labels_of_the_revision_before_inherited_them() -> None:
    operation = second("pending-upgrade", before=ONE, now=ONE)

    assert operation.inherited_context
    assert operation.keptn.context == "one", "it may well be the same delivery"
    assert operation.stale_parent
    assert operation.parent is None, "never a parent a second time"


def test_context_and_parent_are_inherited_each_for_itself() -> None:
    fresh_parent = Tags(keptn=ONE.keptn, traceparent=OTHER)
    fresh_context = Tags(keptn=TWO.keptn, traceparent=PARENT)

    first = second("pending-upgrade", before=ONE, now=fresh_parent)
    other = second("pending-upgrade", before=ONE, now=fresh_context)

    assert (first.inherited_context, first.parent) == (True, OTHER)
    assert (other.inherited_context, other.parent) == (False, None)


def test_what_no_revision_had_is_not_inherited() -> None:
    assert not second("pending-upgrade", before=NO_TAGS, now=NO_TAGS).inherited_context
    assert second("pending-upgrade", before=NO_TAGS, now=ONE).parent == PARENT


def test_labels_are_inherited_from_the_latest_revision_even_a_failed_one() -> None:
    first, failed = Revision(1, tags=ONE), Revision(2, created=after(60), tags=TWO)
    third = Revision(3, created=after(120), tags=TWO)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.tell(failed.is_("pending-upgrade"), failed.is_("failed", at=65))

    story.tell(third.is_("pending-upgrade"), third.is_("deployed", at=125))

    assert story.delivered[2].inherited_context
    assert story.delivered[2].stale_parent


def test_a_pruned_revision_passes_its_labels_on_all_the_same() -> None:
    first, later = Revision(1, tags=ONE), Revision(2, created=after(60), tags=ONE)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.tell(later.is_("pending-upgrade"), first.goes(at=61), later.is_("deployed", at=65))
    third = Revision(3, created=after(120), tags=ONE)

    story.tell(third.is_("pending-upgrade"), later.goes(at=121), third.is_("deployed", at=125))

    assert [op.inherited_context for op in story.delivered] == [False, True, True]


def test_the_latest_revision_counts_even_if_it_was_pruned_and_an_older_one_stays() -> None:
    first, failed = Revision(1, tags=ONE), Revision(2, created=after(60), tags=TWO)
    third = Revision(3, created=after(120), tags=TWO)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.tell(failed.is_("pending-upgrade"), failed.is_("failed", at=65))

    story.tell(failed.goes(at=119), third.is_("pending-upgrade"), third.is_("deployed", at=125))

    assert story.delivered[2].inherited_context


def test_a_rollback_has_its_targets_labels_always_inherited() -> None:
    operation = second("pending-rollback", before=TWO, now=ONE)

    assert operation.inherited_context
    assert operation.parent is None


def test_a_test_and_an_uninstall_have_their_revisions_context_as_inherited() -> None:
    first = Revision(1, tags=ONE)
    story = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5))
    story.holds(first, hooks=(hook("smoke", "test", started=60, ended=61),))
    story.tell(first.is_("deployed", at=62), first.is_("uninstalling", at=90), first.goes(at=91))

    for operation in story.delivered[1:]:
        assert operation.inherited_context
        assert operation.keptn.context == "one"
        assert operation.parent is None
    assert [op.kind for op in story.delivered] == ["install", "test", "uninstall"]


def test_an_unsampled_parent_is_no_parent() -> None:
    unsampled = TraceParent(trace_id="a" * 32, span_id="b" * 16, sampled=False)
    first = Revision(1, tags=Tags(traceparent=unsampled))
    operation = Story().tell(first.is_("pending-install"), first.is_("deployed", at=5)).only

    assert not operation.stale_parent
    assert operation.parent is None


@pytest.mark.parametrize(
    ("labels", "values", "space", "pods", "wins"),
    [
        ("label", "value", "space", "pod", "label"),
        (None, "value", "space", "pod", "value"),
        (None, None, "space", "pod", "space"),
        (None, None, None, "pod", "pod"),
        (None, None, None, None, None),
    ],
)
def test_the_strongest_source_names_the_stage(
    labels: str | None, values: str | None, space: str | None, pods: str | None, wins: str | None
) -> None:
    first = Revision(1, tags=Tags(keptn=KeptnContext(stage=labels)))
    story = Story().tell(namespace(at=-1, keptn=KeptnContext(stage=space)))
    story.tell(first.is_("pending-install"))
    story.tell(deployment("a", at=1, applied=0, keptn=KeptnContext(stage=pods)))
    story.holds(first, keptn=KeptnContext(stage=values))

    operation = story.tell(first.is_("deployed", at=5)).only

    assert operation.keptn.stage == wins


def test_workloads_name_the_delivery_only_where_all_agree() -> None:
    first = Revision(1)
    story = Story().tell(first.is_("pending-install"))
    for uid, name, context in (("u1", "a", "one"), ("u2", "b", "two")):
        story.tell(
            deployment(
                "t", at=1, applied=0, uid=uid, name=name, keptn=KeptnContext(context=context)
            )
        )

    assert story.tell(first.is_("deployed", at=5)).only.keptn.context is None
