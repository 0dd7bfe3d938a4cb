"""Which delivery something belongs to, as its labels, annotations and values say."""

import pytest

from helmwake.facts.keptn import (
    NO_CONTEXT,
    KeptnContext,
    KeptnKeys,
    read_context,
    read_object_context,
    read_values_context,
)

KEYS = KeptnKeys()


def test_annotations_of_an_object_come_before_its_labels() -> None:
    found = read_object_context(
        {"keptn.sh/context": "annotated", "keptn.sh/stage": "prod"},
        {"keptn.sh/context": "labelled", "keptn.sh/service": "cart"},
        KEYS,
    )

    assert found == KeptnContext(context="annotated", stage="prod", service="cart")


def test_a_stronger_source_is_filled_from_a_weaker_one_key_by_key() -> None:
    strong = KeptnContext(context="a", project="p")

    assert strong.or_else(KeptnContext(context="b", stage="s")) == KeptnContext(
        context="a", project="p", stage="s"
    )
    assert NO_CONTEXT.or_else(strong) == strong


def test_an_empty_value_says_nothing() -> None:
    assert read_context({"keptn.sh/context": ""}, KEYS) == NO_CONTEXT
    assert NO_CONTEXT.empty
    assert not KeptnContext(stage="prod").empty


def test_an_annotations_length_is_bounded() -> None:
    found = read_context({"keptn.sh/context": "x" * 10_000}, KEYS)

    assert found.context == "x" * 256


def test_keptn_v1_names_project_stage_and_service_in_the_values() -> None:
    values = {"keptn": {"project": "p", "stage": "s", "service": "c", "deployment": "canary"}}

    assert read_values_context(values) == KeptnContext(project="p", stage="s", service="c")


@pytest.mark.parametrize(
    "keptn", [None, "sockshop", ["p"], 7, {"project": {"name": "p"}, "stage": 7, "service": ""}]
)
def test_values_of_another_shape_name_nothing(keptn: object) -> None:
    assert read_values_context({"keptn": keptn}) == NO_CONTEXT
    assert read_values_context({}) == NO_CONTEXT
