"""What to do after a list or a watch has ended: decided here, carried out by the reflector.

| what ended it | the first time | the same again, with nothing heard between |
|---|---|---|
| a cut | watch on at once | wait, watch on |
| the server's regular end, silence, a line that is no event | watch on at once | wait, list |
| an ERROR event but 410 | wait, watch on | wait, list |
| 410, version too large | list at once | wait, list |
| network, credentials, 401, 403, 408, 429, 5xx | wait, watch on | the same |
| anything else | wait, list | the same |

To watch on starts from the last version heard, and so loses nothing: a line that was garbled on
its way comes again, whole. Only what comes garbled twice is given up, and a list tells the rest.
Silence after silence may mean that etcd was restored from a backup: a watch from a version of
the future is not refused, it only says nothing until that version is reached (seen with 1.37).
What is mended at once makes nobody stale; what needs a wait does.
"""

from dataclasses import dataclass
from typing import Final

from helmwake.cluster.errors import (
    ApiError,
    BadLineError,
    ErrorEventError,
    GoneError,
    SilentWatchError,
    StreamBrokenError,
    VersionTooLargeError,
)

MENDED_AT_ONCE: Final = (
    BadLineError,
    GoneError,
    SilentWatchError,
    StreamBrokenError,
    VersionTooLargeError,
)
LOSES_VERSION: Final = (GoneError, VersionTooLargeError)
LOSES_VERSION_AGAIN: Final = (BadLineError, ErrorEventError, SilentWatchError)

FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The way back: whether to wait, and whether to list before watching."""

    wait: bool
    relist: bool
    # An open watch is a good sign, but not where open watches have only been silent.
    trust_open: bool = True


def recovery_after(error: ApiError | None, *, again: bool) -> Recovery:
    """Decide what to do after `error`, or after the regular end of a watch (None).

    `again`: it ended in the same way before, and nothing was heard since.
    """
    return Recovery(
        wait=again or not (error is None or isinstance(error, MENDED_AT_ONCE)),
        relist=_relist(error, again=again),
        trust_open=not (again and (error is None or isinstance(error, SilentWatchError))),
    )


def _relist(error: ApiError | None, *, again: bool) -> bool:
    if error is None or isinstance(error, LOSES_VERSION_AGAIN):
        return again
    if isinstance(error, LOSES_VERSION):
        return True
    # The others of the table keep the version; a 400 may be about the version itself.
    return not (error.transient or error.status == FORBIDDEN)
