"""How pauses grow, and what bounds them."""

import pytest

from helmwake.delivery.backoff import Pause


def test_pauses_double_from_one_second_to_a_minute() -> None:
    pauses = [Pause(failures=failures).seconds(luck=0) for failures in range(1, 9)]

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_luck_takes_up_to_half_away() -> None:
    assert Pause(failures=1).seconds(luck=1) == 0.5


def test_many_failures_overflow_nothing() -> None:
    assert Pause(failures=10**9).seconds(luck=0) == 60


def test_wrong_configuration_is_asked_about_seldom() -> None:
    pauses = [Pause(failures=n, refused=True).seconds(luck=0) for n in (1, 2, 6, 7)]

    assert pauses == [10, 20, 300, 300]


def test_what_the_backend_asks_for_is_never_cut() -> None:
    assert Pause(failures=9, asked_s=7).seconds(luck=0, hurried=True) == 7
    assert Pause(failures=1, asked_s=7).seconds(luck=1) == pytest.approx(7.7)


def test_a_day_is_too_much_to_ask() -> None:
    assert Pause(failures=1, asked_s=86_400).seconds(luck=0) == 900


@pytest.mark.parametrize("refused", [False, True])
def test_a_shutdown_hurries(refused: bool) -> None:  # noqa: FBT001
    assert Pause(failures=9, refused=refused).seconds(luck=0, hurried=True) == 1
