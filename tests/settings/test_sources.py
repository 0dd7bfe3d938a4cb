from datetime import timedelta
from typing import Any

import pytest

from helmwake.settings.backfill import Backfill
from helmwake.settings.errors import BadSettingsError
from helmwake.settings.options import OPTIONS
from helmwake.settings.settings import BindAddress, LogFormat, LogLevel, Settings
from helmwake.settings.sources import ObserverOverrides, Sources, parse_observer
from helmwake.settings.spec import Protocol

SECRET = "hunter2"


def sources(*, environ: dict[str, str] | None = None, **flags: str | None) -> Sources:
    return Sources.read(flags=flags, environ=environ or {})


def observer(spec: Any) -> ObserverOverrides:
    return parse_observer({"metadata": {"name": "default"}, "spec": spec})


def test_without_anything_the_defaults_hold() -> None:
    settings = sources().settings()

    assert settings == Settings()
    assert settings.otlp.endpoint is None
    assert settings.otlp.protocol is None
    assert settings.namespace_selector.matches({"helmwake.dev/observe": "enabled"})
    assert not settings.namespace_selector.matches({"helmwake.dev/observe": "disabled"})
    assert not settings.namespace_selector.matches({})
    assert settings.keptn.context == "keptn.sh/context"
    assert settings.rollout_limit == timedelta(minutes=30)
    assert settings.stuck_after == timedelta(minutes=15)
    assert settings.backfill == Backfill(timedelta(hours=24))
    assert settings.retention.age == timedelta(days=7)
    assert (settings.retention.per_release, settings.retention.total) == (20, 5000)
    assert settings.retention.undelivered_age == timedelta(days=30)
    assert settings.http_address == BindAddress(host=None, port=8080)
    assert (settings.log_level, settings.log_format) == (LogLevel.INFO, LogFormat.TEXT)


@pytest.mark.parametrize(
    ("resource", "flag", "variable", "wins"),
    [
        ("1m", "2m", "3m", 1),
        (None, "2m", "3m", 2),
        (None, None, "3m", 3),
        ("1m", None, "3m", 1),
        ("1m", "2m", None, 1),
        (None, None, None, 30),
    ],
)
def test_resource_then_flag_then_environment_then_default(
    resource: str | None, flag: str | None, variable: str | None, wins: int
) -> None:
    environ = {"HELMWAKE_ROLLOUT_LIMIT": variable} if variable else {}
    started = sources(environ=environ, rollout_limit=flag)
    overrides = observer({"rolloutLimit": resource}) if resource else None

    assert started.settings(overrides).rollout_limit == timedelta(minutes=wins)


def test_it_is_decided_value_by_value() -> None:
    started = sources(
        environ={"HELMWAKE_KEPTN_STAGE_KEY": "env/stage", "HELMWAKE_KEPTN_CONTEXT_KEY": "env/c"},
        otlp_endpoint="http://flag:4317",
        keptn_context_key="flag/c",
    )

    settings = started.settings(
        observer({"otlp": {"protocol": "grpc"}, "keptn": {"service": "s"}})
    )

    assert settings.otlp.endpoint == "http://flag:4317"
    assert settings.otlp.protocol is Protocol.GRPC
    assert settings.keptn.context == "flag/c"
    assert settings.keptn.stage == "env/stage"
    assert settings.keptn.service == "s"
    assert settings.keptn.project == "keptn.sh/project"


def test_what_the_ledger_keeps_is_decided_value_by_value() -> None:
    started = sources(
        environ={"HELMWAKE_RETENTION_AGE": "36h", "HELMWAKE_RETENTION_TOTAL": "100"},
        backfill="7d",
        retention_age="2d",
        retention_per_release="3",
    )

    settings = started.settings(
        observer({"backfill": "none", "retention": {"perRelease": 5, "undeliveredAge": "3d"}})
    )

    assert started.settings().backfill == Backfill(timedelta(days=7))
    assert settings.backfill == Backfill(timedelta())
    assert settings.retention.age == timedelta(days=2)
    assert (settings.retention.per_release, settings.retention.total) == (5, 100)
    assert settings.retention.undelivered_age == timedelta(days=3)


