"""The command line: `helmwake run | replay | record`."""

from helmwake.cli.main import main

__all__ = ["main"]
