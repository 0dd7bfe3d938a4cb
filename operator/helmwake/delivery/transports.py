"""Which sender speaks which protocol."""

from helmwake.delivery.grpc import GrpcSender
from helmwake.delivery.http import HttpSender
from helmwake.delivery.sender import Sender
from helmwake.delivery.target import OtlpTarget, Protocol


def sender_to(target: OtlpTarget) -> Sender:
    """A sender to the target; it opens no connection yet.

    Raises:
        BadTargetError: a file of the target cannot be used.
    """
    return GrpcSender(target) if target.protocol is Protocol.GRPC else HttpSender(target)
