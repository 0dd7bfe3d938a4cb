"""How one entry gets into the ledger, whatever is there already.

| in the ledger | ours | |
|---|---|---|
| nothing | any | created, then its status is written |
| its end, as an earlier process told it | not a mark | theirs stays, ours is dropped |
| delivered | a mark | theirs stays |
| anything else, readable or not | any | ours goes over it |
| edited since it was written from here | any | ours goes over it |
| deleted since | any | created anew |

A mark is what says that the trace was delivered or set aside.
An operation has its end once: a trace that was sent must be the same when it is sent again, and
what was measured is not measured again.
"""

import logging
from collections.abc import Callable
from typing import Final

from helmwake.cluster.errors import ApiError, ConflictError
from helmwake.ledger.documents import merge_patch, to_spec, trimmed
from helmwake.ledger.entry import Entry, State
from helmwake.ledger.errors import BadEntryError
from helmwake.ledger.problems import is_absent, is_uncertain
from helmwake.ledger.slot import Slot
from helmwake.ledger.store import Bad, Handle, LedgerStore, Stored

logger: Final = logging.getLogger(__name__)
# What became of an entry that had been stored and forgotten before.
MARKS: Final = frozenset({State.DELIVERED, State.SET_ASIDE})
# The operation's end is told in it.
TOLD: Final = frozenset({State.UNDELIVERED, *MARKS})
# Somebody who edits it faster than we write is left alone for a while.
MAX_CONFLICTS: Final = 3


class Persister:
    """Does the requests for one slot. What each brought is kept in the slot at once."""

    def __init__(self, store: LedgerStore, *, on_stored: Callable[[Entry], None]) -> None:
        self._store = store
        self._on_stored = on_stored

    async def persist(self, slot: Slot, entry: Entry) -> Entry | None:
        """Store it; return what the ledger had already, where that stays and ours is dropped.

        Raises:
            ApiError: not all of it could be stored. To go on, call again.

        """
        conflicts = 0
        while True:
            try:
                return await self._persist(slot, entry)
            except ApiError as error:
                slot.uncertain = slot.uncertain or is_uncertain(error)
                if slot.handle is None:
                    raise
                if is_absent(error):
                    logger.info("%s was deleted by hand; it is made anew", slot.name)
                elif isinstance(error, ConflictError) and conflicts < MAX_CONFLICTS:
                    conflicts += 1
                else:
                    raise
                slot.handle, slot.lost = None, slot.handle

    async def _persist(self, slot: Slot, entry: Entry) -> Entry | None:
        hold = slot.handle or await self._take_hold(slot, entry)
        if isinstance(hold, Entry):
            return hold
        slot.handle = hold
        if merge_patch(hold.spec, to_spec(entry.operation)):
            # Another kind of operation was taken for this one; a spec cannot be changed.
            await self._store.delete(hold)
            slot.handle = None
            slot.handle = hold = await self._store.create(entry)
        if patch := hold.status_patch(entry):
            slot.handle = hold = await self._store.write_status(hold, patch)
        self._note(slot, entry, hold)
        if patch := hold.label_patch(entry):
            slot.handle = await self._store.write_labels(hold, patch)
        slot.lost, slot.uncertain = None, False
        return None

    async def _take_hold(self, slot: Slot, entry: Entry) -> Handle | Entry:
        """Find or make the object; return the entry in it if ours must not go over that."""
        found: Stored | Bad | None = None
        if slot.ours or entry.state in MARKS:
            found = await self._store.read(slot.name)
        if found is None:
            if entry.state in MARKS and slot.state is None:
                logger.info("%s was deleted before its trace was delivered", slot.name)
            try:
                return await self._store.create(entry)
            except ConflictError:
                found = await self._store.read(slot.name)
                if found is None:  # it is about something else, as a quota
                    raise
        if isinstance(found, Stored) and not slot.ours and _stays(found.entry.state, entry.state):
            return found.entry
        edited = slot.lost is not None and found.handle.status != slot.lost.status
        if edited and not slot.uncertain:
            logger.info("%s was edited by hand; what was observed goes over it", slot.name)
        return found.handle

    def _note(self, slot: Slot, entry: Entry, handle: Handle) -> None:
        """Take down that the state is stored, and tell it once."""
        known, slot.state, slot.ours = slot.state, entry.state, True
        if entry.state in {State.RUNNING, known}:
            return
        try:
            stored = self._store.entry_of(handle)
        except BadEntryError as error:
            # A CRD older than this process leaves out what it does not know.
            logger.debug("%s; it is told as it was written", error)
            stored = trimmed(entry)
        self._on_stored(stored)


def _stays(theirs: State, ours: State) -> bool:
    if ours in MARKS:
        return theirs is State.DELIVERED
    return theirs in TOLD
