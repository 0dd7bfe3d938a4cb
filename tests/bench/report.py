"""Measurements as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from tests.bench.replaying import ReplayedFile
from tests.bench.usage import Usage
from tests.bench.watching import Watched

MAX_PEAK_MB: Final = 100
MAX_CPU_SECONDS: Final = 1.0
WIDTH: Final = 30


def report(watched: Watched, replayed: ReplayedFile) -> str:
    return "\n".join([*_watched(watched), "", *_replayed(replayed), ""])


def as_json(watched: Watched, replayed: ReplayedFile) -> dict[str, Any]:
    return {
        "watching": asdict(watched)
        | {
            "cpu_seconds_beyond_imports": beyond_imports(watched),
            "ratios": {
                "ours/handler": ratios(watched.ours, watched.handler),
                "ours/bare": ratios(watched.ours, watched.bare),
            },
        },
        "replaying": asdict(replayed) | {"changes_per_second": replayed.changes_per_second},
    }


def ratios(ours: Usage, other: Usage) -> dict[str, float]:
    theirs = asdict(other)
    return {name: value / max(theirs[name], 0.001) for name, value in asdict(ours).items()}


def beyond_imports(watched: Watched) -> float:
    return watched.ours.cpu_seconds - watched.imports.cpu_seconds


def _watched(watched: Watched) -> Iterator[str]:
    yield _line(f"until {watched.revisions} revisions are known", "seconds", "CPU s", "peak MB")
    for name, usage in (
        ("helmwake run", watched.ours),
        ("its imports only", watched.imports),
        ("a kopf handler", watched.handler),
        ("a bare list", watched.bare),
    ):
        yield _numbers(name, asdict(usage))
    yield _numbers("ours / handler", ratios(watched.ours, watched.handler))
    yield _numbers("ours / bare", ratios(watched.ours, watched.bare))
    rest = watched.rest
    yield ""
    yield f"CPU beyond the imports: {beyond_imports(watched):.2f} s (at most {MAX_CPU_SECONDS:g})"
    peak = max(rest.peak_mb, watched.ours.peak_mb)
    yield f"peak memory, rest included: {peak:.0f} MB (at most {MAX_PEAK_MB})"
    asked = ", ".join(f"{count} {name}" for name, count in rest.requests.items())
    yield (
        f"at rest for {rest.seconds:.0f} s: {rest.cpu_seconds:.2f} s of CPU, "
        f"requests: {asked or 'none'}"
    )


def _replayed(replayed: ReplayedFile) -> Iterator[str]:
    yield (
        f"replay: {replayed.changes} changes, {replayed.operations} operations, "
        f"{replayed.changes_per_second:.0f} changes per CPU second, "
        f"peak {replayed.peak_mb:.0f} MB"
    )


def _numbers(name: str, usage: dict[str, float]) -> str:
    return _line(name, *(f"{value:.2f}" for value in usage.values()))


def _line(name: str, *cells: str) -> str:
    return name.ljust(WIDTH) + "".join(cell.rjust(10) for cell in cells)
