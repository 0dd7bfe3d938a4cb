"""The CRD says what the models say, and is what an apiserver takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from helmwake.settings import crd

CRD = Path(__file__).parents[2] / "crds" / "releaseobservers.yaml"


def test_the_file_is_fresh() -> None:
    assert CRD.read_text(encoding="utf-8") == crd.render(), (
        "run: python -m helmwake.settings.crd > crds/releaseobservers.yaml"
    )


def test_the_written_yaml_reads_as_the_definition() -> None:
    assert yaml.safe_load(crd.render()) == crd.definition()


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for each in (*schema.get("properties", {}).values(), schema.get("items")):
        if each:
            yield from schemas(each)
    if isinstance(values := schema.get("additionalProperties"), dict):
        yield from schemas(values)


def written() -> list[dict[str, Any]]:
    return [
        each
        for part in ("spec", "status")
        for each in schemas(crd._resource()["properties"][part])
    ]


def test_everything_has_a_type_and_a_bound() -> None:
    # The apiserver counts the cost of a CEL rule by the bounds.
    for schema in written():
        assert schema["type"] in {"object", "array", "string", "integer"}
        match schema:
            case {"type": "array"}:
                assert schema["maxItems"]
            case {"type": "object", "additionalProperties": _}:
                assert schema["maxProperties"]
            case {"type": "string"}:
                assert schema.keys() & {"maxLength", "enum", "format"}


def test_the_apiserver_fills_in_nothing() -> None:
    """Else a default would look set, and hide what flags and environment say."""
    assert all("default" not in schema for schema in written())
