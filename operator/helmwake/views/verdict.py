"""How a span ended, as it is shown: one sign, one colour, one word."""

from dataclasses import dataclass
from enum import Enum, auto

from helmwake.telemetry import semconv
from helmwake.telemetry.spans import Level, Span
from helmwake.views.glyphs import Glyphs


class Verdict(Enum):
    SUCCESS = auto()
    FAILURE = auto()
    ROLLED_BACK = auto()  # a rollback that succeeded
    RUNNING = auto()
    NEUTRAL = auto()  # cancelled, skipped, or nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    mark: str
    style: str


def verdict(span: Span) -> Verdict:
    if span.level is Level.ERROR:
        return Verdict.FAILURE
    if span.end is None:
        return Verdict.RUNNING
    if result(span) in {"cancellation", "skip", "unknown"}:
        return Verdict.NEUTRAL
    rollback = span.attributes.get(semconv.RELEASE_OPERATION.name) == "rollback"
    return Verdict.ROLLED_BACK if rollback else Verdict.SUCCESS


def look(found: Verdict, glyphs: Glyphs) -> Look:
    marks = {
        Verdict.SUCCESS: (glyphs.success, "green"),
        Verdict.FAILURE: (glyphs.failure, "red"),
        Verdict.ROLLED_BACK: (glyphs.rolled_back, "green"),
        Verdict.RUNNING: (glyphs.running, "yellow"),
        Verdict.NEUTRAL: (glyphs.neutral, "dim"),
    }
    mark, style = marks[found]
    return Look(mark=mark, style=style)


def result(span: Span) -> str:
    """Return the span's own word for it, an operation's or a task's."""
    if span.end is None:
        return "running"
    keys = (semconv.PIPELINE_RESULT, semconv.TASK_RESULT)
    told = next((span.attributes[key.name] for key in keys if key.name in span.attributes), None)
    return str(told or ("failure" if span.level is Level.ERROR else "success"))
