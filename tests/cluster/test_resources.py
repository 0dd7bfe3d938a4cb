"""Where each kind is asked for."""

import pytest

from helmwake.cluster.resources import (
    DEPLOYMENTS,
    HELM_CONFIG_MAPS,
    HELM_SECRETS,
    NAMESPACES,
    Resource,
)


@pytest.mark.parametrize(
    ("resource", "path", "api_version", "words"),
    [
        (HELM_SECRETS, "/api/v1/secrets", "v1", "secrets"),
        (HELM_CONFIG_MAPS, "/api/v1/configmaps", "v1", "configmaps"),
        (DEPLOYMENTS, "/apis/apps/v1/deployments", "apps/v1", "deployments.apps"),
        (NAMESPACES, "/api/v1/namespaces", "v1", "namespaces"),
        (
            DEPLOYMENTS.within("shop"),
            "/apis/apps/v1/namespaces/shop/deployments",
            "apps/v1",
            "deployments.apps in shop",
        ),
    ],
)
def test_a_resource_has_a_place_and_a_name(
    resource: Resource, path: str, api_version: str, words: str
) -> None:
    assert resource.path == path
    assert resource.api_version == api_version
    assert str(resource) == words


def test_a_namespace_itself_is_restricted_by_name() -> None:
    only = NAMESPACES.within("shop")
    assert only.path == "/api/v1/namespaces"
    assert only.selectors == {"fieldSelector": "metadata.name=shop"}


def test_no_namespace_is_no_restriction() -> None:
    assert HELM_SECRETS.within(None) is HELM_SECRETS


def test_only_what_is_read_whole_is_asked_for_whole() -> None:
    assert [
        each.plural
        for each in (HELM_SECRETS, HELM_CONFIG_MAPS, DEPLOYMENTS, NAMESPACES)
        if not each.metadata_only
    ] == ["deployments"]
