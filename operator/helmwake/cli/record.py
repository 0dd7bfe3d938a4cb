"""`helmwake record`: parse, call."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from helmwake.app.record import record
from helmwake.app.run import stop_on_signals
from helmwake.cli.endings import plainly
from helmwake.cli.logs import set_up_logs
from helmwake.settings.settings import LogFormat, LogLevel


@click.command(name="record")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Only this one; repeatable.")
@click.option("--kubeconfig", metavar="FILE", help="Default: as kubectl finds it.")
@click.option("--context", metavar="NAME", help="The kubeconfig's context to use.")
@plainly
def command(
    file: Path, namespaces: Sequence[str], kubeconfig: str | None, context: str | None
) -> None:
    """Write what Helm and its rollouts do to FILE, as JSON lines for `helmwake replay`.

    Values, manifests, environment variables and arguments are never written. FILE is
    appended to, and gzipped where its name ends in .gz. Ctrl-C ends the recording.
    """
    set_up_logs(LogLevel.INFO, LogFormat.TEXT)

    async def until_stopped() -> int:
        stop = asyncio.Event()
        stop_on_signals(stop)
        return await record(
            file, namespaces=namespaces, kubeconfig=kubeconfig, context=context, stop=stop
        )

    lines = asyncio.run(until_stopped())
    click.echo(f"Wrote {lines} changes to {file}", err=True)
