"""Nothing of values and manifests comes out anywhere."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from tests.e2e.bad_input import CONTENT
from tests.e2e.scenarios.secret import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Performance

MARKERS = (MARKER, CONTENT)


def decoded(value: str) -> Iterator[str]:
    """Yield a text, and whatever is packed into it, over and over."""
    yield value
    try:
        packed = base64.b64decode(value, validate=True)
        packed = gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed
        inner = packed.decode()
    except (ValueError, OSError, EOFError):
        return
    if inner and inner != value:
        yield from decoded(inner)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, keys too."""
    match value:
        case str():
            yield from decoded(value)
        case dict():
            for key, each in value.items():
                yield key
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)


def test_markers_were_really_there(performance: Performance) -> None:
    for version in (3, 4):
        play = performance.play("secrets-in-values-and-manifest", version)
        assert any(MARKER in command.output for command in play.commands)
        assert len(play.commands) == 3


def test_no_marker_in_what_was_sent_logged_or_shown(performance: Performance) -> None:
    everything = {
        "Jaeger": json.dumps(performance.told.jaeger.traces("helmwake")),
        "the operator's log": performance.log,
        "/metrics": performance.metrics,
        "the collector's log": performance.collector_log.read_text(encoding="utf-8"),
        "the recorder's log": performance.recorder_log,
    }

    for place, text in everything.items():
        assert text, place
        for marker in MARKERS:
            assert marker not in text, place
            assert base64.b64encode(marker.encode()).decode() not in text, place


def test_no_marker_in_the_recording_nor_in_anything_packed_into_it(
    performance: Performance, recorded: list[Any]
) -> None:
    name = "e2e-secrets-in-values-and-manifest-3"
    assert any(
        line["object"]["metadata"].get("namespace") == name and line["object"].get("data")
        for line in recorded
    )
    for line in recorded:
        for text in texts(line):
            assert not any(marker in text for marker in MARKERS), line["object"]["metadata"]
