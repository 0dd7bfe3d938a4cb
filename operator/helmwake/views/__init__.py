"""What people see of traces."""

from helmwake.views.terminal import Terminal, print_traces
from helmwake.views.tree import render_traces

__all__ = ["Terminal", "print_traces", "render_traces"]
