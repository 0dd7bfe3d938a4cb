"""What can be wrong with an object of the cluster."""

from collections.abc import Mapping
from typing import Any, Final

MAX_NAME_CHARACTERS: Final = 253


class BadObjectError(ValueError):
    """An object that cannot become a fact. Count it and go on.

    The message has namespace, name, path and what was wanted, never the content: it may be secret.
    """

    def __init__(self, meta: Mapping[str, Any], *, path: str, wanted: str) -> None:
        namespace, name = meta.get("namespace"), meta.get("name")
        # What is no text is content, and a line stays one line.
        self.namespace = _one_line(namespace) if isinstance(namespace, str) else ""
        self.name = _one_line(name) if isinstance(name, str) else "?"
        self.path = path
        super().__init__(f"{self.namespace}/{self.name}: {path} is not {wanted}")


def _one_line(name: str) -> str:
    return name[:MAX_NAME_CHARACTERS].encode("unicode_escape").decode()


class PayloadError(ValueError):
    """A record's payload cannot be unpacked: the base64, gzip or JSON is broken."""


class PayloadTooLargeError(PayloadError):
    """More came out of a payload than the cap allows."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the payload unpacks to more than {max_bytes} bytes")
