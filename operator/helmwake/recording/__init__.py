"""Recorded files: read as changes, written without anything secret."""

from helmwake.recording.errors import BadRecordingError
from helmwake.recording.reader import read_changes

__all__ = ["BadRecordingError", "read_changes"]
