"""What a record is that the first list of a process shows: news, history or old."""

from datetime import datetime, timedelta
from enum import StrEnum

from helmwake.facts.helm import Record
from helmwake.facts.versions import is_newer
from helmwake.ledger.progress import NOTHING_READ, ObservedNamespace, Progress


class Standing(StrEnum):
    NEWS = "news"  # written since the ledger was last in step
    HISTORY = "history"  # from before its namespace was observed, and wanted
    OLD = "old"  # the ledger had it, or nobody wants it


def standing(
    record: Record, progress: Progress, *, backfill: timedelta | None, began: datetime
) -> Standing:
    """Say it by the namespace's entry in `progress`, which must be there already.

    `backfill` is how long before its observation a namespace is told of, None for ever;
    `began` is when this process did. A namespace that is observed since then is new.
    """
    known = progress.namespaces.get(record.release.namespace)
    if known is None:
        return Standing.OLD
    left = (known.left or NOTHING_READ).get(record.driver)
    if left is not None and not is_newer(record.resource_version, left):
        return Standing.OLD
    if known.since < began and _is_news(record, progress, known):
        return Standing.NEWS
    if _is_wanted(record, known, backfill):
        return Standing.HISTORY
    return Standing.OLD


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
