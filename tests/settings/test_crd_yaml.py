"""The YAML that is written says what was to be said."""

import pytest
import yaml

from helmwake.structural import to_yaml


@pytest.mark.parametrize(
    "value",
    [
        "",
        "no",
        "True",
        "1",
        "a: b",
        "# c",
        "- d",
        "{e}",
        "it's",
        'a "b"',
        "\\S",
        "f\ng",
        "µ",
        " h",
    ],
)
def test_a_string_stays_that_string(value: str) -> None:
    text = to_yaml({value: [value, {"key": value}]})

    assert yaml.safe_load(text) == {value: [value, {"key": value}]}
