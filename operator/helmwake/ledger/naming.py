"""The name of an operation's entry: the same for whoever sees the operation."""

import hashlib
from typing import Final

from helmwake.lifecycle.operation import Operation

HASH_BYTES: Final = 8
SEPARATOR: Final = "\x1f"  # in no uid and no time
MAX_CHARACTERS: Final = 253  # of a name in Kubernetes
DEPLOY: Final = "deploy"


def entry_name(operation: Operation) -> str:
    """Name it by its record, what it does to it, and its start where that tells them apart.

    A record has one deploying operation at most, and whether that was an upgrade or a
    rollback may be learned late: both would have the same name.
    """
    kind = operation.kind
    group = DEPLOY if kind.deploys else kind.value
    start = operation.id.start.isoformat() if operation.id.start else ""
    text = SEPARATOR.join((operation.id.uid, group, start)).encode(errors="replace")
    digest = hashlib.blake2b(text, digest_size=HASH_BYTES).hexdigest()
    middle = "" if kind.deploys else f".{group}"
    end = f".v{operation.revision}{middle}.{digest}"
    # Helm allows 53 characters, but a record can be made by hand.
    return operation.release.name[: MAX_CHARACTERS - len(end)].rstrip("-.") + end
