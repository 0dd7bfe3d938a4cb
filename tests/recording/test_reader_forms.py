"""The forms in which recordings come."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from helmwake.facts.change import ChangeType, Origin
from tests.recording.objects import deployment, event, namespace, record
from tests.recording.reading import lines, pretty, read, written

T1, T2, T3 = (f"2026-11-23T14:00:0{second}.5Z" for second in (1, 2, 3))


def test_a_line_is_a_change_at_its_time(tmp_path: Path) -> None:
    content = lines(event(namespace(), time=T1), event(deployment(), type_="MODIFIED", time=T2))

    found = read(written(tmp_path / "r.jsonl", content))

    assert [change.type for change in found.changes] == [ChangeType.ADDED, ChangeType.MODIFIED]
    assert found.seen == ["2026-11-23T14:00:01.500000+00:00", "2026-11-23T14:00:02.500000+00:00"]
    assert found.changes[1].object == deployment()
    assert {change.origin for change in found.changes} == {Origin.WATCHED}
    assert not found.warnings


@pytest.mark.parametrize("form", [lines, pretty], ids=["compact", "indented"])
def test_events_may_be_indented(tmp_path: Path, form: type) -> None:
    content = form(event(namespace(), time=T1), event(record(), time=T2))

    found = read(written(tmp_path / "r.json", content))

    assert found.names == ["shop", "sh.helm.release.v1.cart.v1"]
    assert not found.warnings


def test_objects_may_follow_each_other_on_one_line(tmp_path: Path) -> None:
    content = lines(event(namespace("a"), time=T1), event(namespace("b"), time=T2))

    found = read(written(tmp_path / "r.json", content.replace(b"\n", b"")))

    assert found.names == ["a", "b"]
    assert not found.warnings


@pytest.mark.parametrize("form", [lines, pretty], ids=["compact", "indented"])
def test_a_list_comes_in_the_order_that_tells_its_story(tmp_path: Path, form: type) -> None:
    items = [deployment(), record(10), record(9), namespace(), record(2, name="a.b")]
    content = form({"apiVersion": "v1", "kind": "List", "items": items, "metadata": {}})

    found = read(written(tmp_path / "list.json", content))

    prefix = "sh.helm.release.v1"
    assert found.names == [
        "shop",
        f"{prefix}.a.b.v2",
        f"{prefix}.cart.v9",
        f"{prefix}.cart.v10",
        "cart",
    ]
    assert {change.origin for change in found.changes} == {Origin.RELISTED}
    assert set(found.seen) == {"2026-11-23T14:02:30+00:00"}, "a list is of one moment"
    assert not found.warnings


@pytest.mark.parametrize("form", [lines, pretty], ids=["compact", "indented"])
def test_a_secret_list_names_the_kind_of_its_items(tmp_path: Path, form: type) -> None:
    item = {key: value for key, value in record().items() if key != "kind"}
    content = form({"kind": "SecretList", "items": [item]})

    (change,) = read(written(tmp_path / "list.json", content)).changes

    assert change.object == record()


def test_a_listed_record_of_metadata_alone_is_a_secret(tmp_path: Path) -> None:
    partial = {**record(), "kind": "PartialObjectMetadata"}

    (change,) = read(
        written(
            tmp_path / "l.json", lines({"kind": "PartialObjectMetadataList", "items": [partial]})
        )
    ).changes

    assert change.object["kind"] == "Secret"


def test_a_single_object_is_read_too(tmp_path: Path) -> None:
    found = read(written(tmp_path / "secret.json", pretty(record())))

    assert found.names == ["sh.helm.release.v1.cart.v1"]
    assert found.changes[0].object == record(), "with its data"


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    content = gzip.compress(lines(event(namespace(), time=T1)))

    assert read(written(tmp_path / "r.jsonl.gz", content)).names == ["shop"]
    assert read(written(tmp_path / "r.jsonl", content)).names == ["shop"]
    assert read(written(tmp_path / "plain.gz", gzip.decompress(content))).names == ["shop"]


def test_standard_input_is_read(tmp_path: Path) -> None:
    script = (
        "from helmwake.recording import read_changes\n"
        "for c in read_changes(['-'], warn=print): print(c.object['metadata']['name'])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        input=lines(event(namespace(), time=T1)) + b"?\n",
        capture_output=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert done.stdout.decode().splitlines() == [
        "shop",
        "-:2: not JSON; passed over up to the next line that starts with {",
    ]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + lines(event(namespace(), time=T1))

    assert read(written(tmp_path / "r.jsonl", content)).warnings == []


def test_bookmarks_are_passed_over_in_silence(tmp_path: Path) -> None:
    bookmark = event({"kind": "Secret", "metadata": {"resourceVersion": "1"}}, type_="BOOKMARK")
    content = lines(event(namespace(), time=T1), bookmark)

    found = read(written(tmp_path / "r.jsonl", content))

    assert found.names == ["shop"]
    assert not found.warnings


def test_a_line_may_tell_how_its_change_was_learned(tmp_path: Path) -> None:
    content = lines(
        event(namespace(), time=T1, origin="initial"), event(record(), time=T2, origin=3)
    )

    found = read(written(tmp_path / "r.jsonl", content))

    assert [change.origin for change in found.changes] == [Origin.INITIAL, Origin.WATCHED]


def test_reading_is_lazy(tmp_path: Path) -> None:
    """A fifo that is still open has given its first line already."""
    script = (
        "import sys\nfrom helmwake.recording import read_changes\n"
        "for c in read_changes(['-'], warn=print): print('seen', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(event(namespace(), time=T1)).encode() + b"\n")
        process.stdin.flush()

        assert process.stdout.readline() == b"seen\n"
