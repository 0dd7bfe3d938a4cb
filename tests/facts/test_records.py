"""A record is read from its metadata alone."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from helmwake.facts.change import ChangeType, Origin
from helmwake.facts.errors import BadObjectError
from helmwake.facts.helm import NO_TAGS, Record, Status, is_record, parse_record
from helmwake.facts.identity import Driver, ReleaseKey
from helmwake.facts.keptn import KeptnContext, KeptnKeys, TraceParent
from helmwake.facts.parsing import parse_change
from tests.facts.objects import MARKER, NOON, record_object, seen

KEYS = KeptnKeys()
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def parse(**meta: Any) -> Record:
    return parse_record(seen(record_object(**meta)), keys=KEYS)


def test_metadata_alone_gives_identity_revision_and_state() -> None:
    record = parse()

    assert record == Record(
        release=ReleaseKey("shop", "cart"),
        revision=3,
        driver=Driver.SECRET,
        uid="uid-3",
        resource_version="103",
        status=Status.DEPLOYED,
        created=datetime(2026, 11, 23, 11, 59, tzinfo=UTC),
        written=datetime(2026, 11, 23, 11, 59, 30, tzinfo=UTC),
        seen=NOON,
    )
    assert record.ref.name == "sh.helm.release.v1.cart.v3"


def test_records_of_one_delivery_share_the_texts_of_its_names() -> None:
    obj = record_object(
        labels={"keptn.sh/project": "sockshop", "keptn.sh/stage": "hardening"},
        managedFields=[{"time": "2026-11-23T11:59:00Z"}],
    )
    # Read twice, as from two answers: nothing in them is the same object.
    one, other = (parse_record(seen(json.loads(json.dumps(obj))), keys=KEYS) for _ in range(2))

    assert one.release.namespace is other.release.namespace
    assert one.release.name is other.release.name
    assert one.tags.keptn.project is other.tags.keptn.project
    assert one.tags.keptn.stage is other.tags.keptn.stage
    assert one.written is one.created


@pytest.mark.parametrize(
    ("name", "release", "revision"),
    [
        ("sh.helm.release.v1.cart.v12", "cart", 12),
        ("sh.helm.release.v1.my.cart.v2", "my.cart", 2),
        ("sh.helm.release.v1.cart.v1.v2", "cart.v1", 2),
        (f"sh.helm.release.v1.{'a' * 53}.v1", "a" * 53, 1),
    ],
)
def test_a_release_name_may_be_long_and_have_dots(name: str, release: str, revision: int) -> None:
    record = parse(name=name)

    assert (record.release.name, record.revision) == (release, revision)
    assert record.ref.name == name


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ({"name": "sh.helm.release.v1.cart"}, "metadata.name"),
        ({"name": "sh.helm.release.v1.cart.vX"}, "metadata.name"),
        ({"name": f"sh.helm.release.v1.cart.v{'9' * 5000}"}, "metadata.name"),
        ({"name": None}, "metadata.name"),
        ({"namespace": None}, "metadata.namespace"),
        ({"uid": ""}, "metadata.uid"),
        ({"resourceVersion": 103}, "metadata.resourceVersion"),
        ({"labels": {"status": MARKER}}, "metadata.labels.status"),
        ({"labels": {"status": None}}, "metadata.labels.status"),
        ({"creationTimestamp": None}, "metadata.creationTimestamp"),
        ({"creationTimestamp": MARKER}, "metadata.creationTimestamp"),
        ({"creationTimestamp": 5}, "metadata.creationTimestamp"),
        ({"kind": "Pod"}, "kind"),
    ],
)
def test_a_bad_record_is_told_by_namespace_name_and_path_alone(
    meta: dict[str, Any], path: str
) -> None:
    with pytest.raises(BadObjectError) as error:
        parse(**meta)

    assert error.value.path == path
    namespace = meta.get("namespace", "shop") or ""
    name = str(meta.get("name", "sh.helm.release.v1.cart.v3") or "?")
    assert str(error.value).startswith(f"{namespace}/{name[:40]}")
    assert MARKER not in str(error.value)


def test_without_labels_it_is_not_told_for_a_record() -> None:
    bare = record_object()
    del bare["metadata"]["labels"]

    assert not is_record(bare)
    assert parse_change(seen(bare), keys=KEYS) is None


@pytest.mark.parametrize("labels", ["owner=helm", ["owner"], {"owner": ["helm"]}, None, 7])
def test_labels_of_a_foreign_type_are_none(labels: object) -> None:
    odd = record_object()
    odd["metadata"]["labels"] = labels

    assert not is_record(odd)


@pytest.mark.parametrize("metadata", [None, [], "text"])
def test_an_object_without_metadata_is_nothing(metadata: object) -> None:
    assert parse_change(seen({"kind": "Secret", "metadata": metadata}), keys=KEYS) is None


def test_a_secret_of_somebody_else_is_nothing() -> None:
    assert parse_change(seen(record_object(name="cart-tls")), keys=KEYS) is None


def test_a_config_map_is_a_record_of_its_own_driver() -> None:
    record = parse_change(seen(record_object(kind="ConfigMap")), keys=KEYS)

    assert isinstance(record, Record)
    assert record.driver is Driver.CONFIG_MAP


def test_without_managed_fields_it_was_written_when_created() -> None:
    assert parse(managedFields=None).written == parse().created


def test_how_it_was_seen_is_kept() -> None:
    record = parse_record(seen(record_object(), ChangeType.DELETED, Origin.RELISTED), keys=KEYS)

    assert record.gone
    assert record.origin is Origin.RELISTED


def test_users_labels_name_the_delivery() -> None:
    tags = parse(
        labels={
            "keptn.sh/context": "c-1",
            "keptn.sh/project": "sockshop",
            "keptn.sh/stage": "prod",
            "keptn.sh/service": "cart",
            "keptn.sh/commitid": "4f3a",
            "traceparent": PARENT,
        }
    ).tags

    assert tags.keptn == KeptnContext(
        context="c-1", project="sockshop", stage="prod", service="cart"
    )
    assert tags.commit == "4f3a"
    assert tags.traceparent == TraceParent(
        trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331", sampled=True
    )


def test_the_keys_that_name_the_delivery_can_be_chosen() -> None:
    labels = {"ci/run": "c-1", "keptn.sh/context": "other"}
    record = parse_record(seen(record_object(labels=labels)), keys=KeptnKeys(context="ci/run"))

    assert record.tags.keptn.context == "c-1"


def test_a_record_without_users_labels_shares_one_empty_set() -> None:
    assert parse().tags is NO_TAGS


@pytest.mark.parametrize(("value", "out"), [("disabled", True), ("enabled", False), ("", False)])
def test_one_label_opts_a_release_out(value: str, out: bool) -> None:  # noqa: FBT001  # a table's column
    assert parse(labels={"helmwake.dev/observe": value}).tags.opted_out is out
