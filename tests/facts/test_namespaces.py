"""A namespace says whether it is observed, what it delivers, and that it goes."""

from typing import Any

import pytest

from helmwake.facts.change import ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from helmwake.facts.keptn import KeptnContext, KeptnKeys
from helmwake.facts.namespaces import Namespace, parse_namespace
from helmwake.facts.parsing import parse_change
from tests.facts.objects import NOON, seen

KEYS = KeptnKeys()


def namespace_object(**meta: Any) -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "shop", "uid": "uid-n", **meta}}


def test_labels_are_kept_for_selectors_and_annotations_name_the_delivery() -> None:
    obj = namespace_object(
        labels={"helmwake.dev/observe": "enabled", "keptn.sh/stage": "dev"},
        annotations={"keptn.sh/stage": "prod", "other": "dropped"},
    )

    assert parse_change(seen(obj, origin=Origin.INITIAL), keys=KEYS) == Namespace(
        name="shop",
        uid="uid-n",
        labels={"helmwake.dev/observe": "enabled", "keptn.sh/stage": "dev"},
        keptn=KeptnContext(stage="prod"),
        terminating=False,
        seen=NOON,
        origin=Origin.INITIAL,
    )


def test_a_namespace_that_is_being_deleted_is_terminating() -> None:
    obj = namespace_object(deletionTimestamp="2026-11-23T12:00:00Z")

    assert parse_namespace(seen(obj), keys=KEYS).terminating


def test_a_deleted_namespace_is_gone() -> None:
    assert parse_namespace(seen(namespace_object(), ChangeType.DELETED), keys=KEYS).gone


@pytest.mark.parametrize("odd", [None, [], "enabled", {"helmwake.dev/observe": True}])
def test_labels_of_a_foreign_type_are_none(odd: object) -> None:
    assert parse_namespace(seen(namespace_object(labels=odd)), keys=KEYS).labels == {}


@pytest.mark.parametrize("field", ["name", "uid"])
def test_a_namespace_without_identity_is_bad(field: str) -> None:
    with pytest.raises(BadObjectError, match=rf"metadata\.{field} is not a text"):
        parse_namespace(seen(namespace_object(**{field: ""})), keys=KEYS)
