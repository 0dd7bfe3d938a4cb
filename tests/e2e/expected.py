"""What the operator must show of one of Helm's operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

RELEASE: Final = "cart"
ROLLOUT: Final = f"rollout deployment/{RELEASE}"

# A result, and the error type where there is one: "timeout progress_deadline_exceeded".
Verdict: TypeAlias = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One root span and its children. Children are told in full: more or fewer are wrong."""

    kind: str
    revision: int
    verdict: Verdict = "success"
    children: Mapping[str, Verdict] = field(default_factory=dict)
    # What the status description must say beside the error type.
    message: str = ""
    context: str | None = None  # filled in by the scenario's own
    inherited: bool = False
    attributes: Mapping[str, str | int | None] = field(default_factory=dict)  # of the root
    parent: tuple[str, str] | None = None  # the caller's trace and span
    # The types of its links; upstreams by their (trace, span).
    links: tuple[str, ...] | None = None
    upstream: tuple[str, str] | None = None
    # Its end is a later operation's doing.
    ends_later: bool = False


def hook(event: str, *, name: str | None = None) -> str:
    """Name the span of a hook of the test chart."""
    return f"hook {event} {RELEASE}-{name or event}"


def helm_test(name: str) -> str:
    """Name the span of a test of the test chart."""
    return hook("test", name=f"test-{name}")


def deploys(
    kind: str,
    revision: int,
    verdict: Verdict = "success",
    *,
    apply: Verdict | None = None,
    rollout: Verdict | None = "success",
    hooks: Mapping[str, Verdict] | None = None,
    inherited: bool | None = None,
    message: str = "",
    attributes: Mapping[str, str | int | None] | None = None,
    parent: tuple[str, str] | None = None,
    links: tuple[str, ...] | None = None,
    upstream: tuple[str, str] | None = None,
    context: str | None = None,
    ends_later: bool = False,
) -> Operation:
    """Expect an install, upgrade or rollback; no rollout where the template stays."""
    children = {"apply": verdict if apply is None else apply, **(hooks or {})}
    if rollout is not None:
        children[ROLLOUT] = rollout
    return Operation(
        kind=kind,
        revision=revision,
        verdict=verdict,
        children=children,
        message=message,
        context=context,
        inherited=kind == "rollback" if inherited is None else inherited,
        attributes=attributes or {},
        parent=parent,
        links=links,
        upstream=upstream,
        ends_later=ends_later,
    )


def uninstall(
    revision: int,
    verdict: Verdict = "success",
    *,
    hooks: Mapping[str, Verdict] | None = None,
    message: str = "",
    attributes: Mapping[str, str | int | None] | None = None,
    ends_later: bool = False,
    context: str | None = None,
    links: tuple[str, ...] | None = None,
) -> Operation:
    """Expect an uninstall, which has its revision's labels."""
    return Operation(
        kind="uninstall",
        revision=revision,
        verdict=verdict,
        children=hooks or {},
        message=message,
        inherited=True,
        attributes=attributes or {},
        ends_later=ends_later,
        context=context,
        links=links,
    )


def runs_tests(
    revision: int, verdict: Verdict = "success", *, message: str = "", **runs: Verdict
) -> Operation:
    """Expect a test with these runs."""
    return Operation(
        kind="test",
        revision=revision,
        verdict=verdict,
        children={helm_test(name): how for name, how in runs.items()},
        message=message,
        inherited=True,
    )
