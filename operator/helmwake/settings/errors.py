"""What can be wrong with settings."""

from collections.abc import Callable

from pydantic import ValidationError

MAX_LENGTH = 512


class BadSettingsError(ValueError):
    """One line: where, and what is wanted there. Never what was given: it may be secret."""

    def __init__(self, path: str, *, wanted: str) -> None:
        self.path = path
        self.wanted = wanted
        line = " ".join(f"{path}: {wanted}".split())
        super().__init__(line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…")

    @classmethod
    def of(
        cls, error: ValidationError, *, name: Callable[[tuple[str | int, ...]], str]
    ) -> "BadSettingsError":
        """Map pydantic's error; `name` tells where a value of the model came from."""
        details = error.errors(include_url=False, include_context=False, include_input=False)
        first = details[0]
        wanted = first["msg"][:1].lower() + first["msg"][1:]
        if others := len(details) - 1:
            wanted += f" (and {others} more)"
        # "[key]" is pydantic's own way to say that a mapping's key is meant.
        path = tuple(part for part in first["loc"] if part != "[key]")
        return cls(name(path), wanted=wanted)
