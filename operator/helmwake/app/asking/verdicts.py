"""What a wait has come to, in one line."""

from datetime import timedelta
from typing import Final

from helmwake.app.asking.awaiting import Awaited, runs
from helmwake.app.asking.query import Query
from helmwake.settings.duration import format_duration
from helmwake.views.changes import ended_words, operation_name
from helmwake.views.progress import phases
from helmwake.views.verdict import Verdict

MAX_NAMED: Final = 3


def asked_for(query: Query) -> str:
    """Name what the query names: `shop/cart@7 with the Keptn context ...`."""
    parts = []
    if query.release is not None:
        revision = f"@{query.revision}" if query.revision is not None else ""
        parts.append(f"of {query.release}{revision}")
    if query.keptn.context is not None:
        parts.append(f"with the Keptn context {query.keptn.context}")
    parts += [
        f"of the {kind} {name}"
        for kind in ("project", "stage", "service")
        if (name := getattr(query.keptn, kind)) is not None
    ]
    return " ".join(parts)


def what_failed(found: Awaited) -> str:
    """Say which operations went wrong, and why."""
    bad = [f"{operation_name(entry)}: {ended_words(entry)}" for entry in found.bad]
    more = f"; and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else ""
    return "; ".join(bad[:MAX_NAMED]) + more


def what_is_missing(query: Query, found: Awaited, timeout: timedelta) -> str:
    """Say what was waited for in vain."""
    timed_out = f"timed out after {format_duration(timeout)}"
    running = [entry for entry in found.entries if runs(entry)]
    if found.named and running:
        last = running[-1]
        going = [phase for phase in phases(last.operation) if phase.verdict is Verdict.RUNNING]
        how_far = [f"{phase.name} {phase.cause or phase.said}".rstrip() for phase in going]
        said = f": {'; '.join(how_far[:MAX_NAMED])}" if how_far else ""
        more = f", and {len(running) - 1} more" if len(running) > 1 else ""
        return f"{timed_out}: {operation_name(last)}{more} still running{said}"
    if found.entries:
        return (
            f"{timed_out}: no operation was given the Keptn context {query.keptn.context}, it was "
            f"only inherited by {operation_name(found.entries[-1])}; name the revision with "
            "--release NS/NAME@REV"
        )
    kinds = "install, upgrade or rollback" if query.revision is not None else "operation"
    return f"{timed_out}: no {kinds} {asked_for(query)} was seen"
