"""What the ledger lets go, and what it never does."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helmwake.facts.errors import BadObjectError
from helmwake.ledger.entry import State
from helmwake.ledger.retention import Kept, RetentionLimits, parse_kept, removable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = RetentionLimits(age=7 * DAY, per_release=3, total=5, undelivered_age=30 * DAY)
CLOSED = [state for state in State if not state.open]
OPEN = [state for state in State if state.open]


def kept(
    revision: int, *, days: float, state: State = State.DELIVERED, release: str = "cart"
) -> Kept:
    name = f"{release}.v{revision}.0123456789abcdef"
    return Kept(
        name=name,
        uid=f"uid of {name}",
        release_namespace="shop",
        release_name=release,
        state=state,
        created=NOON - days * DAY,
    )


def leaving(*entries: Kept, limits: RetentionLimits = LIMITS) -> list[str]:
    """Name what goes, as `cart.v1`."""
    gone = removable(entries, limits=limits, now=NOON)
    return [each.name.rpartition(".")[0] for each in gone]


def test_an_empty_ledger_lets_nothing_go() -> None:
    assert leaving() == []


@pytest.mark.parametrize("state", CLOSED)
def test_what_is_closed_goes_when_it_is_old(state: State) -> None:
    assert leaving(kept(1, days=7.1, state=state), kept(2, days=7, state=state)) == ["cart.v1"]


@pytest.mark.parametrize("state", OPEN)
def test_what_is_open_goes_at_the_hard_limit_only(state: State) -> None:
    assert leaving(kept(1, days=30.1, state=state), kept(2, days=30, state=state)) == ["cart.v1"]


def test_what_is_open_is_kept_at_least_as_long_as_the_rest() -> None:
    limits = RetentionLimits(age=7 * DAY, undelivered_age=DAY)

    assert leaving(kept(1, days=2, state=State.UNDELIVERED), limits=limits) == []


def test_of_one_release_the_oldest_go() -> None:
    carts = [kept(n, days=6 - n) for n in range(1, 6)]

    assert leaving(*carts, kept(1, days=6, release="pay")) == ["cart.v1", "cart.v2"]


def test_of_all_releases_the_oldest_go() -> None:
    entries = [kept(n, days=n, release=name) for name in ("a", "b") for n in (1, 2, 3)]

    assert leaving(*entries) == ["a.v3"]


def test_releases_of_one_name_in_two_namespaces_are_two() -> None:
    here = [kept(n, days=1) for n in (1, 2)]
    there = [
        Kept(
            name=f"other.{n}",
            uid=f"other {n}",
            release_namespace="elsewhere",
            release_name="cart",
            state=State.DELIVERED,
            created=NOON,
        )
        for n in (1, 2)
    ]

    assert leaving(*here, *there) == []


def test_what_is_open_counts_and_a_closed_one_goes_in_its_place() -> None:
    running = [kept(n, days=6 - n, state=State.RUNNING) for n in (1, 2, 3)]

    assert leaving(*running, kept(4, days=1)) == ["cart.v4"]


def test_open_ones_alone_may_be_too_many() -> None:
    assert leaving(*[kept(n, days=1, state=State.UNDELIVERED) for n in range(1, 10)]) == []


def test_revisions_of_one_second_go_in_their_own_order() -> None:
    """A history that was filled in has one time of creation: `v10` is newer than `v9`."""
    assert leaving(*[kept(n, days=1) for n in (10, 8, 11, 9)]) == ["cart.v8"]


@st.composite
def ledgers(draw: st.DrawFn) -> list[Kept]:
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "c.v2"]),
                st.integers(0, 960),  # hours
                st.sampled_from(State),
            ),
            max_size=40,
        )
    )
    return [
        kept(revision, days=hours / 24, state=state, release=release)
        for revision, (release, hours, state) in enumerate(drawn)
    ]


limits = st.builds(
    RetentionLimits,
    age=st.integers(1, 960).map(lambda hours: timedelta(hours=hours)),
    per_release=st.integers(1, 12),
    total=st.integers(1, 40),
    undelivered_age=st.integers(1, 960).map(lambda hours: timedelta(hours=hours)),
)


@given(ledgers(), limits)
def test_all_limits_hold_afterwards_as_far_as_open_ones_allow(
    entries: list[Kept], limits: RetentionLimits
) -> None:
    gone = removable(entries, limits=limits, now=NOON)
    left = [each for each in entries if each not in gone]

    closed = [each for each in left if not each.state.open]
    assert all(NOON - each.created <= limits.age for each in closed)
    of_releases = Counter(each.release_name for each in left)
    assert all(of_releases[each.release_name] <= limits.per_release for each in closed)
    assert not closed or len(left) <= limits.total
    assert removable(left, limits=limits, now=NOON) == []


@given(ledgers(), limits)
def test_nothing_goes_without_a_reason(entries: list[Kept], limits: RetentionLimits) -> None:
    gone = removable(entries, limits=limits, now=NOON)

    for each in gone:
        age = NOON - each.created
        if each.state.open:
            assert age > limits.undelivered_age
            assert age > limits.age
        elif age <= limits.age:
            of_its_release = [one for one in entries if one.release_name == each.release_name]
            assert len(of_its_release) > limits.per_release or len(entries) > limits.total


@given(ledgers(), limits)
def test_nothing_newer_goes_while_an_older_one_of_its_release_may_go_and_stays(
    entries: list[Kept], limits: RetentionLimits
) -> None:
    gone = removable(entries, limits=limits, now=NOON)

    for each in gone:
        assert not any(
            one.created < each.created
            for one in entries
            if one not in gone and not one.state.open and one.release_name == each.release_name
        )


@given(ledgers(), limits, st.randoms())
def test_the_order_of_the_list_decides_nothing(
    entries: list[Kept], limits: RetentionLimits, random: Any
) -> None:
    shuffled = random.sample(entries, len(entries))

    assert removable(shuffled, limits=limits, now=NOON) == removable(
        entries, limits=limits, now=NOON
    )


def partial(**labels: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "cart.v3.0123456789abcdef",
            "uid": "u-1",
            "creationTimestamp": "2026-01-01T12:00:00Z",
            "labels": {f"helmwake.dev/{key.replace('_', '-')}": v for key, v in labels.items()},
        }
    }


@pytest.mark.parametrize("state", State)
def test_metadata_alone_says_what_is_kept(state: State) -> None:
    labels = {"release_namespace": "shop", "release_name": "cart", "state": state.value.lower()}

    assert parse_kept(partial(**labels)) == Kept(
        name="cart.v3.0123456789abcdef",
        uid="u-1",
        release_namespace="shop",
        release_name="cart",
        state=state,
        created=NOON,
    )


@pytest.mark.parametrize("labels", [{}, {"state": "done"}, {"state": "Delivered"}])
def test_without_a_state_that_we_know_it_counts_as_open(labels: dict[str, str]) -> None:
    assert parse_kept(partial(**labels)).state.open


@pytest.mark.parametrize("key", ["name", "uid", "creationTimestamp"])
def test_what_cannot_be_told_apart_or_dated_is_named(key: str) -> None:
    bad = partial()
    del bad["metadata"][key]

    with pytest.raises(BadObjectError, match=f"metadata.{key}"):
        parse_kept(bad)
