"""The group of commands. Each is imported when it is called: kopf alone takes half a second."""

from importlib import import_module
from typing import Any, Final

import click

from helmwake.version import VERSION

COMMANDS: Final = {
    "record": "Write what happens in a cluster to a file, with nothing secret in it.",
    "replay": "Show the traces that recorded files would have sent.",
    "run": "Run the operator.",
    "spans": "Show what Helm did, from the ledger in the cluster.",
}


class Commands(click.Group):
    """Knows its commands by name and by their line of help."""

    def make_context(self, info_name: str | None, *args: Any, **options: Any) -> click.Context:
        """Call ourselves what the person typed: kubectl runs `kubectl-helmwake`."""
        if info_name == "kubectl-helmwake":
            info_name = "kubectl helmwake"
        return super().make_context(info_name, *args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"helmwake.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="helmwake")
def main() -> None:
    """Traces of what Helm does in a cluster, linked to their Keptn context."""
