"""A replay's clock stands where the recording does, and stops at each wake on its way."""

from collections.abc import Callable
from datetime import datetime

from helmwake.tracking.clocks import RecordedClock
from tests.lifecycle.making import after


def test_it_moves_to_the_time_it_is_told() -> None:
    clock = RecordedClock()

    assert clock.next_wake(after(5)) is None
    assert clock.now() == after(5)


def test_it_stops_at_each_wake_on_the_way_in_order() -> None:
    clock = RecordedClock()
    woken: list[tuple[int, datetime]] = []

    def note(seconds: int) -> Callable[[], None]:
        return lambda: woken.append((seconds, clock.now()))

    for seconds in (30, 10, 20, 99):
        clock.wake(after(seconds), note(seconds))

    while (wake := clock.next_wake(after(40))) is not None:
        wake()

    assert woken == [(10, after(10)), (20, after(20)), (30, after(30))]
    assert clock.now() == after(40)


def test_wakes_of_one_time_come_in_the_order_they_were_asked_for() -> None:
    clock = RecordedClock()
    woken: list[str] = []
    clock.wake(after(1), lambda: woken.append("first"))
    clock.wake(after(1), lambda: woken.append("second"))

    while (wake := clock.next_wake(after(1))) is not None:
        wake()

    assert woken == ["first", "second"]


def test_a_wake_that_is_past_comes_at_once_and_the_clock_stays() -> None:
    clock = RecordedClock()
    clock.next_wake(after(100))
    clock.wake(after(1), lambda: None)

    assert clock.next_wake(after(100)) is not None
    assert clock.now() == after(100)


def test_it_never_goes_back() -> None:
    clock = RecordedClock()
    clock.next_wake(after(100))

    assert clock.next_wake(after(1)) is None
    assert clock.now() == after(100)
