"""aiohttp's errors in our words."""

from collections.abc import Sequence
from typing import Final

import aiohttp

# The first that fits. aiohttp's own words are not used: they may quote the request.
WORDS: Final[Sequence[tuple[type[Exception], str]]] = (
    (aiohttp.ClientSSLError, "TLS was refused"),
    (aiohttp.ClientConnectorDNSError, "the server's name is unknown"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ClientPayloadError, "the answer was cut"),
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectionError, "the connection was lost"),
    (aiohttp.ClientError, "the exchange failed"),
    (OSError, "the connection was lost"),
    (ValueError, "the address or the token cannot be sent"),
)
NETWORK_ERRORS: Final = tuple(kind for kind, _ in WORDS)


def in_words(error: Exception) -> str:
    return next((words for kind, words in WORDS if isinstance(error, kind)), "it failed")
