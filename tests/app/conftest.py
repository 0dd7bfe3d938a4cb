"""What the tests of the wiring share."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def leftovers_of_kopf() -> Iterator[None]:
    """Collect what kopf leaves behind when it is stopped amid a request.

    Its client then leaves a connection to the garbage collector, whose warning would fail
    whichever test happens to run next. Our own clients have tests in rooms of their own.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
