"""What the queue needs of a transport."""

from typing import Protocol

from helmwake.delivery.outcome import Answer


class Sender(Protocol):
    """Sends one encoded ExportTraceServiceRequest at a time, and never retries by itself."""

    @property
    def where(self) -> str:
        """The endpoint, fit for logs and conditions."""
        ...

    async def send(self, request: bytes) -> Answer:
        """Send it once and wait for the answer, within the sender's own timeout.

        Every failure of the network or the backend is an answer. May be cancelled anywhere.
        """
        ...

    async def close(self) -> None:
        """Give connections back. A later `send` opens new ones."""
        ...
