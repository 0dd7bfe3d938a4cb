"""What Jaeger answered, in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

MICROSECONDS: Final = 1_000_000
KEYS: Final = ("cicd.pipeline.result", "error.type")


def summary(traces: list[Any]) -> Iterator[str]:
    """One line for each trace, the oldest first, and one for the cause of a failure."""
    for root, spans in sorted(map(root_of, traces), key=lambda found: int(found[0]["startTime"])):
        tags = {tag["key"]: tag["value"] for tag in root["tags"]}
        said = " ".join(str(tags[key]) for key in KEYS if key in tags)
        seconds = root["duration"] / MICROSECONDS
        yield f"{root['operationName']}: {said}, {seconds:.1f} s, {spans} spans"
        if why := tags.get("otel.status_description"):
            yield f"    {why}"


def root_of(trace: Any) -> tuple[Any, int]:
    """Find a trace's root span, and count its spans."""
    spans = trace["spans"]
    (root,) = (span for span in spans if not is_child(span))
    return root, len(spans)


def is_child(span: Any) -> bool:
    # A link is a reference too, of another type.
    return any(each["refType"] == "CHILD_OF" for each in span.get("references") or ())
