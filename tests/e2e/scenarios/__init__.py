"""Every row of the table of Helm's write sequences, and what else Helm's users do.

A story says what Helm is made to do, and with each command what must be shown of it.
"""

from __future__ import annotations

from tests.e2e.scenarios import (
    contexts,
    helm_tests,
    hooks,
    installs,
    parents,
    rollbacks,
    scopes,
    secret,
    signals,
    storage,
    uninstalls,
    upgrades,
)

__all__ = [
    "contexts",
    "helm_tests",
    "hooks",
    "installs",
    "parents",
    "rollbacks",
    "scopes",
    "secret",
    "signals",
    "storage",
    "uninstalls",
    "upgrades",
]
