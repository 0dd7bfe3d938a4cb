"""Lines of styled text, written down for a stream that shows colours or not."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.text import Text


def paint(lines: Iterable[Text], *, width: int, color: bool) -> str:
    """Write lines as they are: whoever laid them out has made them fit."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        _environ={},  # the caller has decided; NO_COLOR and the like have been read
    )
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)
    return out.getvalue()
