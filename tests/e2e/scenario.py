"""A scenario: what Helm is made to do in a namespace of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tests.e2e.helm import OBSERVED, Helm

if TYPE_CHECKING:
    from collections.abc import Mapping

Story: TypeAlias = Callable[[Helm], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story, told to both Helms."""

    name: str
    story: Story
    labels: Mapping[str, str]  # of its namespace
    annotations: Mapping[str, str]
    # A replay ignores which namespaces are observed.
    replays_alike: bool = True
    slow: bool = False  # to be begun first


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    *,
    labels: Mapping[str, str] = OBSERVED,
    annotations: Mapping[str, str] | None = None,
    replays_alike: bool = True,
    slow: bool = False,
) -> Callable[[Story], Story]:
    """Tell the tests of a story; its name is the function's."""

    def note(story: Story) -> Story:
        name = story.__name__.replace("_", "-")
        assert name not in SCENARIOS
        SCENARIOS[name] = Scenario(
            name=name,
            story=story,
            labels=labels,
            annotations=annotations or {},
            replays_alike=replays_alike,
            slow=slow,
        )
        return story

    return note
