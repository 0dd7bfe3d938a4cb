"""Nothing but imports: those that a file names, one on each line."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from pathlib import Path

from tests.bench.programs.said import known_for_good

if __name__ == "__main__":
    # As a run begins: it loads less of some packages than their parts alone would bring along.
    importlib.import_module("helmwake.cli.run")
    for name in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        # Some are parts of others that cannot be had alone.
        with suppress(Exception):
            importlib.import_module(name)
    known_for_good()
