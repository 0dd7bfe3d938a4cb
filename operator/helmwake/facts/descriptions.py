"""Helm's descriptions, cut down to phrases that are known to hold no secret.

A failure's text may quote a line of the manifest (`Invalid value: "..."`), and
`--description` is anybody's text. Nothing of either is kept.

Source: helm/helm, pkg/action/{install,upgrade,rollback,uninstall,hooks}.go; pkg/kube/wait.go;
fluxcd/helm-controller, internal/action/unlock.go; apimachinery, api/errors.
"""

import re
from typing import Final

# Helm's own texts, whole.
OWN: Final = re.compile(
    r"(?:Initial install underway|Preparing upgrade|Install complete|Upgrade complete"
    r"|Rollback to \d{1,10}|Uninstallation complete|superseded by new release"
    r"|Deletion in progress \(or silently failed\))"
)
FAILED: Final = re.compile(r'(?:Release|Upgrade|Rollback) "[\w.-]{1,53}" failed:')
UNLOCKED: Final = re.compile(r"Release unlocked from stale")
DEADLINE: Final = re.compile(r"context deadline exceeded|timed out waiting|context deadline")
CANCELED: Final = re.compile(r"context canceled|has been interrupted|interrupted by")
# "pre-upgrade hooks failed: ...", but of an install: "failed pre-install: ..."
HOOK_EVENT: Final = re.compile(
    r"(?P<event>(?:pre|post)-(?:install|upgrade|rollback|delete))(?: hooks? failed|:)"
)
INSTALL_HOOK: Final = re.compile(r"failed (?P<event>(?:pre|post)-install)\b")
HOOKS: Final = re.compile(r"hooks? failed")
NOT_READY: Final = re.compile(r"resource (?P<what>\w{1,63}/[\w.-]{1,253}/[\w.-]{1,253}) not ready")
# kstatus gives up on what its controller gave up on. Source: fluxcd/cli-utils, kstatus.
STALLED: Final = re.compile(r"progress deadline exceeded|ProgressDeadlineExceeded", re.IGNORECASE)
REFUSED: Final = re.compile(
    r"(?:cannot|failed to|unable to) (?P<verb>patch|create|replace|apply|delete|get)\w{0,5}"
    r'(?: object)?(?: "(?P<name>[\w.-]{1,253})")?(?: with kind (?P<kind>\w{1,63}))?'
)
# The API server's own words: `Deployment.apps "cart" is invalid: ...`.
OBJECT: Final = re.compile(
    r'\b(?P<kind>[A-Z]\w{0,62})(?:\.[\w.]{1,253})? "(?P<name>[\w.-]{1,253})" '
    r"(?:is (?:invalid|forbidden)|already)"
)
# Reasons of the API server's that quote nothing. Source: metav1.StatusReason.
REASONS: Final = (
    "exceeded quota",
    "forbidden",
    "already exists",
    "field is immutable",
    "is invalid",
    "no matches for kind",
    "not found",
    "conflict",
    "connection refused",
    "no such host",
    "Unauthorized",
)
PHRASES: Final = (
    FAILED,
    UNLOCKED,
    DEADLINE,
    CANCELED,
    HOOK_EVENT,
    INSTALL_HOOK,
    HOOKS,
    NOT_READY,
    STALLED,
    REFUSED,
    OBJECT,
    re.compile("|".join(REASONS)),
)
MAX_READ_CHARACTERS: Final = 16_384
MAX_KEPT_CHARACTERS: Final = 1024


def safe_description(text: str) -> str:
    """Keep Helm's own text, or of any other what is known; the rest may be secret."""
    if OWN.fullmatch(text):
        return text
    text = text[:MAX_READ_CHARACTERS]
    kept, end = "", 0
    spans = sorted(match.span() for phrase in PHRASES for match in phrase.finditer(text))
    for first, last in spans:
        if last <= end:
            continue
        # Phrases that touch stay together; what was between others is gone.
        kept += (
            text[max(first, end) : last] if first <= end or not kept else f" {text[first:last]}"
        )
        end = last
    return kept[:MAX_KEPT_CHARACTERS]
