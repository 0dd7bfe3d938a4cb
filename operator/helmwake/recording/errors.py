"""What can be wrong with a recorded file as a whole."""


class BadRecordingError(ValueError):
    """A file that holds nothing to replay. The message is one line that says what to do."""

    def __init__(self, file: str, *, problem: str, remedy: str) -> None:
        self.file = file
        super().__init__(f"{file}: {problem}; {remedy}")
