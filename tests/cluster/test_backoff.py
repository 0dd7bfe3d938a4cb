"""How long to wait."""

from datetime import timedelta

from helmwake.cluster.backoff import Backoff, BackoffPolicy


def seconds(backoff: Backoff, times: int) -> list[float]:
    return [backoff.fail().total_seconds() for _ in range(times)]


def test_delays_double_up_to_a_cap() -> None:
    assert seconds(Backoff(BackoffPolicy(), jitter=lambda: 1.0), 7) == [1, 2, 4, 8, 16, 30, 30]


def test_half_of_a_delay_is_random() -> None:
    assert seconds(Backoff(BackoffPolicy(), jitter=lambda: 0.0), 3) == [0.5, 1, 2]


def test_a_night_without_an_apiserver_does_not_overflow() -> None:
    assert seconds(Backoff(BackoffPolicy(), jitter=lambda: 1.0), 5000)[-1] == 30


def test_a_success_starts_anew() -> None:
    backoff = Backoff(BackoffPolicy(), jitter=lambda: 1.0)
    seconds(backoff, 5)
    backoff.reset()
    assert seconds(backoff, 2) == [1, 2]


def test_a_servers_wish_is_a_lower_bound() -> None:
    backoff = Backoff(BackoffPolicy(), jitter=lambda: 1.0)
    assert backoff.fail(retry_after=timedelta(seconds=90)) == timedelta(seconds=90)
    assert backoff.fail(retry_after=timedelta(seconds=1)) == timedelta(seconds=2)
