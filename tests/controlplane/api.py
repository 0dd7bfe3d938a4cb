"""A client of the test cluster's API for tests that look from the outside.

On the standard library, so that it shares no code with what it checks.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_SECONDS: Final = 30.0
MERGE_PATCH: Final = "application/merge-patch+json"
HTTP_NOT_FOUND: Final = 404


class ApiError(RuntimeError):
    """An answer that is not a success."""

    def __init__(self, *, method: str, path: str, status: int, body: str) -> None:
        self.status = status
        super().__init__(f"{method} {path}: {status}: {body}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One user's view of the cluster."""

    server: str
    token: str
    ca_file: Path
    timeout_seconds: float = TIMEOUT_SECONDS

    def get(self, path: str) -> Any:
        """Read an object or a list."""
        return self.call("GET", path)

    def find(self, path: str) -> Any:
        """Read an object; None if there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == HTTP_NOT_FOUND:
                return None
            raise

    def items(self, path: str) -> list[Any]:
        """Read the objects of a list."""
        items: list[Any] = self.get(path)["items"]
        return items

    def create(self, path: str, body: object) -> Any:
        """Create an object in this collection."""
        return self.call("POST", path, body=body)

    def patch(self, path: str, body: object) -> Any:
        """Merge into an object."""
        return self.call("PATCH", path, body=body, content_type=MERGE_PATCH)

    def delete(self, path: str) -> Any:
        """Delete an object, without waiting for it to be gone."""
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content_type: str = "application/json",
    ) -> Any:
        """Do one request; its answer as JSON, or as text where it is none.

        Raises:
            ApiError: the status is not a success.
            OSError: the server is not there.

        """
        request = urllib.request.Request(  # noqa: S310 - we made the address ourselves
            self.server + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": content_type,
                "User-Agent": "helmwake-tests",
            },
            method=method,
        )
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(  # noqa: S310 - as above
                request, timeout=self.timeout_seconds, context=context
            ) as answer:
                text = answer.read().decode()
                is_json = "json" in answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode(errors="replace")
            raise ApiError(method=method, path=path, status=error.code, body=said) from error
        return json.loads(text) if is_json else text
