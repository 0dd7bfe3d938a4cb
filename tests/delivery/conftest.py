"""Fixtures of delivery."""

import asyncio

import pytest
from tests.delivery.certificates import Certificates, make_certificates

# looptime asks for the current loop before every test, also of those that are not async. The
# first time, asyncio makes one for it that nobody closes, which is a warning and so an error;
# once it was said that there is none, asyncio makes none.
asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
