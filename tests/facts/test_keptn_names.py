"""A workload is called in our telemetry as it is called in Keptn's own."""

from typing import Any

import pytest

from helmwake.facts.keptn import KeptnWorkload, image_tag, read_workload

NOTHING: dict[str, Any] = {}
K, A = "keptn.sh/", "app.kubernetes.io/"


def named(
    template: dict[str, Any], workload: dict[str, Any] | None = None, **images: str
) -> KeptnWorkload | None:
    return read_workload(template, workload or {}, images)


def labels(**keys: str) -> dict[str, Any]:
    """`workload=...` is Keptn's key, `_name=...` the recommended one."""
    return {
        "labels": {
            (A + key[1:].replace("_", "-") if key.startswith("_") else K + key): value
            for key, value in keys.items()
        }
    }


def test_nothing_names_a_workload_without_any_key() -> None:
    assert named(NOTHING) is None
    assert named(labels(app="shop", version="1"), NOTHING) is None


@pytest.mark.parametrize(
    ("sources", "wins"),
    [
        (("ka", "kl", "aa", "al"), "ka"),
        (("kl", "aa", "al"), "kl"),
        (("aa", "al"), "aa"),
        (("al",), "al"),
    ],
)
def test_keptns_keys_come_first_and_of_each_the_annotation(
    sources: tuple[str, ...], wins: str
) -> None:
    template: dict[str, Any] = {"annotations": {}, "labels": {}}
    for source in sources:
        key = f"{K}workload" if source[0] == "k" else f"{A}name"
        template["annotations" if source[1] == "a" else "labels"][key] = source

    found = named(template)

    assert found is not None
    assert found.workload == f"{wins}-{wins}"


def test_without_an_app_it_is_part_of_something() -> None:
    assert named(labels(workload="cart", _part_of="shop", version="1")) == KeptnWorkload(
        app="shop", workload="shop-cart", version="1"
    )


def test_without_any_app_it_is_an_app_of_its_own() -> None:
    assert named(labels(workload="cart", version="1")) == KeptnWorkload(
        app="cart", workload="cart-cart", version="1"
    )


def test_recommended_labels_are_enough() -> None:
    assert named(labels(_name="cart", _part_of="shop", _version="2")) == KeptnWorkload(
        app="shop", workload="shop-cart", version="2"
    )


def test_names_are_lower_case_with_dashes() -> None:
    assert named(labels(workload="My_Cart", app="My_Shop", version="V1_B")) == KeptnWorkload(
        app="my-shop", workload="my-shop-my-cart", version="v1_b"
    )


def test_the_owner_is_asked_only_if_the_template_names_no_workload() -> None:
    owner = labels(workload="owners", app="owner", version="9")

    from_template = named(labels(workload="cart"), owner)
    from_owner = named(labels(app="ignored"), owner)

    assert from_template == KeptnWorkload(app="cart", workload="cart-cart", version=None)
    assert from_owner == KeptnWorkload(app="owner", workload="owner-owners", version="9")


def test_a_missing_version_is_the_image_tag_of_the_named_container() -> None:
    template = labels(workload="cart", container="main")

    found = named(template, main="registry:5000/shop/cart:3.1", proxy="envoy:9")

    assert found is not None
    assert found.version == "3.1"


def test_a_container_that_is_not_there_gives_no_version() -> None:
    found = named(labels(workload="cart", container="gone"), main="shop/cart:3")

    assert found is not None
    assert found.version is None


def test_a_told_version_beats_the_image() -> None:
    found = named(labels(workload="cart", container="main", version="7"), main="shop/cart:3")

    assert found is not None
    assert found.version == "7"


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("cart:3", "3"),
        ("cart", None),
        ("cart:", None),
        ("", None),
        ("registry:5000/shop/cart", None),
        ("registry:5000/shop/cart:3", "3"),
        ("shop/cart@sha256:0123456789abcdef", None),
    ],
)
def test_a_tag_is_no_port_and_no_digest(image: str, tag: str | None) -> None:
    assert image_tag(image) == tag


def test_where_both_are_too_long_the_apps_name_gives_way_first() -> None:
    found = named(labels(workload="w" * 100, app="a" * 200))

    assert found is not None
    assert found.workload == f"{'a' * 152}-{'w' * 100}"


def test_the_apps_name_keeps_80_characters() -> None:
    found = named(labels(workload="w" * 240, app="a" * 100))

    assert found is not None
    assert found.workload == f"{'a' * 80}-{'w' * 172}"
    assert len(found.workload) == 253


def test_a_long_version_is_cut_to_63_characters() -> None:
    found = named(labels(workload="cart", version="1" * 100))

    assert found is not None
    assert found.version == "1" * 63


@pytest.mark.parametrize("odd", [None, [], "labels", {f"{K}workload": 7}, {f"{K}workload": ""}])
def test_keys_of_a_foreign_type_are_missing(odd: object) -> None:
    assert named({"labels": odd, "annotations": odd}) is None
