"""What `helmwake spans` answers: read or followed, printed, and judged."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import click

from helmwake.app.asking.awaiting import Awaited
from helmwake.app.asking.following import View, follow
from helmwake.app.asking.output import Output
from helmwake.app.asking.query import Query
from helmwake.app.asking.reading import Found, Names, read_entries, read_names
from helmwake.app.asking.refusals import refusal
from helmwake.app.asking.verdicts import asked_for, what_failed, what_is_missing
from helmwake.cli.endings import FAILED, BadUseError, FailedError
from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import ApiError

T = TypeVar("T")
MAX_BROKEN: Final = 5
INTERRUPTED: Final = 130  # 128 and SIGINT, as shells say it


class TimedOutError(BadUseError):
    """What was waited for did not come in time."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where the ledger is."""

    namespace: str
    kubeconfig: str | None
    context: str | None

    def api(self) -> ApiClient:
        return ApiClient(Credentials(kubeconfig=self.kubeconfig, context=self.context))


def now() -> datetime:
    return datetime.now(UTC)


def warn(problem: object) -> None:
    click.echo(f"helmwake: {problem}", err=True)


def _run(asked: Coroutine[Any, Any, T], ledger: Ledger) -> T:
    try:
        return asyncio.run(asked)
    except ApiError as error:
        raise BadUseError(refusal(error, namespace=ledger.namespace)) from error
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def list_ledger(query: Query, ledger: Ledger, printed: Output, *, newest: int | None) -> None:
    async def read() -> tuple[Found, Names | None]:
        async with ledger.api() as api:
            found = await read_entries(api, query, namespace=ledger.namespace, limit=newest)
            if found.entries or (found.named and query.names_anything):
                return found, None
            return found, await read_names(api, namespace=ledger.namespace)

    found, names = _run(read(), ledger)
    for broken in found.broken[:MAX_BROKEN]:
        warn(broken)
    if len(found.broken) > MAX_BROKEN:
        warn(f"{len(found.broken) - MAX_BROKEN} more releasetraces cannot be read")
    if names is not None and names.releases and query.names_anything:
        raise BadUseError(f"no operation {asked_for(query)} is known; {names.like(query)}")
    if found.entries or printed.for_scripts:
        printed.print(found.entries)
    if not found.entries:
        warn(_nothing(query, ledger, empty=names is not None and not names.releases))
    if found.older:
        shown = len(found.entries)
        warn(f"the newest {shown} of {shown + found.older} are shown; --limit 0 shows all")
    if found.broken:
        # What could be read was shown; a script must know that it was not all.
        raise SystemExit(FAILED)


def _nothing(query: Query, ledger: Ledger, *, empty: bool) -> str:
    if empty:
        return (
            f"the ledger in {ledger.namespace} is empty: is the operator there (--namespace), and "
            "does it observe a namespace?"
        )
    recently = " in that time" if query.since is not None else ""
    return f"no operation {'failed' if query.failed else 'ran'}{recently}"


def follow_ledger(
    query: Query, ledger: Ledger, view: View, *, timeout: timedelta | None
) -> Awaited:
    async def go_on() -> Awaited:
        async with ledger.api() as api:
            return await follow(
                api, query, namespace=ledger.namespace, view=view, warn=view.tell, timeout=timeout
            )

    try:
        return _run(go_on(), ledger)
    finally:
        view.close()


def judge(query: Query, found: Awaited, timeout: timedelta) -> None:
    if not found.over:
        raise TimedOutError(what_is_missing(query, found, timeout))
    if found.bad:
        raise FailedError(what_failed(found))
