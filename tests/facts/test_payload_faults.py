"""Whatever is stored, a broken payload is one clear error that quotes nothing."""

import base64
import gzip
import json
import tracemalloc
from typing import Any

import pytest

from helmwake.facts.errors import BadObjectError
from helmwake.facts.payload import MIB, parse_payload
from tests.facts.objects import MARKER, NOON, packed, record_object, release_json, stored_as

GZIPPED = gzip.compress(json.dumps(release_json()).encode())


def twice(data: bytes) -> str:
    return base64.b64encode(base64.b64encode(data)).decode()


def error_of(obj: dict[str, Any], *, max_bytes: int = MIB) -> str:
    with pytest.raises(BadObjectError) as caught:
        parse_payload(obj, seen=NOON, max_bytes=max_bytes)
    error = caught.value
    assert error.path == "data.release"
    assert error.__cause__ is None, "a cause would be printed, and may quote"
    start = "shop/sh.helm.release.v1.cart.v3: data.release is not a Helm release: "
    assert str(error).startswith(start)
    assert MARKER not in str(error)
    return str(error).removeprefix(start)


@pytest.mark.parametrize("stored", [None, 7, ["x"], {"a": 1}])
def test_no_text_is_no_payload(stored: object) -> None:
    assert error_of(stored_as(stored)) == "there is no data.release"


def test_metadata_alone_has_no_payload() -> None:
    assert error_of(record_object()) == "there is no data.release"


@pytest.mark.parametrize(
    "stored",
    [
        f"{MARKER}!",
        "abc",
        base64.b64encode(f"{MARKER}!".encode()).decode(),
        "ä" + MARKER,
        twice(GZIPPED)[:-3],
    ],
    ids=["outer", "padding", "inner", "letters", "cut"],
)
def test_broken_base64_is_told(stored: str) -> None:
    assert "broken" in error_of(stored_as(stored))


def test_a_truncated_gzip_is_told() -> None:
    assert error_of(stored_as(twice(GZIPPED[:-9]))) == "its payload is cut short"


def test_a_corrupt_gzip_is_told() -> None:
    corrupt = GZIPPED[:20] + bytes(20) + GZIPPED[40:]

    assert "broken" in error_of(stored_as(twice(corrupt)))


def test_a_wrong_checksum_is_told() -> None:
    assert "broken" in error_of(stored_as(twice(GZIPPED[:-8] + bytes(8))))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        f'{{"config": "{MARKER}'.encode(),
        b"\xff\xfe\xfa",
        b"{" + MARKER.encode() + b"}",
        b'{"version": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "no-text", "no-json", "huge-number"],
)
@pytest.mark.parametrize("compress", [True, False])
def test_broken_json_is_told(text: bytes, compress: bool) -> None:  # noqa: FBT001  # a table's column
    assert "broken" in error_of(packed(None, text=text, compress=compress))


@pytest.mark.parametrize("release", [[], "text", 7, None, [release_json()]])
def test_json_that_is_no_object_is_told(release: object) -> None:
    assert error_of(packed(release)) == "its payload is no JSON object"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_told(opening: bytes, closing: bytes) -> None:
    deep = opening * 100_000 + b"1" + closing * 100_000

    assert error_of(packed(None, text=deep)) == "its payload is nested too deeply"


def test_a_decompression_bomb_stops_at_the_cap_and_takes_no_memory() -> None:
    bomb = packed(None, text=bytes(64 * MIB))
    tracemalloc.start()
    try:
        told = error_of(bomb, max_bytes=MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert told == f"the payload unpacks to more than {MIB} bytes"
    assert peak < 4 * MIB


def test_the_cap_is_the_last_size_that_is_taken() -> None:
    text = json.dumps(release_json()).encode()

    parse_payload(packed(None, text=text), seen=NOON, max_bytes=len(text))
    error_of(packed(None, text=text), max_bytes=len(text) - 1)


def test_the_cap_holds_for_a_record_that_is_not_compressed() -> None:
    text = json.dumps(release_json()).encode()

    error_of(packed(None, text=text, compress=False), max_bytes=len(text) - 1)
