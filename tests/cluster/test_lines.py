"""Lines are what lies between newlines, whatever the network makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helmwake.cluster.lines import LineSplitter


@given(st.lists(st.binary(max_size=20)), st.binary(max_size=5), st.integers(1, 30))
def test_lines_are_the_same_however_they_were_cut(
    words: list[bytes], rest: bytes, size: int
) -> None:
    lines = [word.replace(b"\n", b"") for word in words]
    rest = rest.replace(b"\n", b"")
    text = b"".join(line + b"\n" for line in lines) + rest
    splitter = LineSplitter()
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.rest == rest


@pytest.mark.parametrize(
    "chunks",
    [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"x\n" + b"x" * 11 + b"\nx"], [b"x" * 11 + b"\n"]],
    ids=["at once", "in pieces", "between others", "with its newline"],
)
def test_a_line_over_the_cap_is_an_error(chunks: list[bytes]) -> None:
    splitter = LineSplitter(max_bytes=10)
    *before, last = chunks
    for chunk in before:
        splitter.feed(chunk)
    with pytest.raises(OverflowError, match="more than 10 bytes"):
        splitter.feed(last)


def test_a_line_of_just_the_cap_is_a_line() -> None:
    assert LineSplitter(max_bytes=10).feed(b"x" * 10 + b"\n" + b"y" * 10) == [b"x" * 10]
