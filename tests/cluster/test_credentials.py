"""Whose credentials are used, and when they are read again."""

import asyncio
import importlib
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helmwake.cluster.credentials import Credentials, proxy_from_environment
from helmwake.cluster.errors import CredentialsError
from tests.cluster.proxy import moments
from tests.cluster.server import write_kubeconfig

SERVER = "http://127.0.0.1:6443"
MARKER = "hunter2"
# A certificate of nobody, whose key was thrown away.
CA = """\
-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUJb/I9bAu5FkaqgBHvt6j8893FkQwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMzIyMDQzNVoYDzIxMjYxMDMwMjIw
NDM1WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAT4/yJx6xC55Uu9a38m0ndEdhYSDTsk/JzdVZSePTgkj2zOjwqwayxK1cluOshy
bhrg52FRj2hpG8HrySBb74PIo1MwUTAdBgNVHQ4EFgQULHbHkS/+jlQ8zIIu4h/K
3BT6aIIwHwYDVR0jBBgwFoAULHbHkS/+jlQ8zIIu4h/K3BT6aIIwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBCpSxafgr+qvGdPWcYGNcVaJ6Ajs4I
eSb4TKTZy5fRvAIhAISz+dsEvgCQUoKc1YacBMWE6jvR64mEA8c+wJVYMg1Z
-----END CERTIFICATE-----
"""


class Clock:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as someone with an empty home, outside of any cluster."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def config(path: Path, token: str, **cluster: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_kubeconfig(path, server=SERVER, user={"token": token}, cluster=cluster)


async def test_a_given_file_comes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", config(tmp_path / "a", "of the environment"))
    given = config(tmp_path / "b", "given")
    assert await Credentials(kubeconfig=given).authorization() == "Bearer given"
    assert await Credentials().authorization() == "Bearer of the environment"


async def test_the_home_directorys_file_is_the_default(tmp_path: Path) -> None:
    config(tmp_path / "home" / ".kube" / "config", "of home")
    assert await Credentials().authorization() == "Bearer of home"


async def test_several_files_of_the_environment_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        str(tmp_path / "absent"),
        config(tmp_path / "a", "first"),
        config(tmp_path / "b", "x"),
    ]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(files))
    assert await Credentials().authorization() == "Bearer first"


async def test_another_context_can_be_named(tmp_path: Path) -> None:
    file = config(tmp_path / "a", "of the test")
    with pytest.raises(CredentialsError):
        await Credentials(kubeconfig=file, context="other").authorization()
    assert await Credentials(kubeconfig=file, context="test").authorization()


async def test_name_and_password_are_credentials(tmp_path: Path) -> None:
    user = {"username": "u", "password": "p"}
    file = write_kubeconfig(tmp_path / "a", server=SERVER, user=user)
    assert await Credentials(kubeconfig=file).authorization() == "Basic dTpw"


async def test_how_to_connect_comes_from_the_cluster(tmp_path: Path) -> None:
    cluster = {
        "insecure-skip-tls-verify": True,
        "tls-server-name": "kubernetes",
        "proxy-url": "http://proxy:3128",
    }
    credentials = Credentials(kubeconfig=config(tmp_path / "a", "x", **cluster))
    await credentials.authorization()
    endpoint = credentials.endpoint
    assert endpoint.server == SERVER
    assert endpoint.tls_server_name == "kubernetes"
    assert endpoint.proxy == "http://proxy:3128"
    assert endpoint.tls.verify_mode is ssl.CERT_NONE


async def test_certificates_are_verified_unless_told_otherwise(tmp_path: Path) -> None:
    credentials = Credentials(kubeconfig=config(tmp_path / "a", "x"))
    await credentials.authorization()
    assert credentials.endpoint.tls.verify_mode is ssl.CERT_REQUIRED
    assert credentials.endpoint.tls.check_hostname


def test_proxies_of_the_environment_are_used_unless_excepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.1,.svc")
    assert proxy_from_environment("https://api.example:6443") == "http://proxy:3128"
    assert proxy_from_environment("https://10.0.0.1:443") is None
    assert proxy_from_environment("https://kubernetes.default.svc") is None
    assert proxy_from_environment("http://127.0.0.1:1") is None


