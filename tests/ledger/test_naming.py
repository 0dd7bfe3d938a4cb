"""An operation has one entry, whoever sees it and whenever."""

import re
from dataclasses import replace
from typing import Any, Final

import pytest

from helmwake.facts.identity import ReleaseKey
from helmwake.facts.keptn import KeptnContext
from helmwake.ledger.documents import entry_labels, entry_name
from helmwake.ledger.entry import State
from helmwake.lifecycle.operation import Operation, OperationId, OperationKind
from tests.ledger.making import entry, full
from tests.lifecycle.making import after

# Source: Kubernetes, "Object Names and IDs".
DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII
)


def operation(kind: str, *, start: float | None = None, **fields: Any) -> Operation:
    operation_id = OperationId(
        uid="uid-2", kind=OperationKind(kind), start=None if start is None else after(start)
    )
    return replace(full(), **{"id": operation_id, "revision": 3, **fields})


def test_names_are_the_same_for_ever() -> None:
    """They are in clusters: another hash would make a second entry of every operation."""
    assert entry_name(operation("upgrade")) == "cart.v3.c59ed70db43dffc1"
    assert entry_name(operation("test", start=1.5)) == "cart.v3.test.838f795306b160d2"
    assert entry_name(operation("uninstall")) == "cart.v3.uninstall.fa5684ce12cf20ea"


def test_it_does_not_matter_whether_an_upgrade_is_learned_to_be_a_rollback() -> None:
    deploying = [kind.value for kind in OperationKind if kind.deploys]

    assert len({entry_name(operation(kind)) for kind in deploying}) == 1


def test_operations_of_one_record_are_told_apart() -> None:
    others = [
        operation("install"),
        operation("uninstall"),
        operation("uninstall", start=1),
        operation("test", start=1),
        operation("test", start=1.000001),
        operation("install", id=OperationId(uid="uid-3", kind=OperationKind.INSTALL)),
    ]

    assert len({entry_name(other) for other in others}) == len(others)


@pytest.mark.parametrize("length", [1, 53, 200, 221, 222, 223, 240, 253])
@pytest.mark.parametrize("kind", OperationKind)
def test_a_name_is_always_a_valid_one(length: int, kind: OperationKind) -> None:
    name = ("a-." * 100)[: length - 1] + "a"
    named = operation(kind, release=ReleaseKey("shop", name.replace("-.", "-a.")), revision=10**19)

    made = entry_name(named)

    assert DNS_SUBDOMAIN.fullmatch(made)
    assert len(made) <= 253


def test_labels_say_by_what_it_is_looked_for() -> None:
    assert entry_labels(entry(full(), state=State.SET_ASIDE)) == {
        "helmwake.dev/release-namespace": "shop",
        "helmwake.dev/release-name": "cart",
        "helmwake.dev/state": "setaside",
        "helmwake.dev/record": "uid-2",
        "keptn.sh/context": "c-1",
        "keptn.sh/project": "sockshop",
        "keptn.sh/stage": "prod",
        "keptn.sh/service": "cart",
    }


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("3b9b2d0c-26bb-4a4a-9f40-1ad2a1d1d2fa", True),
        ("a", True),
        ("A_b.c", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("", False),
        ("a b", False),
        ("-a", False),
        ("a.", False),
        ("ä", False),
        ("a\n", False),
        ("a/b", False),
    ],
)
def test_what_is_no_valid_label_has_none(value: str, *, valid: bool) -> None:
    keptn = KeptnContext(context=value)
    bare = replace(full(), payload=None, namespace=KeptnContext(), rollouts=())
    labels = entry_labels(entry(replace(bare, tags=replace(bare.tags, keptn=keptn))))

    assert labels.get("keptn.sh/context") == (value if valid else None)
