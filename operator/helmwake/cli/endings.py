"""How a command ends badly: one line that says what to do, and never a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import click

from helmwake.cluster.errors import ApiError, CredentialsError
from helmwake.delivery.errors import BadTargetError
from helmwake.recording.errors import BadRecordingError
from helmwake.settings.errors import BadSettingsError

P = ParamSpec("P")
R = TypeVar("R")

FAILED: Final = 1
BAD_USE: Final = 2
PERSONS: Final = (BadRecordingError, BadSettingsError, BadTargetError, ApiError, OSError)


class BadUseError(click.ClickException):
    """What was asked for cannot be done as it was asked."""

    exit_code = BAD_USE

    def show(self, file: Any = None) -> None:
        del file
        click.echo(f"helmwake: {self.message}", err=True)


class FailedError(BadUseError):
    """It was asked for well, and went wrong."""

    exit_code = FAILED


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Let a person's mistakes end in one line and exit code 2."""

    @wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (*PERSONS, ExceptionGroup) as error:
            cause = _first(error)
            # Whoever read us has seen enough: click ends quietly.
            if isinstance(cause, CredentialsError):
                raise BadUseError(f"{cause}; give --kubeconfig FILE, or set KUBECONFIG") from error
            if isinstance(cause, PERSONS) and not isinstance(cause, BrokenPipeError):
                raise BadUseError(str(cause)) from error
            raise

    return call


def _first(error: Exception) -> Exception:
    """Return what a TaskGroup wrapped."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
