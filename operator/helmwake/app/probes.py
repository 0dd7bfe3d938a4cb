"""What a kubelet and a scrape ask: /livez, /readyz and /metrics.

Served by this small server on every replica, not by kopf, whose watchers can
die while its own /healthz goes on saying 200.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from helmwake.settings.settings import BindAddress

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# A probe's request has a few hundred bytes.
MAX_LINE_BYTES: Final = 2048
MAX_FIELD_BYTES: Final = 4096
KEEP_ALIVE_SECONDS: Final = 30.0
# For the requests that run when we stop.
DRAIN_SECONDS: Final = 2.0


def make_app(*, not_ready: Callable[[], Sequence[str]], metrics: Handler) -> web.Application:
    """`not_ready` tells the reasons why not, for people; none means ready."""

    async def livez(_: web.Request) -> web.Response:
        # That the loop turns is all there is to say: an apiserver that is away restarts nobody.
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if reasons := not_ready():
            text = "".join(f"{reason}\n" for reason in reasons)
            return web.Response(status=web.HTTPServiceUnavailable.status_code, text=text)
        return web.Response(text="ok\n")

    app = web.Application(
        client_max_size=1,  # no request has a body
        handler_args={
            "max_line_size": MAX_LINE_BYTES,
            "max_field_size": MAX_FIELD_BYTES,
            "keepalive_timeout": KEEP_ALIVE_SECONDS,
        },
    )
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def serve_probes(
    address: BindAddress, *, not_ready: Callable[[], Sequence[str]], metrics: Handler
) -> AsyncIterator[BindAddress]:
    """Serve within the `with` block; yields the address with the real port.

    Raises:
        OSError: the address is taken, or not ours.
    """
    # No access log: a line for each probe tells nothing.
    runner = web.AppRunner(
        make_app(not_ready=not_ready, metrics=metrics),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=DRAIN_SECONDS,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, address.host, address.port)
        await site.start()
        port = runner.addresses[0][1]
        yield BindAddress(host=address.host, port=port)
    finally:
        await runner.cleanup()
