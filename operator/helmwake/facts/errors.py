"""What can be wrong with an object of the cluster."""

from collections.abc import Mapping
from typing import Any


class BadObjectError(ValueError):
    """An object that cannot become a fact. Count it and go on.

    The message has namespace, name, path and what was wanted, never the content: it may be secret.
    """

    def __init__(self, meta: Mapping[str, Any], *, path: str, wanted: str) -> None:
        self.namespace = str(meta.get("namespace", ""))
        self.name = str(meta.get("name", "?"))
        self.path = path
        super().__init__(f"{self.namespace}/{self.name}: {path} is not {wanted}")


class PayloadError(ValueError):
    """A record's payload cannot be unpacked: the base64, gzip or JSON is broken."""


class PayloadTooLargeError(PayloadError):
    """More came out of a payload than the cap allows."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the payload unpacks to more than {max_bytes} bytes")