def test_two_namespace_selectors_are_never_mixed() -> None:
    started = sources(namespace_selector="team=a")

    assert started.settings().namespace_selector.matches({"team": "a"})
    by_resource = started.settings(observer({"namespaceSelector": {"matchLabels": {"tier": "b"}}}))
    assert by_resource.namespace_selector.matches({"tier": "b"})
    assert not by_resource.namespace_selector.matches({"team": "a"})


def test_an_empty_namespace_selector_is_a_value() -> None:
    assert sources().settings(observer({"namespaceSelector": {}})).namespace_selector.matches({})


@pytest.mark.parametrize("resource", [{}, {"spec": None}, {"spec": {}}, {"spec": {"otlp": {}}}])
def test_an_empty_resource_changes_nothing(resource: dict[str, Any]) -> None:
    started = sources(otlp_endpoint="http://flag:4317")

    assert started.settings(parse_observer(resource)) == started.settings()


def test_a_field_of_a_newer_version_is_let_go() -> None:
    assert observer({"rolloutLimit": "1m", "later": {"a": 1}}).values.keys() == {"rolloutLimit"}


def test_an_empty_variable_is_not_set() -> None:
    assert sources(environ={"HELMWAKE_ROLLOUT_LIMIT": ""}).settings() == Settings()


def test_the_options_of_the_process() -> None:
    settings = sources(
        environ={
            "HELMWAKE_WATCH_NAMESPACES": "shop, pay",
            "HELMWAKE_LOG_LEVEL": "debug",
            "HELMWAKE_NAMESPACE": "tools",
        },
        http_address="[::1]:9090",
        kubeconfig="/etc/kube/config",
        context="kind",
        log_format="json",
        cluster_name="prod-eu",
    ).settings()

    assert settings.watch_namespaces == ("shop", "pay")
    assert settings.http_address == BindAddress(host="::1", port=9090)
    assert str(settings.http_address) == "[::1]:9090"
    assert (settings.kubeconfig, settings.context) == ("/etc/kube/config", "kind")
    assert (settings.log_level, settings.log_format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert (settings.namespace, settings.cluster_name) == ("tools", "prod-eu")


@pytest.mark.parametrize(
    ("spec", "path", "wanted"),
    [
        ({"otlp": {"endpoint": "collector:4317"}}, "spec.otlp.endpoint", "http:// or https://"),
        ({"otlp": {"endpoint": "ftp://collector"}}, "spec.otlp.endpoint", "http:// or https://"),
        ({"otlp": {"endpoint": "http://"}}, "spec.otlp.endpoint", "with a host"),
        ({"otlp": {"endpoint": "http://a b"}}, "spec.otlp.endpoint", "URL"),
        ({"otlp": {"endpoint": "http://a\n"}}, "spec.otlp.endpoint", "URL"),
        ({"otlp": {"endpoint": "http://a?k=v"}}, "spec.otlp.endpoint", "without query"),
        ({"otlp": {"endpoint": f"http://a/{'b' * 1024}"}}, "spec.otlp.endpoint", "URL"),
        ({"otlp": {"endpoint": 4317}}, "spec.otlp.endpoint", "string"),
        ({"otlp": {"protocol": "http/json"}}, "spec.otlp.protocol", "'grpc' or 'http/protobuf'"),
        ({"otlp": "http://a"}, "spec.otlp", "dictionary"),
        ({"keptn": {"context": "a b"}}, "spec.keptn.context", "pattern"),
        ({"rolloutLimit": "soon"}, "spec.rolloutLimit", "a duration in Go's notation"),
        ({"stuckAfter": 15}, "spec.stuckAfter", "a duration in Go's notation"),
        ({"backfill": "yes"}, "spec.backfill", "none, all, or an age from 1h to 999d"),
        ({"retention": {"age": "1m"}}, "spec.retention.age", "an age from 1h to 999d"),
        ({"retention": {"perRelease": 0}}, "spec.retention.perRelease", "or equal to 1"),
        ({"retention": {"perRelease": 1001}}, "spec.retention.perRelease", "or equal to 1000"),
        ({"retention": {"total": 50_001}}, "spec.retention.total", "or equal to 50000"),
        ({"retention": {"total": "many"}}, "spec.retention.total", "a valid integer"),
        ({"retention": {"undeliveredAge": 30}}, "spec.retention.undeliveredAge", "an age from"),
        ({"clusterName": ""}, "spec.clusterName", "at least 1 character"),
        ({"namespaceSelector": {"matchLabels": {"a": 1}}},
         "spec.namespaceSelector.matchLabels.a", "string"),
        ({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
         "spec.namespaceSelector.matchExpressions.0", "need values"),
        (["a"], "spec", "dictionary"),
        ({"rolloutLimit": "soon", "stuckAfter": "later"}, "spec.rolloutLimit", "and 1 more"),
    ],
)  # fmt: skip
def test_a_bad_spec_is_one_line_with_path_and_what_is_wanted(
    spec: Any, path: str, wanted: str
) -> None:
    with pytest.raises(BadSettingsError) as caught:
        observer(spec)

    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        f"http://user:{SECRET}@collector:4317",
        f"https://{SECRET}@collector",
        f"grpc://user:{SECRET}@collector",
        f"http://collector/?token={SECRET}",
        f"{SECRET}",
    ],
)
def test_an_endpoints_secret_is_refused_and_never_shown(endpoint: str) -> None:
    with pytest.raises(BadSettingsError) as by_resource:
        observer({"otlp": {"endpoint": endpoint}})
    with pytest.raises(BadSettingsError) as by_flag:
        sources(otlp_endpoint=endpoint)

    for caught in (by_resource, by_flag):
        assert SECRET not in str(caught.value)
        assert SECRET not in str(caught.value.__cause__)


