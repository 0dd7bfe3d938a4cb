"""Each case is what `kubectl get -l` does with it."""

from typing import Any

import pytest
from pydantic import ValidationError

from helmwake.settings.selector import LabelSelector, parse_selector


def selector(*requirements: tuple[str, str, list[str]], **labels: str) -> LabelSelector:
    expressions = [
        {"key": key, "operator": operator, "values": values}
        for key, operator, values in requirements
    ]
    return LabelSelector.model_validate({"matchLabels": labels, "matchExpressions": expressions})


@pytest.mark.parametrize(
    ("operator", "values", "labels", "matches"),
    [
        ("In", ["a", "b"], {"tier": "a"}, True),
        ("In", ["a", "b"], {"tier": "c"}, False),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"tier": "b"}, True),
        ("NotIn", ["a"], {"tier": "a"}, False),
        ("NotIn", ["a"], {}, True),
        ("Exists", [], {"tier": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"tier": "a"}, False),
    ],
)
def test_one_requirement(
    operator: str, values: list[str], labels: dict[str, str], *, matches: bool
) -> None:
    assert selector(("tier", operator, values)).matches(labels) is matches


def test_no_condition_matches_everything() -> None:
    assert LabelSelector().matches({})
    assert LabelSelector().matches({"a": "b"})


def test_all_conditions_must_hold() -> None:
    both = selector(("tier", "Exists", []), observe="yes")

    assert both.matches({"observe": "yes", "tier": "a"})
    assert not both.matches({"observe": "yes"})
    assert not both.matches({"tier": "a"})


@pytest.mark.parametrize(
    "given",
    [
        {"matchLabels": {"a b": "c"}},
        {"matchLabels": {"a": "b c"}},
        {"matchLabels": {"a": "b" * 64}},
        {"matchLabels": {"a": 1}},
        {"matchLabels": {f"k{n}": "v" for n in range(33)}},
        {"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]},
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
        {"matchExpressions": [{"operator": "Exists"}]},
        {"matchExpressions": "a"},
        "a=b",
    ],
)
def test_what_the_apiserver_refuses_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        LabelSelector.model_validate(given)


@pytest.mark.parametrize(
    ("text", "match", "others"),
    [
        ("a=b", {"a": "b"}, {"a": "c"}),
        ("a==b", {"a": "b"}, {"a": "c"}),
        ("a!=b", {"a": "c"}, {"a": "b"}),
        ("a in (b, c)", {"a": "c"}, {"a": "d"}),
        ("a notin (b,c)", {}, {"a": "c"}),
        ("a in(b)", {"a": "b"}, {}),
        ("a", {"a": ""}, {}),
        ("!a", {}, {"a": ""}),
        (" a=b , c in (d,e),!f ", {"a": "b", "c": "e"}, {"a": "b", "c": "e", "f": ""}),
        ("x.dev/a=b", {"x.dev/a": "b"}, {}),
    ],
)
def test_kubectls_notation(text: str, match: dict[str, str], others: dict[str, str]) -> None:
    read = LabelSelector.model_validate(parse_selector(text))

    assert read.matches(match)
    assert not read.matches(others)


@pytest.mark.parametrize("text", ["a b", "a in b", "=b", "a=b c", "a in ()extra", "(", "a>1"])
def test_what_kubectl_does_not_read_we_do_not_guess(text: str) -> None:
    with pytest.raises(ValidationError):
        LabelSelector.model_validate(parse_selector(text))
