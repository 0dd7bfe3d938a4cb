"""What all tests share."""

import asyncio

import pytest

pytest_plugins = ["tests.controlplane.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def no_loop_of_nobody() -> None:
    """Keep pytest-asyncio from making a loop that nobody closes.

    Before its first loop it asks for the current one, and before Python 3.14 asyncio then makes
    one, once, unless it was told that there is none. Its end is a ResourceWarning in some test.
    """
    asyncio.set_event_loop(None)