def test_credentials_in_the_endpoint_are_told_where_they_belong() -> None:
    with pytest.raises(BadSettingsError, match="OTEL_EXPORTER_OTLP_HEADERS"):
        observer({"otlp": {"endpoint": f"http://user:{SECRET}@collector:4317"}})


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("otlp_endpoint", "collector:4317"),
        ("otlp_protocol", "http"),
        ("namespace_selector", "a b"),
        ("keptn_stage_key", "a b"),
        ("rollout_limit", "30"),
        ("backfill", "-24h"),
        ("retention_age", "59m"),
        ("retention_per_release", "1.5"),
        ("retention_total", "0"),
        ("retention_undelivered_age", "forever"),
        ("watch_namespaces", "Shop"),
        ("watch_namespaces", "shop,,pay"),
        ("http_address", "8080"),
        ("http_address", ":99999"),
        ("http_address", "::1:80"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("namespace", "a/b"),
    ],
)
def test_a_bad_flag_is_named_as_it_was_typed(flag: str, value: str) -> None:
    with pytest.raises(BadSettingsError) as caught:
        Sources.read(flags={flag: value}, environ={})

    assert caught.value.path == f"--{flag.replace('_', '-')}"


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(BadSettingsError, match=r"^HELMWAKE_STUCK_AFTER: a duration"):
        sources(environ={"HELMWAKE_STUCK_AFTER": "soon"})


def test_options_have_distinct_names_and_set_a_value_of_the_model() -> None:
    assert len({option.flag for option in OPTIONS}) == len(OPTIONS)
    assert len({option.path for option in OPTIONS}) == len(OPTIONS)
    for option in OPTIONS:
        assert option.path[0] in {field.alias for field in Settings.model_fields.values()}


def test_every_value_of_the_model_has_an_option() -> None:
    assert {option.path[0] for option in OPTIONS} == {
        field.alias for field in Settings.model_fields.values()
    }


def test_standard_variables_are_left_to_who_reads_them() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317",
        "HELMWAKE_OTLP_ENDPOINT": "http://b",
    }

    assert sources(environ=environ).settings().otlp.endpoint is None
