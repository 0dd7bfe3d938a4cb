"""JSON objects from bytes of any origin, with errors that quote nothing."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class BadJsonError(ValueError):
    """No JSON object. The message tells what and where, never the text."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        self.line = line  # counted from the text's first, which is 0
        super().__init__(message)


def parse_object(text: bytes) -> Mapping[str, Any]:
    """Parse one JSON object.

    Raises:
        BadJsonError: it is none.
    """
    try:
        # Strictly UTF-8: json.loads of bytes would guess, and let half characters pass.
        value = json.loads(text.decode())
        if SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        message = f"not JSON ({error.msg}, column {error.colno})"
        raise BadJsonError(message, line=error.lineno - 1) from None
    except UnicodeDecodeError:
        raise BadJsonError("not UTF-8") from None
    except UnicodeEncodeError:
        raise BadJsonError("half a character (a lone surrogate)") from None
    except RecursionError:
        raise BadJsonError("nested too deeply") from None
    except ValueError:  # Python reads no numbers of thousands of digits
        raise BadJsonError("a number that is too long") from None
    if not isinstance(value, Mapping):
        raise BadJsonError("not a JSON object")
    return value
