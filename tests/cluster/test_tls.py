"""The client before a real apiserver, with nothing between."""

import asyncio
from pathlib import Path

import pytest

from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import UnauthorizedError, UnavailableError
from helmwake.cluster.resources import HELM_SECRETS
from tests.cluster.kit import running
from tests.cluster.server import write_kubeconfig
from tests.controlplane.cluster import ControlPlane


async def test_a_kubeconfig_is_all_it_takes(control_plane: ControlPlane) -> None:
    async with ApiClient(Credentials(kubeconfig=str(control_plane.kubeconfig))) as client:
        assert (await client.get("/version"))["major"] == "1"


async def test_an_open_watch_leaves_nothing_behind(
    control_plane: ControlPlane, namespace: str
) -> None:
    before = asyncio.all_tasks()
    async with (
        ApiClient(Credentials(kubeconfig=str(control_plane.kubeconfig))) as client,
        running(client, HELM_SECRETS.within(namespace)) as run,
    ):
        await run.reflector.synced_event.wait()
    assert asyncio.all_tasks() <= before


async def test_another_authority_is_not_trusted(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    user = {"token": control_plane.admin_token}
    file = write_kubeconfig(tmp_path / "config", server=control_plane.server, user=user)
    credentials = Credentials(kubeconfig=file)
    async with ApiClient(credentials) as client:
        with pytest.raises(UnavailableError, match="TLS was refused"):
            await client.get("/version")
        # The authority may be renewed on disk, and is then looked up anew.
        trust = {"certificate-authority": str(control_plane.ca_file)}
        write_kubeconfig(
            tmp_path / "config", server=control_plane.server, user=user, cluster=trust
        )
        assert await client.get("/version")


async def test_another_name_is_not_trusted_unless_it_was_named(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    trust = {"certificate-authority": str(control_plane.ca_file)}
    for name, error in (("elsewhere.example", UnavailableError), ("kubernetes", None)):
        file = write_kubeconfig(
            tmp_path / "config",
            server=control_plane.server,
            user={"token": control_plane.admin_token},
            cluster={**trust, "tls-server-name": name},
        )
        async with ApiClient(Credentials(kubeconfig=file)) as client:
            if error is None:
                assert await client.get("/version")
            else:
                with pytest.raises(error):
                    await client.get("/version")


async def test_a_token_of_nobody_is_refused(control_plane: ControlPlane) -> None:
    file = control_plane.kubeconfig_for("hunter2")
    async with ApiClient(Credentials(kubeconfig=str(file))) as client:
        with pytest.raises(UnauthorizedError) as caught:
            await client.get("/version")
    assert "hunter2" not in str(caught.value)
