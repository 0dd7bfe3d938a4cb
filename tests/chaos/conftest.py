"""The cluster with what is shipped on it, and nothing that runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.stage import install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.cluster import ControlPlane


@pytest.fixture(scope="package")
def login(control_plane: ControlPlane) -> Path:
    """The operator installed; a kubeconfig with its ServiceAccount's rights."""
    return install(control_plane)
