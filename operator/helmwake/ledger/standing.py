"""What a record is that the first list of a process shows: news, history or old.

It is said as an origin:

- RELISTED is news: written since the ledger was last in step;
- HISTORY is from before its namespace was observed, and wanted;
- INITIAL is old: the ledger had it, or nobody wants it.
"""

from datetime import datetime, timedelta
from typing import Final

from helmwake.facts.change import Origin
from helmwake.facts.helm import Record
from helmwake.facts.versions import is_newer
from helmwake.ledger.progress import NOTHING_READ, ObservedNamespace, Progress

# The server's clock against ours. What is asked of the ledger in vain costs one request.
CLOCKS_AGREE: Final = timedelta(minutes=1)


def standing(
    record: Record, progress: Progress, *, backfill: timedelta | None, began: datetime
) -> Origin:
    """Say it by the namespace's entry in `progress`, which must be there already.

    `backfill` is how long before its observation a namespace is told of, None for ever;
    `began` is when this process did. A namespace that is observed since then is new.
    """
    known = progress.namespaces.get(record.release.namespace)
    if known is None:
        return Origin.INITIAL
    left = (known.left or NOTHING_READ).get(record.driver)
    if left is not None and not is_newer(record.resource_version, left):
        return Origin.INITIAL
    wanted = _is_wanted(record, known, backfill)
    if known.since < began and _is_news(record, progress, known):
        # A process that ended before it had told the history leaves that to the next one.
        return Origin.HISTORY if wanted and known.filled_from is None else Origin.RELISTED
    return Origin.HISTORY if wanted else Origin.INITIAL


def standing_of_beginning(
    record: Record, progress: Progress, *, backfill: timedelta | None
) -> Origin:
    """Say it of the operation that made a record, where a later one on it was begun.

    The process that began the later one may have ended before it had stored the first.
    """
    known = progress.namespaces.get(record.release.namespace)
    if known is None:
        return Origin.INITIAL
    if record.created < known.since.replace(microsecond=0):
        filled = known.filled_from is not None
        wanted = not filled and _is_wanted(record, known, backfill)
        return Origin.HISTORY if wanted else Origin.INITIAL
    until = read_until(progress, record.release.namespace)
    return Origin.INITIAL if until is not None and record.created < until else Origin.RELISTED


def read_until(progress: Progress, namespace: str) -> datetime | None:
    """Say until when what happened in a namespace is known: told, or history; None: not at all.

    An operation that began before that is no news, though its record may be written again: by
    a later operation that supersedes it, say.
    """
    known = progress.namespaces.get(namespace)
    since = known.since.replace(microsecond=0) if known else None
    if progress.read_at is None:
        return since
    read_at = progress.read_at - CLOCKS_AGREE
    return read_at if since is None else max(since, read_at)


def _is_news(record: Record, progress: Progress, known: ObservedNamespace) -> bool:
    read_to = progress.read_to.get(record.driver)
    if read_to is not None:
        return is_newer(record.resource_version, read_to)
    # The process before this one ended before it could say how far it was.
    return record.written >= known.since.replace(microsecond=0)


def _is_wanted(record: Record, known: ObservedNamespace, backfill: timedelta | None) -> bool:
    """Tell whether it began before its namespace was observed, in the part not filled in yet."""
    until = known.since if known.filled_from is None else known.filled_from
    if record.created >= until:
        return False
    return backfill is None or record.created >= known.since - backfill
