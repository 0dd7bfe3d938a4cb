"""What a person types to say which operations are meant."""

from dataclasses import replace
from datetime import timedelta

import pytest

from helmwake.app.asking.lengths import parse_length
from helmwake.app.asking.query import Query, parse_release
from helmwake.app.asking.reading import selected
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import KeptnContext
from tests.views import entries


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("3d", 259_200),
        ("1d12h", 129_600),
        ("1.5h", 5400),
        ("500ms", 0.5),
    ],
)
def test_a_length_of_time_is_gos_notation_and_days(text: str, seconds: float) -> None:
    assert parse_length(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "10", "-5m", "0s", "10m later", "9" * 99 + "d"])
def test_no_length_of_time_is_told_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 10m, 2h or 3d"):
        parse_length(text)


@pytest.mark.parametrize(
    ("text", "release", "revision"),
    [
        ("shop/cart", ReleaseKey("shop", "cart"), None),
        ("shop/cart@7", ReleaseKey("shop", "cart"), 7),
        ("shop/cart@v7", ReleaseKey("shop", "cart"), 7),
        ("shop/my.cart@12", ReleaseKey("shop", "my.cart"), 12),
    ],
)
def test_a_release_may_name_its_revision(
    text: str, release: ReleaseKey, revision: int | None
) -> None:
    assert parse_release(text) == (release, revision)


@pytest.mark.parametrize("text", ["cart", "shop/", "/cart", "shop/cart@", "shop/cart@x", "a/b/c"])
def test_no_release_is_told_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match="wanted is NAMESPACE/NAME"):
        parse_release(text)


def test_the_server_selects_by_labels_and_a_long_name_is_left_to_us() -> None:
    keptn = KeptnContext(context="c-1", project="x" * 64, stage="not a label")

    assert selected(Query(keptn=keptn), "here").selectors == {
        "labelSelector": "keptn.sh/context=c-1"
    }
    assert selected(Query(), "here").selectors == {}
    assert selected(Query(), "here").namespace == "here"


def test_a_release_is_selected_whole_whatever_else_is_asked() -> None:
    """What became of a revision is told by other operations too."""
    query = Query(
        release=ReleaseKey("shop", "cart"), revision=2, keptn=KeptnContext(context="c-1")
    )

    assert selected(query, "here").selectors == {"labelSelector": "helmwake.dev/release-name=cart"}


def test_each_part_of_a_query_must_hold() -> None:
    good = entries.good()
    whole = Query(release=ReleaseKey("shop", "cart"), revision=2, keptn=entries.KEPTN)

    assert whole.wants(good)
    for other in (
        replace(whole, release=ReleaseKey("shop", "web")),
        replace(whole, revision=3),
        *(
            replace(whole, keptn=replace(entries.KEPTN, **{part: "other"}))
            for part in ("context", "project", "stage", "service")
        ),
    ):
        assert not other.wants(good)


def test_what_runs_is_recent_and_what_ended_is_recent_by_its_end() -> None:
    ended = entries.good().operation.ended
    assert ended is not None

    assert Query(since=ended).wants(entries.good())
    assert not Query(since=ended + timedelta(seconds=1)).wants(entries.good())
    assert Query(since=ended + timedelta(days=1)).wants(entries.rolling())
    assert not Query(since=ended + timedelta(days=1)).wants(entries.given_up())


def test_failed_is_what_ended_badly() -> None:
    query = Query(failed=True)

    assert query.wants(entries.failed())
    for entry in (entries.good(), entries.rolling(cause=entries.PULL), entries.given_up()):
        assert not query.wants(entry)
