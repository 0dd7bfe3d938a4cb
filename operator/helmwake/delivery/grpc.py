"""OTLP over gRPC.

Not the SDK's exporter: it hides status details and partial success, and retries inside one
overall deadline.

Source: opentelemetry-proto, docs/specification.md, "OTLP/gRPC".
"""

from typing import Any, Final

# grpc and google.rpc have no types of their own.
import grpc.aio  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from helmwake.delivery.outcome import Answer, Delivered, Refused, grpc_answer
from helmwake.delivery.target import Compression, OtlpTarget
from helmwake.delivery.tls import read_pems
from helmwake.telemetry.readable import SCOPE_VERSION

_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_STATUS_DETAILS: Final = "grpc-status-details-bin"
_OPTIONS: Final = (
    ("grpc.primary_user_agent", f"helmwake/{SCOPE_VERSION}"),
    # Channels to one address (the exporter of metrics has one) share a connection, and its
    # back-off of up to two minutes. A new channel of ours is to mean a new connection.
    ("grpc.use_local_subchannel_pool", 1),
)
# After these the connection may be dead without anyone having said so.
_SUSPECT_CONNECTION: Final = frozenset({"DEADLINE_EXCEEDED", "UNAVAILABLE"})


class GrpcSender:
    """Sends to one gRPC endpoint, over one connection that is kept."""

    def __init__(self, target: OtlpTarget) -> None:
        """Read the target's certificates.

        Raises:
            BadTargetError: a file of the target cannot be used.
        """
        self._target = target
        self._metadata = tuple(target.headers.items())
        self._credentials: Any = None
        if not target.insecure:
            pems = read_pems(target)
            self._credentials = grpc.ssl_channel_credentials(
                root_certificates=pems.certificate,
                private_key=pems.client_key,
                certificate_chain=pems.client_certificate,
            )
        self._channel: Any = None

    @property
    def where(self) -> str:
        return self._target.where

    async def send(self, request: bytes) -> Answer:
        # No serializer: the request is bytes already, the same at every try. What the generated
        # stub would add is encoding it anew each time.
        export = self._open().unary_unary(
            _EXPORT, response_deserializer=ExportTraceServiceResponse.FromString
        )
        try:
            response = await export(
                request, timeout=self._target.timeout_s, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            if error.code().name in _SUSPECT_CONNECTION:
                await self.close()
            return self._failed(error)
        return Delivered(
            rejected=max(response.partial_success.rejected_spans, 0),
            message=self._target.words(response.partial_success.error_message),
        )

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _open(self) -> Any:
        if self._channel is None:
            gzip = self._target.compression is Compression.GZIP
            compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
            address = self._target.endpoint
            self._channel = (
                grpc.aio.insecure_channel(address, options=_OPTIONS, compression=compression)
                if self._credentials is None
                else grpc.aio.secure_channel(
                    address, self._credentials, options=_OPTIONS, compression=compression
                )
            )
        return self._channel

    def _failed(self, error: Any) -> Answer:
        code, detail = error.code().name, error.details() or ""
        words = f"{code}: {detail}"
        if code == "DEADLINE_EXCEEDED":
            words = f"no answer within {self._target.timeout_s:g} s"
        why = f"{self.where}: {self._target.words(words)}"
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            return Refused(why=why)
        return grpc_answer(code, why=why, after_s=_retry_delay_s(error), detail=detail)


def _retry_delay_s(error: Any) -> float | None:
    """RetryInfo's delay, where the status has one. Zero counts: it allows a retry."""
    for key, value in error.trailing_metadata() or ():
        if key != _STATUS_DETAILS:
            continue
        try:
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                info = error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    delay = info.retry_delay
                    return max(float(delay.seconds + delay.nanos / 1e9), 0.0)
        except DecodeError:
            return None
    return None
