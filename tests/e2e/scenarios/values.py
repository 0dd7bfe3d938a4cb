"""Values of the test chart that make Helm end in one way or another."""

from __future__ import annotations

from typing import Any, Final

NEW_IMAGE: Final[dict[str, Any]] = {"image": {"tag": "2.0"}}
NEWER_IMAGE: Final[dict[str, Any]] = {"image": {"tag": "3.0"}}
# Its pods never get ready: whoever waits for them does so until a deadline.
NEVER_READY: Final[dict[str, Any]] = {"fault": "image-pull", "image": {"tag": "missing"}}
# As well, and its controller says so soon.
GIVEN_UP: Final[dict[str, Any]] = {**NEVER_READY, "progressDeadlineSeconds": 2}
# Ready after a while, in which Helm can be interrupted.
SLOW: Final[dict[str, Any]] = {"readyAfter": "5s", "image": {"tag": "slow"}}
# The API server refuses it; Helm's own check of the schema does not.
REFUSED: Final[dict[str, Any]] = {"replicas": -1}

WAIT: Final = ("--wait", "--timeout", "4s")
WAIT_LONG: Final = ("--wait", "--timeout", "60s")


def hooks(*events: str, **settings: object) -> dict[str, Any]:
    """Switch hooks on; settings are theirs: fails, runFor, weight."""
    return {"hooks": {event: {"enabled": True, **settings} for event in events}}


def tests(**tests: bool) -> dict[str, Any]:
    """Switch tests on, by whether they pass."""
    return {"tests": {name: {"enabled": True, "fails": not ok} for name, ok in tests.items()}}
