"""OTEL_EXPORTER_OTLP_*, as the specification's protocol/exporter.md has them."""

import traceback

import pytest

from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.target import (
    Compression,
    OtlpTarget,
    Protocol,
    Signal,
    target_from_environment,
)

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
TOKEN = "tok-3141592653589793"


def target(environ: dict[str, str], signal: Signal = "traces") -> OtlpTarget:
    found = target_from_environment(environ, signal=signal)
    assert found is not None
    return found


@pytest.mark.parametrize("environ", [{}, {BASE: ""}, {BASE: " "}, GRPC])
def test_without_an_endpoint_there_is_no_target(environ: dict[str, str]) -> None:
    assert target_from_environment(environ) is None


def test_defaults_are_the_specifications() -> None:
    found = target({BASE: "http://collector:4318"})

    assert found == OtlpTarget(
        protocol=Protocol.HTTP_PROTOBUF,
        endpoint="http://collector:4318/v1/traces",
        insecure=True,
        timeout_s=10.0,
        compression=Compression.NONE,
    )


@pytest.mark.parametrize(
    ("environ", "signal", "url"),
    [
        ({BASE: "http://c:4318/"}, "traces", "http://c:4318/v1/traces"),
        ({BASE: "https://c/otlp"}, "metrics", "https://c/otlp/v1/metrics"),
        ({BASE: "http://c/v1/traces"}, "traces", "http://c/v1/traces"),
        ({BASE: "http://c:1?key=abc"}, "traces", "http://c:1/v1/traces?key=abc"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1"}, "traces", "http://c:1/"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, "traces", "http://c/x"),
        (
            {BASE: "http://c:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"},
            "traces",
            "http://t/x",
        ),
        (
            {BASE: "http://c:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t/x"},
            "metrics",
            "http://c:1/v1/metrics",
        ),
        ({BASE: "HTTP://[::1]:4318"}, "traces", "http://[::1]:4318/v1/traces"),
    ],
)
def test_http_endpoints(environ: dict[str, str], signal: Signal, url: str) -> None:
    assert target(environ, signal).endpoint == url


@pytest.mark.parametrize(
    ("endpoint", "insecure", "address", "plain"),
    [
        ("http://c:4317", "", "c:4317", True),
        ("https://c:4317", "", "c:4317", False),
        ("http://c", "", "c:4317", True),
        ("https://c/", "", "c:443", False),
        ("https://c:1", "true", "c:1", False),  # a scheme decides
        ("c:4317", "", "c:4317", False),
        ("c:4317", "TRUE", "c:4317", True),
        ("http://[::1]:4317", "", "[::1]:4317", True),
    ],
)
def test_grpc_endpoints(endpoint: str, insecure: str, address: str, plain: bool) -> None:  # noqa: FBT001
    found = target({BASE: endpoint, "OTEL_EXPORTER_OTLP_INSECURE": insecure, **GRPC})

    assert (found.endpoint, found.insecure) == (address, plain)


def test_a_signals_own_variables_win_over_the_common_ones() -> None:
    found = target(
        {
            BASE: "https://c",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=2",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=3",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1000",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca",
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "/traces-ca",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/crt",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": "/key",
        }
    )

    assert found.headers == {"a": "3"}
    assert found.timeout_s == 2.5
    assert found.compression is Compression.GZIP
    assert found.certificate == "/traces-ca"
    assert (found.client_certificate, found.client_key) == ("/crt", "/key")


def test_flags_win_over_the_environment() -> None:
    environ = {
        BASE: "http://base:1",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://own:2/x",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }

    by_grpc = target_from_environment(environ, endpoint="http://flag:3", protocol="grpc")
    by_http = target_from_environment(environ, endpoint="http://flag:3")

    assert by_grpc is not None
    assert (by_grpc.protocol, by_grpc.endpoint) == (Protocol.GRPC, "flag:3")
    assert by_http is not None
    assert by_http.endpoint == "http://flag:3/v1/traces"


def test_header_values_are_percent_decoded_and_names_are_in_lower_case() -> None:
    headers = "Authorization=Basic%20dXNlcjpwYXNz==, X-Tenant = shop ,,k=v%2C1"

    found = target({BASE: "http://c", "OTEL_EXPORTER_OTLP_HEADERS": headers})

    assert found.headers == {
        "authorization": "Basic dXNlcjpwYXNz==",
        "x-tenant": "shop",
        "k": "v,1",
    }


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({BASE: "collector:4318"}, r"OTLP_ENDPOINT: has no http:// or https://; write"),
        ({BASE: "ftp://c"}, "has no http://"),
        ({BASE: "unix:///x", **GRPC}, "names no host|use http://"),
        ({BASE: "ftp://c:1", **GRPC}, "use http:// .plain text. or https://"),
        ({BASE: "http://"}, "names no host"),
        ({BASE: "http://c:port"}, "not a URL"),
        ({BASE: "http://c:99999"}, "not a URL"),
        ({BASE: "http://c d"}, "names no host"),
        ({BASE: f"http://user:{TOKEN}@c"}, "holds credentials; put them into OTEL_"),
        ({BASE: f"http://user:{TOKEN}@c:x"}, "not a URL"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "use grpc or http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "whole number of milliseconds, not '10s'"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "0"}, "whole number of milliseconds"),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "use gzip or none"),
        ({BASE: "c:1", "OTEL_EXPORTER_OTLP_INSECURE": "yes", **GRPC}, "use true or false"),
        ({"OTEL_EXPORTER_OTLP_CLIENT_KEY": "/k"}, "set both .*CLIENT_CERT.* and .*KEY"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f"a=1,{TOKEN}"}, "make entry 2 NAME=VALUE"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f"a b={TOKEN}"}, "make entry 1 NAME=VALUE"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f"k-bin={TOKEN}"}, "make entry 1 NAME=VALUE"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f'k="{TOKEN}"'}, "percent-encode .* in the value of k"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f"k={TOKEN}%0d%0ax: y"}, "not printable ASCII"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": f"k={TOKEN}ü"}, "not printable ASCII"),
    ],
)
def test_a_bad_value_is_one_line_that_says_what_to_do(environ: dict[str, str], words: str) -> None:
    with pytest.raises(BadTargetError, match=words) as caught:
        target_from_environment({BASE: "http://c", **environ})

    assert "\n" not in str(caught.value)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_header_values_are_in_no_text_of_a_target() -> None:
    environ = {
        BASE: f"http://c?key={TOKEN}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {TOKEN},x-tenant=shop",
    }

    found = target(environ)

    assert repr(found) == str(found) == f"{found}"
    assert repr(found) == (
        "OtlpTarget(http/protobuf to http://c/v1/traces, headers: authorization, x-tenant)"
    )


def test_foreign_words_become_one_short_line_without_secrets() -> None:
    found = target({BASE: "http://c", "OTEL_EXPORTER_OTLP_HEADERS": f"k=Bearer {TOKEN},t=1"})

    assert found.words(f"bad\n token\t'{TOKEN}'\x1b[0m of tenant 1") == (
        "bad token '***' [0m of tenant 1"
    )
    assert len(found.words("x" * 1000)) == 300
