"""Bad input is normal: one warning with file and line, and on it goes."""

import gzip
import json
import os
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helmwake.recording import BadRecordingError
from helmwake.recording.documents import read_documents
from helmwake.recording.lines import read_lines
from helmwake.recording.problems import Problems
from tests.recording.objects import SECRET, event, namespace, record
from tests.recording.reading import lines, pretty, read, written

T = "2026-11-23T14:00:01Z"
GOOD = lines(event(namespace(), time=T))


@pytest.mark.parametrize(
    ("bad", "wanted"),
    [
        (b"hello world\n", "not JSON; passed over up to the next line that starts with {"),
        (b"\x00\xff\x13 garbage\n\x01\n\xfe\n", "not JSON; passed over"),
        (b'{"type": "ADDED", "object\n', "not JSON; passed over"),
        (b'{"type": "ADDED", "object": {"ki\n', "not JSON; passed over"),
        (b'{"type": "ADDED", "object": {\n', "an object is cut off here"),
        (b'{"type": ADDED}\n', "not JSON (Expecting value, column 10); passed over"),
        (b'{"a": "\xff"}\n', "not UTF-8; passed over"),
        (b'{"a": "\\ud800"}\n', "half a character (a lone surrogate); passed over"),
        (b'{"a": ' + b"9" * 5000 + b"}\n", "a number that is too long; passed over"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n", "nested too deeply; passed over"),
        (b"[1, 2]\n", "not JSON; passed over"),
        (b"{}\n", "neither a watch event, nor a List, nor an object"),
        (b'{"type": "ADDED", "object": 5}\n', "object has no kind or no metadata"),
        (
            b'{"type": "ADDED", "object": {"kind": "Secret"}}\n',
            "object has no kind or no metadata",
        ),
        (b'{"type": "ADDED", "object": {"metadata": {}}}\n', "object has no kind or no metadata"),
        (b'{"type": "GROWN", "object": {}}\n', "type is not ADDED, MODIFIED or DELETED"),
        (b'{"type": [], "object": {}}\n', "type is not ADDED, MODIFIED or DELETED"),
        (
            b'{"type": "ERROR", "object": {"kind": "Status", "reason": "Expired"}}\n',
            "the watch ended with an error (Expired)",
        ),
        (b'{"items": [5]}\n', "neither a watch event, nor a List, nor an object"),
    ],
)
def test_one_problem_is_one_warning(tmp_path: Path, bad: bytes, wanted: str) -> None:
    file = written(tmp_path / "r.jsonl", GOOD + bad + GOOD)

    found = read(file)

    assert found.names == ["shop", "shop"]
    (warning,) = found.warnings
    assert warning.startswith(f"{file}:2: {wanted}")
    assert "\n" not in warning


@pytest.mark.parametrize("form", [lines, pretty], ids=["compact", "indented"])
def test_a_cut_off_end_is_told(tmp_path: Path, form: type) -> None:
    content: bytes = form(event(record(), time=T))

    for end in range(1, len(content) - 2, 7):
        found = read(written(tmp_path / "r.json", GOOD + content[:end]))

        assert found.names == ["shop"]
        (warning,) = found.warnings
        assert "cut off" in warning


def test_a_cut_off_list_gives_what_came(tmp_path: Path) -> None:
    content = pretty({"kind": "List", "items": [namespace("a"), namespace("b"), record()]})

    found = read(written(tmp_path / "l.json", content[: content.index(b'"Secret"')]))

    assert found.names == ["a", "b"]
    assert len(found.warnings) == 1


def test_the_next_object_is_found_after_one_that_is_cut_off_in_the_middle(tmp_path: Path) -> None:
    content = pretty(event(record(), time=T))

    found = read(written(tmp_path / "r.json", content[: len(content) // 2] + b"\n" + GOOD))

    assert found.names == ["shop"]
    assert len(found.warnings) == 1


def test_a_broken_line_of_an_indented_object_is_told_with_its_number(tmp_path: Path) -> None:
    content = pretty(event(namespace(), time=T)).replace(b'"kind": ', b'"kind" ')
    number = content[: content.index(b'"kind"')].count(b"\n") + 1

    found = read(written(tmp_path / "r.json", content + GOOD))

    assert found.names == ["shop"]
    assert found.warnings[0].startswith(f"{tmp_path}/r.json:{number}: not JSON")


@pytest.mark.parametrize("lost", [1, 9, 60])
def test_a_gzip_that_is_cut_off_gives_what_came(tmp_path: Path, lost: int) -> None:
    noise = lines(*(event(namespace(f"n{i}"), time=T, x=os.urandom(50).hex()) for i in range(50)))

    found = read(written(tmp_path / "r.gz", gzip.compress(noise)[:-lost]))

    assert 45 <= len(found.changes) <= 50
    (warning,) = found.warnings
    assert "cut off" in warning


def test_a_gzip_with_a_wrong_byte_is_told(tmp_path: Path) -> None:
    noise = lines(
        *(event(namespace(f"n{i}"), time=T, x=os.urandom(50).hex()) for i in range(2000))
    )
    packed = bytearray(gzip.compress(noise))
    packed[len(packed) // 2] ^= 0xFF

    found = read(written(tmp_path / "r.gz", bytes(packed)))

    assert found.changes
    assert any("broken from here on" in warning for warning in found.warnings)


def test_a_line_over_the_cap_is_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    with file.open("wb") as out:
        out.write(GOOD + b'{"a": "')
        for _ in range(40):
            out.write(b"x" * (1 << 20))
        out.write(b'"}\n' + GOOD)

    tracemalloc.start()
    found = read(file, max_bytes=1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.names == ["shop", "shop"]
    (warning,) = found.warnings
    assert warning == f"{file}:2: an object of 40 MiB is passed over; at most 1 MiB are read"
    assert peak < 8 << 20


def test_an_indented_object_over_the_cap_is_passed_over(tmp_path: Path) -> None:
    large = {"kind": "X", "metadata": {}, "list": ["x" * 1000] * 2000}
    listed = {"kind": "List", "items": [namespace("a"), large, namespace("b")]}

    found = read(written(tmp_path / "l.json", pretty(listed) + pretty(large) + GOOD))

    assert found.names == ["a", "b", "shop"]
    assert len(found.warnings) == 2
    assert all("is passed over; at most 1 MiB" in warning for warning in found.warnings)


def test_a_list_larger_than_any_object_may_be_is_read(tmp_path: Path) -> None:
    listed = {"kind": "List", "items": [namespace(f"n{i}") for i in range(100)]}

    found = read(written(tmp_path / "l.json", pretty(listed)), max_bytes=1000)

    assert len(found.changes) == 100
    assert not found.warnings


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "holds no recorded object; write one with"),
        (b"\n\n", "holds no recorded object; write one with"),
        (b"apiVersion: v1\nkind: List\n", "holds no recorded object; write one with"),
        (b"\x1f\x8b", "holds no recorded object; write one with"),
        ("{}".encode("utf-16"), "is UTF-16; write it as UTF-8"),
    ],
)
def test_a_file_with_nothing_usable_says_what_to_do(
    tmp_path: Path, content: bytes, wanted: str
) -> None:
    file = written(tmp_path / "r.json", content)

    with pytest.raises(BadRecordingError) as raised:
        read(file)

    assert str(raised.value).startswith(f"{file}: {wanted}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing", ".", "nul\0"])
def test_a_file_that_cannot_be_opened_says_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRecordingError, match="cannot be read"):
        read(tmp_path / name)


def test_no_warning_quotes_the_input(tmp_path: Path) -> None:
    content = lines(event(record(), time=T))
    shuffled = random.Random(3)
    for _ in range(300):
        text = bytearray(content.replace(b'"data"', json.dumps(SECRET).encode()))
        for _ in range(3):
            text[shuffled.randrange(len(text))] = shuffled.randrange(256)

        found = read(written(tmp_path / "r", GOOD + bytes(text)))

        assert SECRET not in "".join(found.warnings)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from(
                [b"{", b"}", b"[", b"]", b'"', b"\n", b'"items":[', b"\\", b" ", b","]
            ),
        ),
        max_size=40,
    )
)
def test_any_bytes_are_survived_and_the_next_line_read(parts: list[bytes]) -> None:
    content = [line + b"\n" for line in b"".join(parts).split(b"\n")] + [GOOD]
    warnings: list[str] = []
    problems = Problems("f", warnings.append)

    class Stream:
        def readline(self, _limit: int) -> bytes:
            return content.pop(0) if content else b""

    stream = Stream()
    documents = list(read_documents(read_lines(stream, problems), problems))  # type: ignore[arg-type]

    assert documents[-1].value["object"] == namespace()
