"""Recorded files: read as changes, written without anything secret."""

from helmwake.recording.errors import BadRecordingError
from helmwake.recording.reader import read_changes
from helmwake.recording.redact import redact
from helmwake.recording.release_shape import pack_object
from helmwake.recording.writer import RecordingWriter

__all__ = ["BadRecordingError", "RecordingWriter", "pack_object", "read_changes", "redact"]
