"""`helmwake spans`: parse, call, print."""

import logging
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import click

from helmwake.app.asking.lengths import parse_length
from helmwake.app.asking.output import Form, Output
from helmwake.app.asking.query import Query, parse_release
from helmwake.app.asking.verdicts import asked_for
from helmwake.cli.answers import Ledger, follow_ledger, judge, list_ledger, now, warn
from helmwake.cli.endings import BadUseError, plainly
from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import KeptnContext
from helmwake.settings.duration import format_duration

LIMIT: Final = 20
TIMEOUT: Final = timedelta(minutes=30)
NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Read(click.ParamType[Any]):
    """A value that a function reads, or says what is wanted."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        del ctx
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as error:
            flag = param.opts[0] if param is not None else self.name
            raise BadUseError(f"{flag} {value!r}: {error}") from error


def parse_namespace(text: str) -> str:
    """Read a namespace's name.

    Raises:
        ValueError: it is none.
    """
    if NAMESPACE.fullmatch(text) is None:
        raise ValueError("wanted is the name of a namespace")
    return text


LENGTH: Final = Read("duration", parse_length)


@click.command(name="spans")
@click.option("--keptn-context", metavar="ID", help="Only operations with this Keptn context.")
@click.option(
    "--release",
    type=Read("release", parse_release),
    metavar="NS/NAME[@REV]",
    help="Only those of this release, or of one of its revisions.",
)
@click.option(
    "--revision", type=click.IntRange(min=1), metavar="N", help="The same as @REV of --release."
)
@click.option("--project", metavar="NAME", help="Only those of this project of Keptn's.")
@click.option("--stage", metavar="NAME", help="Only those of this stage.")
@click.option("--service", metavar="NAME", help="Only those of this service.")
@click.option(
    "--since",
    type=LENGTH,
    metavar="DURATION",
    help="Only what ran in the last 90s, 10m, 2h or 3d.",
)
@click.option("--failed", is_flag=True, help="Only what failed, timed out or ended in an error.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Only the newest N; 0 is all. Default: {LIMIT}, and all where a context or a revision "
    "is named.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice([form.value for form in Form]),
    default=Form.TREE.value,
    show_default=True,
    help="How to print.",
)
@click.option(
    "-f",
    "--follow",
    "follows",
    is_flag=True,
    help="Show what runs, live, and each operation when it ends. Ctrl-C ends.",
)
@click.option("--wait", is_flag=True, help="Return when what is named has ended; see above.")
@click.option(
    "--timeout",
    type=LENGTH,
    metavar="DURATION",
    help=f"How long to --wait. Default: {format_duration(TIMEOUT)}.",
)
@click.option(
    "--namespace",
    type=Read("namespace", parse_namespace),
    metavar="NAME",
    envvar="HELMWAKE_NAMESPACE",
    default="helmwake-system",
    show_default=True,
    help="Where the operator is, and keeps its ledger. [HELMWAKE_NAMESPACE]",
)
@click.option("--kubeconfig", metavar="FILE", help="Default: as kubectl finds it.")
@click.option("--context", metavar="NAME", help="The kubeconfig's context to use.")
@plainly
def command(
    keptn_context: str | None,
    release: tuple[ReleaseKey, int | None] | None,
    revision: int | None,
    project: str | None,
    stage: str | None,
    service: str | None,
    since: timedelta | None,
    failed: bool,  # noqa: FBT001
    limit: int | None,
    output: str,
    follows: bool,  # noqa: FBT001
    wait: bool,  # noqa: FBT001
    timeout: timedelta | None,
    namespace: str,
    kubeconfig: str | None,
    context: str | None,
) -> None:
    """Show what Helm did, as waterfalls made of Helmwake's ledger in the cluster.

    The newest is printed last. No tracing backend is needed, only the right to list
    releasetraces: the ClusterRole helmwake-reader.

    With --follow what runs is shown as it goes on, and what has ended before only with --since,
    --limit, a context or a revision. Without a terminal it is one line for each change; with
    -o json and otlp-json one line of JSON for each operation when it ends.

    With --wait the exit code is 0 where all went well, 1 where something failed, 3 where
    --timeout came first. A revision (--release NS/NAME@REV) is waited for until its install,
    upgrade or rollback is there and all that is known of it has ended, its tests too. A
    --keptn-context is waited for until at least one operation was given it, and all that have it
    have ended: Helm hands labels on to later revisions, and one that only inherited the context is
    waited for too, but does not count alone. For a second try with the same context, name the
    revision.
    """
    key, at = release or (None, None)
    if revision is not None and key is None:
        raise BadUseError("--revision needs --release NS/NAME: every release has its own")
    if None not in {revision, at} and revision != at:
        raise BadUseError(f"--release names revision {at}, and --revision {revision}")
    query = Query(
        release=key,
        revision=revision or at,
        keptn=KeptnContext(context=keptn_context, project=project, stage=stage, service=service),
        since=None if since is None else now() - since,
        failed=failed,
    )
    if wait and not query.names_delivery:
        raise BadUseError(
            "--wait needs --release NS/NAME@REV or --keptn-context ID, or it could take the last "
            "delivery for the next"
        )
    if wait and failed:
        raise BadUseError("--wait says how it ended: it cannot wait with --failed for a failure")
    if timeout is not None and not wait:
        raise BadUseError("--timeout is for --wait")
    ledger = Ledger(namespace=namespace, kubeconfig=kubeconfig, context=context)
    # What goes wrong on the way is told in other words.
    logging.basicConfig(level=logging.CRITICAL)
    printed = Output(Form(output), sys.stdout, now=now, warn=warn)
    if follows or wait:
        view = printed.no_view()
        if follows:
            history = limit is not None or since is not None or query.names_delivery
            waiting = f"waiting for an operation {asked_for(query)}"
            view = printed.view(
                before=(limit or None) if history else 0,
                quiet=waiting if wait else "nothing is running; Ctrl-C ends",
            )
        found = follow_ledger(query, ledger, view, timeout=(timeout or TIMEOUT) if wait else None)
        if found.entries or printed.for_scripts:
            printed.finish(found.entries, followed=follows)
        judge(query, found, timeout or TIMEOUT)
    else:
        newest = (None if query.names_delivery else LIMIT) if limit is None else limit or None
        list_ledger(query, ledger, printed, newest=newest)
