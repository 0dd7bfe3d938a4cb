"""Where the apiserver is, and who we are to it.

`kubernetes.aio.config` reads the kubeconfig, runs its plugins and finds the mounted token;
nothing else of that package is used, nor loaded.
"""

import asyncio
import os
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from helmwake.cluster.errors import CredentialsError
from helmwake.cluster.kubeconfigs import (
    ConfigException,
    Configuration,
    load_incluster_config,
    load_kube_config,
)

DEFAULT_KUBECONFIG: Final = "~/.kube/config"
IN_CLUSTER_ENV: Final = "KUBERNETES_SERVICE_HOST"
# What a file, a token endpoint or a plugin may have renewed is looked at once a minute.
REFRESH_PERIOD: Final = timedelta(minutes=1)
# A plugin's token is renewed a little before it ends, so that no request carries a dead one.
EXPIRY_SKEW: Final = timedelta(seconds=30)
# A plugin may ask a person, or a cloud that is away; the next request asks it again.
PATIENCE: Final = timedelta(minutes=1)
# The library lets through whatever its parsing of foreign YAML and files runs into.
LOADING_ERRORS: Final = (
    ConfigException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    yaml.YAMLError,
)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How to connect. A new one comes only when the certificates may have changed."""

    server: str  # without a slash at the end
    tls: ssl.SSLContext
    tls_server_name: str | None
    proxy: str | None


class Credentials:
    """Asked before every request; reads again what may have changed since."""

    def __init__(
        self,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        now: Callable[[], datetime] = utc_now,
        patience: timedelta = PATIENCE,
    ) -> None:
        """Load nothing yet.

        As kubectl does: the given file, else those of $KUBECONFIG, else the one in the home
        directory, else the token mounted into the pod.
        """
        self._kubeconfig = kubeconfig
        self._context = context
        self._now = now
        self._patience = patience
        self._lock = asyncio.Lock()
        self._configuration = Configuration()
        self._loader: Any = None
        self._endpoint: Endpoint | None = None
        self._loaded = False
        self._due: datetime | None = None

    async def authorization(self) -> str | None:
        """Give the value of the Authorization header; None where a certificate speaks for us.

        Raises:
            CredentialsError: there are none, or they cannot be read now.

        """
        # HAZARD: one at a time. A plugin may open a browser, and two of it would.
        async with self._lock:
            try:
                async with asyncio.timeout(self._patience.total_seconds()):
                    await self._refresh()
                # This calls the hook by which the mounted token is read again each minute.
                value = await self._configuration.get_api_key_with_prefix("BearerToken")
            except LOADING_ERRORS as error:
                # Not the error's own words: YAML's quote the lines around the mistake.
                raise CredentialsError(
                    f"read credentials from {self.source}", reason=type(error).__name__
                ) from None
        return value.strip() if value else None

    @property
    def endpoint(self) -> Endpoint:
        """Valid after the first `authorization()`."""
        if self._endpoint is None:
            raise CredentialsError("read credentials: asked too early")
        return self._endpoint

    @property
    def source(self) -> str:
        """Where the credentials come from, for people."""
        return self._file or "the pod's service account"

    def doubt(self) -> None:
        """Read everything again before the next request: the server did not accept it."""
        self._loaded = False

    @property
    def _file(self) -> str | None:
        named = self._kubeconfig or os.environ.get("KUBECONFIG")
        home = Path(DEFAULT_KUBECONFIG).expanduser()
        if named or self._context is not None:
            return named or str(home)
        if home.exists() or IN_CLUSTER_ENV not in os.environ:
            return str(home)
        return None

    async def _refresh(self) -> None:
        is_due = self._due is not None and self._now() >= self._due
        if not self._loaded or (is_due and self._has_plugin):
            await self._load()
        elif is_due and self._loader is not None:
            # Reads tokenFile again, and renews the token of OIDC if its time has come.
            await self._loader.load_and_set(self._configuration)
            self._due = self._next_refresh()

    async def _load(self) -> None:
        configuration = Configuration()
        loader: Any = None
        if (file := self._file) is None:
            load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        else:
            # The library knows $KUBECONFIG only as it was at import. The file is never written:
            # it is the user's.
            loader = await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=file,
                context=self._context,
                client_configuration=configuration,
                persist_config=False,
            )
        self._endpoint = endpoint_of(configuration)
        self._configuration, self._loader, self._loaded = configuration, loader, True
        self._due = self._next_refresh()

    @property
    def _has_plugin(self) -> bool:
        user = getattr(self._loader, "_user", None)
        return user is not None and "exec" in user

    def _next_refresh(self) -> datetime | None:
        if not self._has_plugin:
            return self._now() + REFRESH_PERIOD
        # A plugin that names no end is asked again after a 401 only, as client-go does.
        expiry = getattr(self._loader, "exec_plugin_expiry", None)
        return expiry - EXPIRY_SKEW if isinstance(expiry, datetime) else None


def endpoint_of(configuration: Configuration) -> Endpoint:
    """Derive from what was loaded how to connect."""
    tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    # Since Python 3.13 this refuses the CAs of many clusters, which kubectl accepts.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    server = configuration.host.rstrip("/")
    return Endpoint(
        server=server,
        tls=tls,
        tls_server_name=configuration.tls_server_name,
        proxy=configuration.proxy or proxy_from_environment(server),
    )


def proxy_from_environment(server: str) -> str | None:
    """Find the proxy as HTTPS_PROXY and NO_PROXY say.

    Not left to aiohttp: its trust_env also reads ~/.netrc, in a thread, for every request.
    """
    url = urllib.parse.urlsplit(server)
    if url.hostname is None or urllib.request.proxy_bypass(url.netloc):
        return None
    return urllib.request.getproxies().get(url.scheme)
