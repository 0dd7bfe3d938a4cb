"""OTLP over HTTP with protobuf bodies.

Not the SDK's exporter: it hides status, Retry-After and partial success, takes a redirect for
success, and retries inside one overall deadline.

Source: opentelemetry-proto, docs/specification.md, "OTLP/HTTP".
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc import status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from helmwake.delivery.outcome import Answer, Delivered, Refused, Retry, http_answer
from helmwake.delivery.retry_after import parse_retry_after
from helmwake.delivery.target import Compression, OtlpTarget
from helmwake.delivery.tls import tls_context
from helmwake.telemetry.readable import SCOPE_VERSION

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_BODY_MAX: Final = 64 * 1024  # an answer is a few words; more is not for us
_GRPC_PORT: Final = 4317


class HttpSender:
    """Sends to one HTTP endpoint, over connections that are kept."""

    def __init__(
        self, target: OtlpTarget, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Read the target's certificates. `now` is the wall clock, for dates in Retry-After.

        Raises:
            BadTargetError: a file of the target cannot be used.
        """
        self._target = target
        self._now = now
        plain = urlsplit(target.endpoint).scheme == "http"
        self._tls: ssl.SSLContext | bool = True if plain else tls_context(target)
        self._session: aiohttp.ClientSession | None = None

    @property
    def where(self) -> str:
        return self._target.where

    async def send(self, request: bytes) -> Answer:
        headers = {
            "user-agent": f"helmwake/{SCOPE_VERSION}",
            **self._target.headers,
            "content-type": _PROTOBUF,
        }
        if self._target.compression is Compression.GZIP:
            # 3 MiB take longer than a probe should wait. mtime: the same bytes every time.
            request = await asyncio.to_thread(gzip.compress, request, 6, mtime=0)
            headers["content-encoding"] = "gzip"
        try:
            async with self._open().post(
                self._target.endpoint,
                data=request,
                headers=headers,
                allow_redirects=False,  # aiohttp would repeat it as a GET, with our headers
            ) as response:
                return self._read(response, await _body(response))
        except TimeoutError:
            return Retry(why=f"{self.where}: no answer within {self._target.timeout_s:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return Refused(why=self._why(f"TLS: {_tls_words(error.certificate_error)}"))
        except aiohttp.ClientHttpProxyError as error:
            return http_answer(error.status, why=self._why(f"the proxy answered {error.status}"))
        except (aiohttp.ClientError, ssl.SSLError) as error:
            return self._network(error)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls),
                timeout=aiohttp.ClientTimeout(total=self._target.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,  # HTTPS_PROXY and NO_PROXY, as gRPC does
            )
        return self._session

    def _read(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        kind = response.content_type
        if 200 <= response.status < 300:  # noqa: PLR2004  # not `ok`, which a redirect is too
            if kind == "text/html":
                return Refused(why=self._why("answered with a web page: is it an OTLP endpoint?"))
            taken = _partial_success(kind, body)
            return replace(taken, message=self._target.words(taken.message))
        words = f"answered {response.status} {response.reason or ''}".rstrip()
        if "Location" in response.headers:
            location = response.headers["Location"].partition("?")[0]
            words += f": set the endpoint to {location} if you trust it"
        elif message := _message(kind, body):
            words += f": {message}"
        return http_answer(
            response.status,
            why=self._why(words),
            after_s=parse_retry_after(response.headers.get("Retry-After"), now=self._now()),
            in_otlp=kind in {_PROTOBUF, _JSON},
        )

    def _network(self, error: Exception) -> Answer:
        # A cause's own words only: aiohttp's may quote the URL, and so its query.
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        if isinstance(cause, ssl.SSLError):
            words = f"TLS: {_tls_words(cause)}"
            if "ALERT" in (cause.reason or ""):  # the server's verdict on us
                return Refused(why=self._why(words))
            return Retry(why=self._why(words))
        words = (isinstance(cause, OSError) and cause.strerror) or type(cause).__name__
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            words = f"the name cannot be resolved ({words})"
        elif not isinstance(error, aiohttp.ClientConnectorError) and (
            urlsplit(self._target.endpoint).port == _GRPC_PORT
        ):
            words += "; port 4317 usually speaks grpc: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc"
        return Retry(why=self._why(words))

    def _why(self, words: str) -> str:
        return f"{self.where}: {self._target.words(words)}"


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """As much of the body as is worth reading."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_BODY_MAX):
        body += chunk
        if len(body) >= _BODY_MAX:
            break
    return bytes(body[:_BODY_MAX])


def _partial_success(kind: str, body: bytes) -> Delivered:
    """What a 2xx says beyond its status. A body that cannot be read says nothing."""
    if kind == _JSON:
        partial = _json(body).get("partialSuccess")
        if not isinstance(partial, dict):
            return Delivered()
        rejected = str(partial.get("rejectedSpans", 0))  # an int64 is a string in JSON
        message = partial.get("errorMessage", "")
        return Delivered(
            rejected=int(rejected) if rejected.isdecimal() else 0, message=str(message)
        )
    try:
        answer = ExportTraceServiceResponse.FromString(body)
    except DecodeError:
        return Delivered()
    return Delivered(
        rejected=max(answer.partial_success.rejected_spans, 0),
        message=answer.partial_success.error_message,
    )


def _message(kind: str, body: bytes) -> str:
    """The words of an error: OTLP sends a google.rpc.Status."""
    if kind == _PROTOBUF:
        try:
            return str(status_pb2.Status.FromString(body).message)
        except DecodeError:
            return ""
    if kind == _JSON:
        return str(_json(body).get("message", ""))
    return body.decode("utf-8", "replace") if kind == "text/plain" else ""


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _tls_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return (reason or type(error).__name__).lower().replace("_", " ")
