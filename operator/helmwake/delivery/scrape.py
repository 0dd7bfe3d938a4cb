"""The Prometheus endpoint, for the application's own HTTP server."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from helmwake.delivery.metrics import Meters


def scrape_handler(meters: Meters) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler for GET /metrics."""

    async def scrape(request: web.Request) -> web.Response:
        # Thousands of series take longer than a probe should wait.
        accept = request.headers.get("Accept", "")
        content_type, page = await asyncio.to_thread(meters.render, accept)
        return web.Response(body=page, headers={"Content-Type": content_type})

    return scrape
