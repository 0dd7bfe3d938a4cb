"""The CRD of ReleaseTrace says what its models say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from helmwake.ledger import crd

CRD: Final = Path(__file__).parents[2] / "crds" / "releasetraces.yaml"
PARTS: Final[dict[str, Any]] = crd.definition()["spec"]["versions"][0]["schema"][
    "openAPIV3Schema"
]["properties"]


def test_the_file_is_fresh() -> None:
    assert CRD.read_text(encoding="utf-8") == crd.render(), "run: make crds"


def test_the_written_yaml_reads_as_the_definition() -> None:
    assert yaml.safe_load(crd.render()) == crd.definition()


def schemas(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, each in schema.get("properties", {}).items():
        yield from schemas(each, f"{path}.{name}")
    if items := schema.get("items"):
        yield from schemas(items, f"{path}[]")


WRITTEN: Final = [*schemas(PARTS["spec"], "spec"), *schemas(PARTS["status"], "status")]


@pytest.mark.parametrize(("path", "schema"), WRITTEN, ids=[path for path, _ in WRITTEN])
def test_everything_has_a_type_and_a_bound(path: str, schema: dict[str, Any]) -> None:
    match schema["type"]:
        case "array":
            assert schema["maxItems"]
        case "string":
            assert schema.keys() & {"maxLength", "enum", "format"}
        case "integer":
            assert schema["format"] in {"int32", "int64"}
        case "object":
            assert schema["properties"]
        case other:
            assert other == "boolean"
    assert "default" not in schema


def test_the_first_words_of_every_object_say_what_it_is() -> None:
    unsaid = [
        path for path, each in WRITTEN if each["type"] == "object" and not each.get("description")
    ]

    assert unsaid == []


@pytest.mark.parametrize("path", crd.SELECTABLE)
def test_what_can_be_selected_by_is_in_the_schema(path: str) -> None:
    paths = dict(WRITTEN)

    assert paths[path.removeprefix(".")]["type"] in {"string", "integer", "boolean"}


def test_the_apiserver_takes_no_more_than_eight_selectable_fields() -> None:
    assert len(crd.SELECTABLE) <= 8


@pytest.mark.parametrize("path", [path for _, _, path, _ in crd.COLUMNS])
def test_what_is_shown_is_in_the_schema(path: str) -> None:
    assert path.startswith(".metadata.") or path.removeprefix(".") in dict(WRITTEN)
