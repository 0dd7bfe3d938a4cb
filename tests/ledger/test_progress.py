"""How far the cluster was read, written down and read again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helmwake.facts.identity import Driver
from helmwake.ledger.progress import (
    EVER,
    ObservedNamespace,
    Progress,
    dump_progress,
    parse_progress,
)
from tests.lifecycle.making import NOON

DAY = timedelta(days=1)
SHOP = ObservedNamespace(
    uid="uid-1", since=NOON, filled_from=NOON - DAY, left={Driver.SECRET: "8"}
)
VERSION = st.integers(0, 10**20 - 1).map(str)
VERSIONS = st.fixed_dictionaries({}, optional=dict.fromkeys(Driver, VERSION))
TIMES = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - strategies want it naive
    max_value=datetime(2261, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
NAMESPACES = st.builds(
    ObservedNamespace,
    uid=st.sampled_from(["", "3f7c6e0a-6d2c-4d6c-9f0e-0e2a3f1b2c3d"]),
    since=TIMES,
    filled_from=st.none() | st.just(EVER) | TIMES,
    left=st.none() | VERSIONS,
)


def config_map(data: Any) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "7"}, "data": data}


@given(
    read_to=VERSIONS,
    namespaces=st.dictionaries(
        st.from_regex(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", fullmatch=True), NAMESPACES
    ),
)
def test_what_is_written_is_read(
    read_to: dict[Driver, str], namespaces: dict[str, ObservedNamespace]
) -> None:
    progress = Progress(read_to=read_to, namespaces=namespaces, resource_version="7")
    assert parse_progress(config_map(dump_progress(progress))) == (progress, [])


def test_a_namespace_that_was_left_before_anything_was_read_stays_left() -> None:
    left = Progress(namespaces={"shop": replace(SHOP, left={})}, resource_version="7")
    assert parse_progress(config_map(dump_progress(left))) == (left, [])


def test_it_reads_well() -> None:
    progress = Progress(read_to={Driver.CONFIG_MAP: "5"}, namespaces={"shop": SHOP})
    assert dump_progress(progress) == {
        "read-to.configmap": "5",
        "ns.shop": "uid-1 2026-11-23T12:00:00Z 2026-11-22T12:00:00Z 8 -",
    }


@pytest.mark.parametrize("data", [None, {}, [], "text", {"other": "key"}])
def test_a_config_map_without_it_says_nothing(data: Any) -> None:
    assert parse_progress(config_map(data)) == (Progress(resource_version="7"), [])


GOOD = "uid-1 2026-11-23T12:00:00Z -"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *(("read-to.secret", each) for each in ("", "abc", "-1", "1" * 21, "٣", None, 7)),
        *(
            ("ns.shop", each)
            for each in (
                "",
                "hunter2",
                f"{GOOD} ",
                f" {GOOD}",
                f"{GOOD} 1",
                f"{GOOD} 1 2 3",
                f"{GOOD} 1 hunter2",
                GOOD.replace("-23T", "-99T"),
                GOOD.replace("2026", "0001"),
                GOOD.replace("2026", "9999"),
                GOOD.replace(" -", " never"),
                "u" * 65 + GOOD,
                None,
                7,
                ["a"],
            )
        ),
    ],
)
def test_a_bad_key_is_named_and_the_rest_is_used(key: str, text: Any) -> None:
    data = {"ns.a": GOOD, key: text, "read-to.configmap": "5"}
    progress, problems = parse_progress(config_map(data))
    assert problems == [f"helmwake-progress: data[{key}] cannot be read; it is passed over"]
    assert set(progress.namespaces) == {"a"}
    assert progress.read_to == {Driver.CONFIG_MAP: "5"}


def test_five_thousand_namespaces_fit() -> None:
    long = ObservedNamespace(
        uid="3f7c6e0a-6d2c-4d6c-9f0e-0e2a3f1b2c3d",
        since=NOON.replace(microsecond=123456),
        filled_from=NOON.replace(microsecond=123456) - DAY,
        left=dict.fromkeys(Driver, "1234567890"),
    )
    data = dump_progress(Progress(namespaces={f"{n:063d}": long for n in range(5000)}))
    assert sum(len(key) + len(value) for key, value in data.items()) < 900 * 1024
