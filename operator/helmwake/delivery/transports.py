"""Which sender speaks which protocol. Each is imported when it is needed: grpc alone is 9 MB."""

from helmwake.delivery.sender import Sender
from helmwake.delivery.target import OtlpTarget, Protocol


def sender_to(target: OtlpTarget) -> Sender:
    """A sender to the target; it opens no connection yet.

    Raises:
        BadTargetError: a file of the target cannot be used.
    """
    if target.protocol is Protocol.GRPC:
        from helmwake.delivery.grpc import GrpcSender  # noqa: PLC0415

        return GrpcSender(target)
    from helmwake.delivery.http import HttpSender  # noqa: PLC0415

    return HttpSender(target)
