"""Metrics as a Prometheus scrape and as OTLP show them."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from opentelemetry import trace as otel
from opentelemetry.proto.metrics.v1 import metrics_pb2
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from tests.delivery.peers import answer, grpc_peer, hang, http_peer

from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.metrics import Meters
from helmwake.delivery.scrape import scrape_handler
from helmwake.delivery.target import Compression, OtlpTarget, Protocol
from helmwake.telemetry.measurements import (
    DURATION_BUCKETS,
    RUN_DURATION,
    RUN_ERRORS,
    Instrument,
    InstrumentKind,
    Measurement,
)
from helmwake.telemetry.spans import SpanContext

TOKEN = "tok-3141592653589793"
RESOURCE = {"service.name": "helmwake", "k8s.cluster.uid": "c-1"}
PIPELINE = {"cicd.pipeline.name": "shop/cart"}
SPAN = SpanContext(trace_id=0x0AF7651916CD43DD8448EB211C80319C, span_id=0xB7AD6B7169203331)


def duration(seconds: float, exemplar: SpanContext | None = None) -> Measurement:
    return Measurement(
        instrument=RUN_DURATION, value=seconds, attributes=PIPELINE, exemplar=exemplar
    )


def errors(count: int, attributes: Mapping[str, str] = PIPELINE) -> Measurement:
    return Measurement(instrument=RUN_ERRORS, value=count, attributes=attributes)


def samples(meters: Meters) -> dict[str, list[Sample]]:
    _, page = meters.render()
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_series_have_the_names_that_prometheus_users_expect() -> None:
    meters = Meters(RESOURCE)
    meters.record(duration(7, SPAN))
    meters.record(errors(2))

    found = samples(meters)

    [total] = found["cicd_pipeline_run_errors_total"]
    assert (total.labels, total.value) == ({"cicd_pipeline_name": "shop/cart"}, 2)
    buckets = {
        sample.labels["le"]: sample.value
        for sample in found["cicd_pipeline_run_duration_seconds_bucket"]
    }
    assert [*buckets] == [*map(str, DURATION_BUCKETS), "+Inf"]
    assert (buckets["5.0"], buckets["10.0"], buckets["+Inf"]) == (0, 1, 1)
    assert found["cicd_pipeline_run_duration_seconds_sum"][0].value == 7
    [target] = found["target_info"]
    assert target.labels == {"service_name": "helmwake", "k8s_cluster_uid": "c-1"}


def test_a_counter_is_born_at_zero() -> None:
    """A series that is born at 1 is invisible to increase()."""
    meters = Meters(RESOURCE)

    meters.record(errors(0))

    assert samples(meters)["cicd_pipeline_run_errors_total"][0].value == 0


def test_series_beyond_the_limit_are_folded_into_one() -> None:
    meters = Meters(RESOURCE, max_series=10)
    for number in range(100):
        meters.record(errors(1, {"cicd.pipeline.name": f"shop/cart-{number}"}))

    totals = samples(meters)["cicd_pipeline_run_errors_total"]

    assert len(totals) <= 11
    assert sum(total.value for total in totals) == 100


def test_more_series_fit_than_the_sdk_holds_by_default() -> None:
    meters = Meters(RESOURCE)
    for number in range(2500):
        meters.record(errors(1, {"cicd.pipeline.name": f"shop/cart-{number}"}))

    assert len(samples(meters)["cicd_pipeline_run_errors_total"]) == 2500


def test_each_of_two_meters_has_series_of_its_own() -> None:
    one, other = Meters(RESOURCE), Meters(RESOURCE)
    one.record(errors(1))

    assert "cicd_pipeline_run_errors_total" not in samples(other)


def test_an_instrument_that_is_not_ours_is_not_recorded() -> None:
    foreign = Instrument(name="x", kind=InstrumentKind.COUNTER, unit="1", description="")

    with pytest.raises(KeyError):
        Meters(RESOURCE).record(Measurement(instrument=foreign, value=1, attributes={}))


def test_without_prometheus_there_is_no_page() -> None:
    with pytest.raises(RuntimeError, match="no Prometheus reader"):
        Meters(RESOURCE, prometheus=False).render()


def test_scrapes_at_the_same_time_show_each_series_once() -> None:
    meters = Meters(RESOURCE)
    for number in range(300):
        meters.record(errors(1, {"cicd.pipeline.name": f"shop/cart-{number}"}))
    together = threading.Barrier(4)

    def scrape(_: int) -> int:
        together.wait()
        return len(samples(meters)["cicd_pipeline_run_errors_total"])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # let threads interleave
    try:
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(scrape, range(4))) == {300}
    finally:
        sys.setswitchinterval(interval)


async def test_the_handler_serves_what_the_scraper_asks_for() -> None:
    meters = Meters(RESOURCE)
    meters.record(errors(1))
    app = Application()
    app.router.add_get("/metrics", scrape_handler(meters))
    async with TestClient(TestServer(app)) as client:
        plain = await client.get("/metrics")
        open_metrics = await client.get(
            "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
        )

        assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'cicd_pipeline_run_errors_total{cicd_pipeline_name="shop/cart"} 1.0' in (
            await plain.text()
        )
        assert open_metrics.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await open_metrics.text()).endswith("# EOF\n")


def target_of(protocol: Protocol, endpoint: str, timeout_s: float = 5) -> OtlpTarget:
    return OtlpTarget(
        protocol=protocol,
        endpoint=endpoint,
        headers={"authorization": f"Bearer {TOKEN}"},
        insecure=True,
        compression=Compression.GZIP,
        timeout_s=timeout_s,
    )


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_otlp_carries_values_buckets_units_and_the_exemplar(protocol: Protocol) -> None:
    async with grpc_peer() as by_grpc, http_peer() as by_http:
        endpoint = by_grpc.address if protocol is Protocol.GRPC else f"{by_http.url}/v1/metrics"
        meters = Meters(RESOURCE, otlp=target_of(protocol, endpoint), prometheus=False)
        # A span that happens to be current is not what caused the measurement.
        with otel.use_span(otel.NonRecordingSpan(_sampled(0xBAD, 0xBAD))):
            meters.record(duration(7, SPAN))
            meters.record(errors(2))
        await meters.shutdown(5)
        [received] = by_grpc.received + by_http.received

    assert received.headers["authorization"] == f"Bearer {TOKEN}"
    [resource_metrics] = received.request.resource_metrics
    assert {
        item.key: item.value.string_value for item in resource_metrics.resource.attributes
    } == RESOURCE
    [scope_metrics] = resource_metrics.scope_metrics
    assert scope_metrics.scope.name == "helmwake"
    by_name: dict[str, metrics_pb2.Metric] = {each.name: each for each in scope_metrics.metrics}
    run = by_name["cicd.pipeline.run.duration"]
    assert run.unit == "s"
    [point] = run.histogram.data_points
    assert tuple(point.explicit_bounds) == DURATION_BUCKETS
    assert (point.count, point.sum) == (1, 7)
    [exemplar] = point.exemplars
    assert int.from_bytes(exemplar.trace_id, "big") == SPAN.trace_id
    assert int.from_bytes(exemplar.span_id, "big") == SPAN.span_id
    found = by_name["cicd.pipeline.run.errors"]
    assert found.unit == "{error}"
    assert found.sum.is_monotonic
    assert found.sum.aggregation_temporality == metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    [count] = found.sum.data_points
    assert count.as_int == 2
    assert not count.exemplars


async def test_another_endpoint_gets_what_was_counted_before() -> None:
    async with http_peer() as first, http_peer() as second:
        meters = Meters(
            RESOURCE,
            otlp=target_of(Protocol.HTTP_PROTOBUF, f"{first.url}/v1/metrics"),
            prometheus=False,
            retargetable=True,
        )
        meters.record(errors(2))
        meters.retarget(target_of(Protocol.HTTP_PROTOBUF, f"{second.url}/v1/metrics"))
        meters.record(errors(1))
        await meters.shutdown(5)

    assert not first.received
    [received] = second.received
    [metric] = received.request.resource_metrics[0].scope_metrics[0].metrics
    assert [point.as_int for point in metric.sum.data_points] == [3]


async def test_an_endpoint_may_come_later() -> None:
    async with http_peer() as peer:
        meters = Meters(RESOURCE, retargetable=True)
        meters.record(errors(2))
        meters.retarget(target_of(Protocol.HTTP_PROTOBUF, f"{peer.url}/v1/metrics"))
        await meters.shutdown(5)

    assert len(peer.received) == 1


def _sampled(trace_id: int, span_id: int) -> otel.SpanContext:
    flags = otel.TraceFlags(otel.TraceFlags.SAMPLED)
    return otel.SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags)


async def test_the_environments_attributes_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "foreign=1")
    meters = Meters(RESOURCE)
    meters.record(errors(1))
    [target] = samples(meters)["target_info"]

    assert "foreign" not in target.labels


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_a_backend_that_hangs_holds_up_neither_the_loop_nor_the_shutdown(
    protocol: Protocol,
) -> None:
    async with http_peer() as peer, grpc_peer() as other:
        peer.answers.append(hang)
        other.metrics_hang = True
        endpoint = other.address if protocol is Protocol.GRPC else f"{peer.url}/v1/metrics"
        meters = Meters(RESOURCE, otlp=target_of(protocol, endpoint, timeout_s=2))
        meters.record(errors(1))
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.02)
                beats += 1

        before = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(beat())
            await meters.shutdown(0.5)
            beating.cancel()
        took = time.monotonic() - before
        _join_readers()

    assert 0.4 < took < 2
    assert beats > 5


def _join_readers() -> None:
    """The SDK's threads give up at their own timeout; sockets are open until then."""
    for thread in threading.enumerate():
        if thread.name == "OtelPeriodicExportingMetricReader":
            thread.join(10)


