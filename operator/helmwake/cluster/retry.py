"""A read that is tried a bounded number of times."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from helmwake.cluster.backoff import DEFAULT_BACKOFF, Backoff, BackoffPolicy
from helmwake.cluster.errors import ApiError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """With the defaults it gives up after a minute or so, a Retry-After not counted."""

    attempts: int = 6
    backoff: BackoffPolicy = DEFAULT_BACKOFF


DEFAULT_RETRY: Final = RetryPolicy()


async def retrying(
    read: Callable[[], Awaitable[T]],
    *,
    policy: RetryPolicy,
    jitter: Callable[[], float] = random.random,
    also: tuple[type[ApiError], ...] = (),
) -> T:
    """Do `read` until it succeeds, waiting between the attempts.

    Raises:
        ApiError: the last one; at once if it is neither transient nor one of `also`.

    """
    backoff = Backoff(policy.backoff, jitter=jitter)
    while True:
        try:
            return await read()
        except ApiError as error:
            delay = backoff.fail(retry_after=error.retry_after)
            if not (error.transient or isinstance(error, also)):
                raise
            if backoff.failures >= policy.attempts:
                raise
        await asyncio.sleep(delay.total_seconds())
