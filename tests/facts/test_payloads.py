"""A payload gives what a trace needs, from either driver and from either Helm."""

import base64
import gzip
from datetime import UTC, datetime
from typing import Any

import pytest

from helmwake.facts.keptn import KeptnContext
from helmwake.facts.payload import Chart, Payload, parse_payload
from tests.facts.objects import NOON, packed, release_json


def parse(**fields: Any) -> Payload:
    return parse_payload(packed(release_json(**fields)), seen=NOON)


def info(**fields: Any) -> dict[str, Any]:
    return {**release_json()["info"], **fields}


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
@pytest.mark.parametrize("compress", [True, False])
def test_both_drivers_and_legacy_records_tell_the_same(kind: str, compress: bool) -> None:  # noqa: FBT001  # a table's column
    payload = parse_payload(packed(release_json(), kind=kind, compress=compress), seen=NOON)

    assert payload == Payload(
        uid="uid-3",
        resource_version="103",
        revision=3,
        namespace="shop",
        status="deployed",
        description="Upgrade complete",
        first_deployed=datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC),
        last_deployed=datetime(2026, 11, 23, 11, 59, 0, 500000, tzinfo=UTC),
        deleted=None,
        rollback_revision=None,
        chart=Chart(name="cart", version="1.2.0", app_version="7"),
        hooks=(),
        keptn=KeptnContext(project="sockshop", stage="dev"),
        seen=NOON,
    )


def test_bytes_after_the_gzip_stream_are_nobodys_business() -> None:
    stored = base64.b64encode(gzip.compress(b'{"version": 3}') + b"more").decode()

    assert parse_payload(packed_config_map(stored), seen=NOON).revision == 3


def packed_config_map(stored: str) -> dict[str, Any]:
    return {**packed({}, kind="ConfigMap"), "data": {"release": stored}}


def test_the_release_may_live_in_another_namespace_than_its_record() -> None:
    assert parse(namespace="elsewhere").namespace == "elsewhere"


@pytest.mark.parametrize("nothing", ["", None, {"a": 1}, 7])
def test_a_release_that_names_no_namespace_lives_beside_its_record(nothing: object) -> None:
    assert parse(namespace=nothing).namespace == "shop"


def test_helm_4_says_where_a_rollback_goes_in_a_field() -> None:
    assert parse(info=info(rollback_revision=2, description="mine")).rollback_revision == 2


def test_helm_3_says_where_a_rollback_goes_in_the_description() -> None:
    assert parse(info=info(description="Rollback to 2")).rollback_revision == 2


@pytest.mark.parametrize("odd", [0, -1, "2", True, None])
def test_no_other_field_is_a_rollbacks_target(odd: object) -> None:
    assert parse(info=info(rollback_revision=odd)).rollback_revision is None


@pytest.mark.parametrize("text", ["Rollback to", "rollback to 2", "Rollback to 2 or so"])
def test_no_other_text_is_a_rollbacks_target(text: str) -> None:
    assert parse(info=info(description=text)).rollback_revision is None


@pytest.mark.parametrize(
    "chart",
    [None, "cart", {}, {"metadata": None}, {"metadata": {"name": "cart"}}, {"metadata": [1]},
     {"metadata": {"name": 1, "version": "1"}}],
)  # fmt: skip
def test_a_missing_or_odd_chart_is_none(chart: object) -> None:
    assert parse(chart=chart).chart is None


@pytest.mark.parametrize("odd", [None, "", 7, ["7"]])
def test_a_chart_need_not_say_what_it_holds(odd: object) -> None:
    chart = parse(chart={"metadata": {"name": "c", "version": "1", "appVersion": odd}}).chart

    assert chart == Chart(name="c", version="1", app_version=None)


@pytest.mark.parametrize("odd", [None, [], "info", 7])
def test_without_info_the_rest_is_still_told(odd: object) -> None:
    payload = parse(info=odd)

    assert (payload.revision, payload.last_deployed, payload.status) == (3, None, "")


def test_absurd_times_count_as_unset() -> None:
    payload = parse(info=info(last_deployed="9999-12-31T23:59:59-12:00", deleted=[1]))

    assert (payload.last_deployed, payload.deleted) == (None, None)


@pytest.mark.parametrize("odd", ["3", None, 3.5, True, [3]])
def test_a_revision_that_is_no_whole_number_is_0(odd: object) -> None:
    assert parse(version=odd).revision == 0


def test_a_description_of_anybodys_own_is_not_kept() -> None:
    assert parse(info=info(description="the password is hunter2")).description == ""


def test_a_text_that_no_encoding_can_carry_does_not_get_in() -> None:
    """JSON may hold half a surrogate pair, which neither OTLP nor a log can be given."""
    half = "\ud800"
    payload = parse(
        namespace=f"a{half}",
        info=info(description=f"b{half}", status=half),
        chart={"metadata": {"name": half, "version": half, "appVersion": half}},
        hooks=[{"name": half, "kind": half, "events": [half]}],
        config={"keptn": {"project": half}},
    )

    repr(payload).encode()
    assert half not in payload.description
    assert payload.chart is not None
    assert half not in payload.chart.name
    assert half not in payload.hooks[0].name
    assert half not in (payload.keptn.project or "")