async def test_a_scrape_and_a_shutdown_can_be_cancelled() -> None:
    async with http_peer() as peer:
        peer.answers.append(hang)
        meters = Meters(
            RESOURCE,
            otlp=target_of(Protocol.HTTP_PROTOBUF, f"{peer.url}/v1/metrics", timeout_s=1),
        )
        meters.record(errors(1))
        task = asyncio.create_task(meters.shutdown(1))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(_join_readers)


async def test_an_away_backend_is_logged_without_our_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "opentelemetry")
    async with http_peer() as peer:
        peer.answers.append(answer(400, body="no", kind="text/plain", headers={"X-Reason": TOKEN}))
        meters = Meters(
            RESOURCE,
            otlp=target_of(Protocol.HTTP_PROTOBUF, f"{peer.url}/v1/metrics?key=query-{TOKEN}"),
        )
        meters.record(errors(1))
        await meters.shutdown(5)
    away = Meters(
        RESOURCE,
        otlp=target_of(Protocol.HTTP_PROTOBUF, f"http://localhost:1/?key=query-{TOKEN}"),
    )
    away.record(errors(1))
    await away.shutdown(1)

    assert "Failed to export metrics batch" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_redirect_of_metrics_is_not_followed() -> None:
    async with http_peer() as peer, http_peer() as other:
        peer.answers.append(answer(307, headers={"Location": f"{other.url}/v1/metrics"}))
        meters = Meters(RESOURCE, otlp=target_of(Protocol.HTTP_PROTOBUF, f"{peer.url}/v1/metrics"))
        meters.record(errors(1))
        await meters.shutdown(5)

        assert len(peer.received) == 1
        assert not other.received


def test_a_file_that_cannot_be_used_is_named() -> None:
    target = OtlpTarget(
        protocol=Protocol.HTTP_PROTOBUF, endpoint="https://c/v1/metrics", certificate="/nowhere"
    )

    with pytest.raises(BadTargetError, match="certificate /nowhere: No such file"):
        Meters(RESOURCE, otlp=target)
