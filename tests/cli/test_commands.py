"""What a person types: what works, and how a mistake ends in one line and exit code 2."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helmwake.cli import main

DELIVERY: Final = Path(__file__).parents[2] / "examples" / "delivery.jsonl"
GOOD: Final = "6f0c1a52-0e1b-4f2e-9d7a-3b8a5c2d1e40"
BAD: Final = "b81d7f36-94c5-4a0d-8e52-c7f3a9160d2b"


def helmwake(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A backend that takes all; its address, and the bodies it got."""
    bodies: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_help_names_each_command() -> None:
    shown = helmwake("--help")
    assert shown.exit_code == 0
    assert all(name in shown.output for name in ("record", "replay", "run"))


def test_a_replay_is_a_waterfall() -> None:
    shown = helmwake("replay", DELIVERY)
    assert shown.exit_code == 0
    assert "3 operations, 1 failed" in shown.output


@pytest.mark.parametrize("packed", [False, True])
def test_a_replay_reads_standard_input_gzipped_or_not(packed: bool) -> None:  # noqa: FBT001
    text = DELIVERY.read_bytes()
    shown = subprocess.run(
        [Path(sys.executable).parent / "helmwake", "replay", "-"],
        input=gzip.compress(text) if packed else text,
        capture_output=True,
        check=True,
    )
    assert b"3 operations, 1 failed" in shown.stdout


def test_a_replay_is_one_request_in_otlp_json() -> None:
    shown = helmwake("replay", DELIVERY, "-o", "otlp-json", "--keptn-context", BAD)
    [resource] = json.loads(shown.stdout)["resourceSpans"]
    [scope] = resource["scopeSpans"]
    assert scope["spans"][0]["name"] == "upgrade sockshop-prod/carts"
    assert len(scope["spans"]) == 4


def test_a_replay_is_sent_on(collector: tuple[str, list[bytes]]) -> None:
    endpoint, bodies = collector
    shown = helmwake("replay", DELIVERY, "--otlp-endpoint", endpoint, "--keptn-context", GOOD)
    assert shown.exit_code == 0
    assert "Delivered 2 traces" in shown.stderr
    roots = [
        span.name
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for span in resource.scope_spans[0].spans
        if not span.parent_span_id
    ]
    assert roots == ["upgrade sockshop-prod/carts", "rollback sockshop-prod/carts"]


def test_what_still_runs_is_shown_and_not_written(tmp_path: Path) -> None:
    lines = DELIVERY.read_text().splitlines()
    for kept in range(len(lines), 0, -1):
        cut = tmp_path / "cut.jsonl"
        cut.write_text("\n".join(lines[:kept]))
        if "running" in helmwake("replay", cut).output:
            break
    else:
        pytest.fail("nothing runs, wherever it is cut")

    written = helmwake("replay", cut, "-o", "otlp-json")

    assert "still running when the recording ended: not written" in written.stderr
    spans = [
        span
        for resource in json.loads(written.stdout)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) for span in spans)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["replay", "nowhere.jsonl"], "nowhere.jsonl"),
        (["replay", "{empty}"], "holds no recorded object"),
        (["replay", "{delivery}", "--keptn-context", "nobody"], BAD),
        (["replay", "{delivery}", "--otlp-endpoint", "localhost:4317"], "--otlp-endpoint"),
        (["replay", "{delivery}", "--otlp-endpoint", "http://me:hunter2@host"], "endpoint"),
        (["record", "{new}", "--kubeconfig", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "--kubeconfig", "nowhere.yaml"], "nowhere.yaml"),
        (["run", "--rollout-limit", "soon"], "--rollout-limit"),
        (["run", "--http-address", "everywhere"], "--http-address"),
        (["run", "--namespace-selector", "a in b"], "--namespace-selector"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    args: list[str], told: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    places = {"empty": empty, "delivery": DELIVERY, "new": tmp_path / "new.jsonl"}

    shown = helmwake(*(arg.format(**places) for arg in args))

    assert shown.exit_code == 2
    assert told in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "hunter2" not in shown.stderr
    assert len(shown.stderr.strip().splitlines()) == 1


def test_a_bad_line_is_named_and_passed_over_and_the_exit_code_is_2(tmp_path: Path) -> None:
    lines = DELIVERY.read_text().splitlines()
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join([lines[0], '{"type": "ADDED", "object": {', *lines[1:]]))

    shown = helmwake("replay", broken)

    assert shown.exit_code == 2
    [told] = shown.stderr.splitlines()
    assert f"{broken}:2: " in told
    assert "3 operations, 1 failed" in shown.stdout


def test_a_backend_that_refuses_is_one_line_and_exit_code_1() -> None:
    # Nothing listens on port 1.
    shown = helmwake(
        "replay", DELIVERY, "--otlp-endpoint", "http://127.0.0.1:1", "--timeout", "0.5"
    )
    assert shown.exit_code == 1
    assert "0 of 3 traces were delivered" in shown.stderr.splitlines()[-1]
