"""The README's table of attributes, made from the code: `make readme`."""

from pathlib import Path
from typing import Final

from helmwake.telemetry.semconv import KEYS

README: Final = Path(__file__).parents[2] / "README.md"
BEGIN: Final = "<!-- attributes:"
END: Final = "<!-- /attributes -->"


def table() -> str:
    rows = [f"| `{key.name}` | {key.on} | {key.meaning} |" for key in KEYS]
    return "\n".join(["| attribute | on | says |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """Put the table between its marks."""
    head, begin, rest = text.partition(BEGIN)
    mark, _, rest = rest.partition("\n")
    _, end, tail = rest.partition(END)
    return f"{head}{begin}{mark}\n{table()}\n{end}{tail}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