async def test_the_mounted_token_is_read_again_within_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("old\n", encoding="utf-8")
    ca.write_text(CA, encoding="utf-8")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    library = importlib.import_module("kubernetes.aio.config.incluster_config")
    monkeypatch.setattr(library, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(library, "SERVICE_CERT_FILENAME", str(ca))
    credentials = Credentials()
    assert await credentials.authorization() == "bearer old"
    assert credentials.endpoint.server == "https://10.0.0.1:443"
    token.write_text("new\n", encoding="utf-8")
    assert await credentials.authorization() == "bearer old"

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Later":
            return cls.fromtimestamp(datetime.now(tz).timestamp() + 61)

    monkeypatch.setattr(library.datetime, "datetime", Later)
    assert await credentials.authorization() == "bearer new"


async def test_a_token_file_is_read_again_each_minute(tmp_path: Path) -> None:
    token, clock = tmp_path / "token", Clock()
    token.write_text("old", encoding="utf-8")
    user = {"tokenFile": str(token)}
    file = write_kubeconfig(tmp_path / "a", server=SERVER, user=user)
    credentials = Credentials(kubeconfig=file, now=clock)
    assert await credentials.authorization() == "Bearer old"
    endpoint = credentials.endpoint
    token.write_text("new", encoding="utf-8")
    assert await credentials.authorization() == "Bearer old"
    clock.time += timedelta(seconds=61)
    assert await credentials.authorization() == "Bearer new"
    assert credentials.endpoint is endpoint, "a new one would drop every open connection"


def exec_config(path: Path, *, expires: datetime | None) -> str:
    """Write a kubeconfig with a plugin whose n-th call gives the token `n`."""
    calls = path.with_suffix(".calls")
    status = {"expirationTimestamp": expires.isoformat()} if expires else {}
    script = path.with_suffix(".py")
    script.write_text(
        f"""
import json, pathlib
calls = pathlib.Path({str(calls)!r})
number = int(calls.read_text()) + 1 if calls.exists() else 1
calls.write_text(str(number))
status = {{**{status!r}, "token": str(number)}}
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                   "status": status}}))
""",
        encoding="utf-8",
    )
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
    }
    return write_kubeconfig(path, server=SERVER, user={"exec": plugin})


async def test_a_plugin_is_asked_again_when_its_token_ends(tmp_path: Path) -> None:
    clock = Clock()
    file = exec_config(tmp_path / "a", expires=clock.time + timedelta(hours=1))
    credentials = Credentials(kubeconfig=file, now=clock)
    assert await credentials.authorization() == "Bearer 1"
    clock.time += timedelta(minutes=59)
    assert await credentials.authorization() == "Bearer 1"
    clock.time += timedelta(minutes=1)
    assert await credentials.authorization() == "Bearer 2"


async def test_a_plugin_that_names_no_end_is_asked_again_when_in_doubt(tmp_path: Path) -> None:
    clock = Clock()
    credentials = Credentials(kubeconfig=exec_config(tmp_path / "a", expires=None), now=clock)
    assert await credentials.authorization() == "Bearer 1"
    clock.time += timedelta(days=1)
    assert await credentials.authorization() == "Bearer 1"
    credentials.doubt()
    assert await credentials.authorization() == "Bearer 2"


async def test_many_requests_ask_a_plugin_once(tmp_path: Path) -> None:
    credentials = Credentials(kubeconfig=exec_config(tmp_path / "a", expires=None))
    answers = await asyncio.gather(*(credentials.authorization() for _ in range(5)))
    assert set(answers) == {"Bearer 1"}


class HangingPlugin:
    """A plugin that gives nothing until it is released."""

    def __init__(self, directory: Path) -> None:
        self._released, self._ended = directory / "released", directory / "ended"
        script = directory / "plugin.py"
        script.write_text(
            f"""
import pathlib, time
while not pathlib.Path({str(self._released)!r}).exists():
    time.sleep(0.01)
pathlib.Path({str(self._ended)!r}).touch()
""",
            encoding="utf-8",
        )
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
        }
        self.config = write_kubeconfig(directory / "a", server=SERVER, user={"exec": plugin})

    async def release(self) -> None:
        """Let it end, and the loop see that."""
        self._released.touch()
        for pause in moments():
            await asyncio.sleep(pause)
            if self._ended.exists():
                break
        await asyncio.sleep(0.1)


@pytest.fixture
async def hanging(tmp_path: Path) -> AsyncIterator[HangingPlugin]:
    plugin = HangingPlugin(tmp_path)
    yield plugin
    await plugin.release()


async def test_a_plugin_that_hangs_can_be_cancelled(hanging: HangingPlugin) -> None:
    credentials = Credentials(kubeconfig=hanging.config)
    asking = [asyncio.create_task(credentials.authorization()) for _ in range(2)]
    await asyncio.sleep(0.05)
    for each in reversed(asking):  # first the one that waits for the other
        each.cancel()
        with pytest.raises(asyncio.CancelledError):
            await each


async def test_a_plugin_that_hangs_is_not_waited_for_for_ever(hanging: HangingPlugin) -> None:
    credentials = Credentials(kubeconfig=hanging.config, patience=timedelta(seconds=0.05))
    with pytest.raises(CredentialsError, match="TimeoutError"):
        await credentials.authorization()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "hunter2: [", "hunter2", json.dumps({"current-context": "hunter2"}), "\0hunter2"],
)
async def test_a_broken_kubeconfig_is_an_error_that_names_the_file_only(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CredentialsError) as caught:
        await Credentials(kubeconfig=str(file)).authorization()
    assert str(file) in str(caught.value)
    assert MARKER not in repr((caught.value, caught.value.__cause__))


async def test_no_credentials_anywhere_is_an_error_that_says_where_they_were_sought() -> None:
    with pytest.raises(CredentialsError, match=r"home/\.kube/config"):
        await Credentials().authorization()


def test_asking_where_the_server_is_too_early_is_an_error() -> None:
    with pytest.raises(CredentialsError):
        _ = Credentials().endpoint
