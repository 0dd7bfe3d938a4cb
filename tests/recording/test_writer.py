"""What is written can be read again, after whatever end of the recorder."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helmwake.facts.change import Change, ChangeType, Origin
from helmwake.recording import BadRecordingError, RecordingWriter, redact
from tests.recording.objects import deployment, namespace, record
from tests.recording.reading import read

SEEN = datetime(2026, 11, 23, 14, 2, 11, 5, tzinfo=UTC)


def change(obj: dict[str, Any], *, origin: Origin = Origin.WATCHED) -> Change:
    return Change(type=ChangeType.MODIFIED, object=obj, seen=SEEN, origin=origin)


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_is_written_is_read_again_as_it_was(tmp_path: Path, name: str) -> None:
    changes = [change(namespace(), origin=Origin.INITIAL), change(record()), change(deployment())]

    with RecordingWriter(tmp_path / name) as writer:
        assert [writer.write(one) for one in changes] == [True, True, True]

    found = read(tmp_path / name)
    assert [(c.type, c.seen, c.origin) for c in found.changes] == [
        (c.type, c.seen, c.origin) for c in changes
    ]
    assert [c.object for c in found.changes] == [redact(c.object) for c in changes]
    assert not found.warnings


def test_a_line_is_a_watch_event_with_a_time(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "r.jsonl") as writer:
        writer.write(change(namespace()))
        # Flushed already: a recorder may be killed at any time.
        line = json.loads((tmp_path / "r.jsonl").read_text())

    assert line == {
        "type": "MODIFIED",
        "time": "2026-11-23T14:02:11.000005Z",
        "object": redact(namespace()),
    }


def test_other_kinds_are_not_written(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "r.jsonl") as writer:
        assert not writer.write(change({"kind": "Service", "metadata": {}}))
        assert writer.lines == 0

    assert (tmp_path / "r.jsonl").read_bytes() == b""


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_a_recording_is_appended_to(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        with RecordingWriter(tmp_path / name) as writer:
            writer.write(change(namespace()))

    assert read(tmp_path / name).names == ["shop", "shop"]


def test_what_follows_a_half_written_line_is_kept_apart_from_it(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(b'{"type": "ADDED", "obj')

    with RecordingWriter(file) as writer:
        writer.write(change(namespace()))

    found = read(file)
    assert found.names == ["shop"]
    assert len(found.warnings) == 1


def test_a_killed_recorders_gzip_is_readable_and_never_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl.gz"
    with RecordingWriter(file) as writer:
        writer.write(change(namespace()))
        left = file.read_bytes()  # what a SIGKILL here leaves
    file.write_bytes(left)

    found = read(file)

    assert found.names == ["shop"]
    assert len(found.warnings) == 1
    with pytest.raises(BadRecordingError, match="name another file"):
        RecordingWriter(file)


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadRecordingError, match="cannot be written"):
        RecordingWriter(tmp_path / "missing" / "r.jsonl")


def test_gzip_goes_by_name(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "r.gz") as writer:
        writer.write(change(namespace()))

    assert gzip.decompress((tmp_path / "r.gz").read_bytes()).endswith(b"}\n")
