"""No value, no manifest and no note of a release is in any fact or error."""

import gzip
import json
from typing import Any

import pytest

from helmwake.facts.errors import BadObjectError
from helmwake.facts.helm import parse_record
from helmwake.facts.keptn import KeptnKeys
from helmwake.facts.parsing import parse_change
from helmwake.facts.payload import parse_payload
from tests.facts.objects import (
    MARKER,
    NOON,
    deployment_object,
    packed,
    record_object,
    release_json,
    seen,
)

KEYS = KeptnKeys()


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_a_payload_keeps_no_values_manifest_or_notes(kind: str) -> None:
    release = release_json(hooks=[{"name": "h", "manifest": MARKER, "path": MARKER}])
    assert MARKER in json.dumps(release)

    assert MARKER not in repr(parse_payload(packed(release, kind=kind), seen=NOON))


def test_a_record_keeps_no_payload() -> None:
    assert MARKER not in repr(parse_change(seen(packed(release_json())), keys=KEYS))


def test_a_record_keeps_no_foreign_annotation_or_label() -> None:
    obj = record_object(labels={"token": MARKER}, annotations={"token": MARKER})

    assert MARKER not in repr(parse_change(seen(obj), keys=KEYS))


def test_a_workload_keeps_nothing_of_its_pods_but_a_hash() -> None:
    obj = deployment_object()
    obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "P", "value": MARKER}]
    obj["spec"]["template"]["metadata"]["annotations"] = {"checksum": MARKER}

    assert MARKER not in repr(parse_change(seen(obj), keys=KEYS))


@pytest.mark.parametrize("cut", range(0, 400, 23))
def test_no_cut_of_a_payload_makes_an_error_that_quotes(cut: int) -> None:
    plain = json.dumps(release_json()).encode()
    errors = [
        error_of(packed(None, text=text, compress=compress))
        for text in (plain[:cut], plain[cut:])
        for compress in (True, False)
    ]
    errors.append(error_of(packed(None, text=gzip.compress(plain)[:cut], compress=False)))

    for error in errors:
        if error is not None:  # some cuts can be read
            assert MARKER not in f"{error} {error!r} {error.__cause__!r}"
            assert error.__suppress_context__


def error_of(obj: dict[str, Any]) -> BadObjectError | None:
    try:
        parse_payload(obj, seen=NOON)
    except BadObjectError as error:
        return error
    return None


@pytest.mark.parametrize("field", ["uid", "resourceVersion", "creationTimestamp", "name"])
def test_an_error_quotes_no_field(field: str) -> None:
    junk: Any = {"nested": MARKER}

    with pytest.raises(BadObjectError) as record:
        parse_record(seen(record_object(**{field: junk})), keys=KEYS)
    with pytest.raises(BadObjectError) as workload:
        parse_change(seen(deployment_object(**{field: junk})), keys=KEYS)

    assert MARKER not in str(record.value)
    assert MARKER not in str(workload.value)


def test_an_error_stays_one_line_of_bounded_length() -> None:
    with pytest.raises(BadObjectError) as error:
        parse_record(seen(record_object(name="two\nlines" + 9999 * "x")), keys=KEYS)

    assert str(error.value).startswith("shop/two\\nlines")
    assert len(str(error.value)) < 400
