"""How a command ends badly: one line that says what to do, and never a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from helmwake.cluster.errors import ApiError
from helmwake.delivery.errors import BadTargetError
from helmwake.recording.errors import BadRecordingError
from helmwake.settings.errors import BadSettingsError

P = ParamSpec("P")
R = TypeVar("R")

BAD_USE = 2


class BadUseError(click.ClickException):
    """What was asked for cannot be done as it was asked."""

    exit_code = BAD_USE

    def show(self, file: object = None) -> None:
        del file
        click.echo(f"helmwake: {self.message}", err=True)


class FailedError(BadUseError):
    """It was asked for well, and went wrong."""

    exit_code = 1


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Let a person's mistakes end in one line and exit code 2."""

    @wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BadRecordingError, BadSettingsError, BadTargetError, ApiError) as error:
            raise BadUseError(str(error)) from error
        except BrokenPipeError:
            raise  # whoever read us has seen enough: click knows
        except OSError as error:
            raise BadUseError(str(error)) from error

    return call
