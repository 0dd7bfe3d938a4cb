"""`helmwake run`: parse, call."""

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from helmwake.app.run import run, stop_on_signals
from helmwake.cli.endings import BadUseError, plainly
from helmwake.cli.logs import set_up_logs
from helmwake.settings.options import OPTIONS
from helmwake.settings.sources import Sources


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of the settings' table."""
    for option in reversed(OPTIONS):
        variable = f" [{option.variable}]" if option.variable else ""
        command = click.option(
            option.flag, option.name, metavar=option.metavar, help=option.help + variable
        )(command)
    return command


@click.command(name="run")
@with_options
@plainly
def command(**flags: Any) -> None:
    """Run the operator: watch Helm's releases, and send a trace of each operation.

    A flag wins over its environment variable, and the ReleaseObserver over both.
    """
    sources = Sources.read(flags=flags, environ=os.environ)
    settings = sources.settings()
    if settings.kubeconfig and not Path(settings.kubeconfig).exists():
        raise BadUseError(f"--kubeconfig: there is no file {settings.kubeconfig}")
    set_up_logs(settings.log_level, settings.log_format)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        await run(sources, os.environ, stop=stop)

    # What was imported stays: no later collection has to walk through it.
    gc.collect()
    gc.freeze()
    asyncio.run(until_stopped())
