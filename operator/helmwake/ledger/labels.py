"""The labels by which entries are found."""

import re
from typing import Final

from helmwake.ledger.entry import Entry, State

RELEASE_NAMESPACE: Final = "helmwake.dev/release-namespace"
RELEASE_NAME: Final = "helmwake.dev/release-name"
STATE: Final = "helmwake.dev/state"
RECORD: Final = "helmwake.dev/record"
KEPTN_CONTEXT: Final = "keptn.sh/context"
KEPTN_PROJECT: Final = "keptn.sh/project"
KEPTN_STAGE: Final = "keptn.sh/stage"
KEPTN_SERVICE: Final = "keptn.sh/service"
# Source: Kubernetes, "Labels and Selectors", syntax and character set.
VALUE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)


def state_label(state: State) -> str:
    return state.value.lower()


def entry_labels(entry: Entry) -> dict[str, str]:
    """Return what an entry is found by. What is no valid value has no label, only its field."""
    operation = entry.operation
    keptn = operation.keptn
    values = {
        RELEASE_NAMESPACE: operation.release.namespace,
        RELEASE_NAME: operation.release.name,
        STATE: state_label(entry.state),
        RECORD: operation.id.uid,
        KEPTN_CONTEXT: keptn.context,
        KEPTN_PROJECT: keptn.project,
        KEPTN_STAGE: keptn.stage,
        KEPTN_SERVICE: keptn.service,
    }
    return {key: value for key, value in values.items() if value and VALUE.fullmatch(value)}
