"""The command line: `helmwake run | replay | record | spans`."""

from helmwake.cli.main import main

__all__ = ["main"]
