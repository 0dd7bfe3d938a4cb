"""What a reflector makes of a watch, and of its ends."""

import json
import logging
from datetime import timedelta

import pytest

from helmwake.cluster.errors import (
    BadLineError,
    GoneError,
    StreamBrokenError,
    VersionTooLargeError,
)
from tests.cluster.fake import FakeCluster, error_line, event_line
from tests.cluster.kit import NOON, running, settle

pytestmark = pytest.mark.looptime
MARKER = "hunter2"


@pytest.fixture
def cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put("cart-1")
    return cluster


async def test_a_watch_is_told_as_it_happens(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        run.take()
        await run.pass_time(seconds=60)
        cluster.put("cart-2")
        cluster.put("cart-2", note="changed")
        cluster.delete("cart-1")
        await settle()
        assert run.seen[0].seen >= NOON + timedelta(seconds=60)
        assert run.take() == [
            "ADDED cart-2 watched",
            "MODIFIED cart-2 watched",
            "DELETED cart-1 watched",
        ]


async def test_a_watch_starts_at_the_lists_version(cluster: FakeCluster) -> None:
    async with running(cluster):
        await settle()
    (request,) = cluster.watches
    assert request.params == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "101",
        "timeoutSeconds": "1200",
        "fieldSelector": "type=helm.sh/release.v1",
        "labelSelector": "owner=helm",
    }
    assert request.accept.startswith("application/json;as=PartialObjectMetadata;")


async def test_the_lifetime_of_watches_is_spread(cluster: FakeCluster) -> None:
    async with running(cluster, jitter=lambda: 0.25):
        await settle()
    assert cluster.watches[0].params["timeoutSeconds"] == "750"


async def test_a_watch_that_ended_is_resumed_where_it_was(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.put("cart-2")
        await settle()
        cluster.end_streams()
        cluster.put("cart-3")
        await settle()
        assert run.take()[1:] == ["ADDED cart-2 watched", "ADDED cart-3 watched"]
        assert run.state.watch_restarts == 1
        assert run.state.lists == 1
    assert cluster.watches[1].params["resourceVersion"] == "102"


async def test_a_bookmark_is_where_a_watch_resumes(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        for _ in range(10):
            cluster.bookmark()
        await settle()
        cluster.end_streams()
        await settle()
        assert run.take() == ["ADDED cart-1 initial"]
    assert cluster.watches[1].params["resourceVersion"] == "111"


async def test_a_cut_stream_is_resumed_at_once(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        for n in (2, 3, 4):
            cluster.put(f"cart-{n}")
            await settle()
            cluster.say(StreamBrokenError("WATCH", reason="cut within a line"))
            await settle()
        assert len(run.take()) == 4
        assert run.state.watch_restarts == 3
        assert run.state.lists == 1
        assert run.is_ready()


async def test_a_stream_cut_again_and_again_is_not_hammered(cluster: FakeCluster) -> None:
    cluster.stream_faults.extend(StreamBrokenError("WATCH") for _ in range(6))
    async with running(cluster) as run:
        await run.pass_time(seconds=40)
        starts = [round(each.at) for each in cluster.watches]
        assert starts == [0, 0, 1, 3, 7, 15, 31]
        assert run.is_ready()


async def test_silence_reconnects_after_three_minutes(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await run.pass_time(seconds=179)
        assert len(cluster.watches) == 1
        cluster.bookmark()
        await run.pass_time(seconds=179)
        assert len(cluster.watches) == 1
        await run.pass_time(seconds=2)
        assert len(cluster.watches) == 2
        assert run.is_ready()
        assert cluster.open_streams == 1


async def test_silence_after_silence_is_stale_until_something_is_heard(
    cluster: FakeCluster,
) -> None:
    async with running(cluster) as run:
        await run.pass_time(seconds=365)
        assert len(cluster.watches) == 3
        assert run.state.lists == 2, "the version may be one of the future"
        assert not run.is_ready(), "an open watch that never speaks is no good sign"
        assert run.state.failure == "WATCH /api/v1/secrets: nothing came for 0:03:00"
        cluster.bookmark()
        await settle()
        assert run.is_ready()


@pytest.mark.parametrize("as_event", [True, False], ids=["as an event", "as a status"])
async def test_a_version_that_is_gone_is_listed_anew(
    cluster: FakeCluster, *, as_event: bool
) -> None:
    cluster.gone_as_event = as_event
    async with running(cluster) as run:
        await settle()
        run.take()
        cluster.lose()
        cluster.put("cart-2")
        cluster.delete("cart-1")
        cluster.compact()
        await run.reflector_silence()
        assert run.take() == ["DELETED cart-1 relisted", "ADDED cart-2 relisted"]
        assert run.is_ready()
        assert run.state.bad_lines == 0
    assert cluster.watches[-1].params["resourceVersion"] == "103"


async def test_versions_that_are_gone_at_once_are_not_hammered(cluster: FakeCluster) -> None:
    cluster.stream_faults.extend(GoneError("WATCH", status=410) for _ in range(4))
    async with running(cluster) as run:
        await run.pass_time(seconds=10)
        assert [round(each.at) for each in cluster.lists] == [0, 0, 1, 3, 7]
        assert run.is_ready()


async def test_a_version_from_the_future_is_listed_anew(cluster: FakeCluster) -> None:
    cluster.stream_faults.append(VersionTooLargeError("WATCH", status=504))
    async with running(cluster) as run:
        await settle()
        assert run.state.lists == 2
        assert run.is_ready()


async def test_a_version_from_the_future_may_be_told_by_an_event(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        causes = [{"reason": "ResourceVersionTooLarge", "message": MARKER}]
        cluster.say(error_line(504, "Timeout", causes=causes))
        await settle()
        assert run.state.lists == 2


BAD_LINES = {
    "broken JSON": b'{"type":"ADDED","object":{"data":"hunter2',
    "no JSON": b"hunter2",
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "no object": b'"hunter2"',
    "no type": b'{"object":{}}',
    "another type": event_line("hunter2", {"metadata": {"uid": "1", "resourceVersion": "2"}}),
    "object is text": b'{"type":"ADDED","object":"hunter2"}',
    "error is text": b'{"type":"ERROR","object":"hunter2"}',
    "no metadata": event_line("ADDED", {"name": MARKER}),
    "no uid": event_line("ADDED", {"metadata": {"resourceVersion": "102", "name": MARKER}}),
    "no version": event_line("MODIFIED", {"metadata": {"uid": "uid-1", "name": MARKER}}),
    "bookmark of nothing": event_line("BOOKMARK", {"metadata": {}}),
    "bookmark of a number": event_line("BOOKMARK", {"metadata": {"resourceVersion": 7}}),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES.keys())
async def test_a_malformed_line_is_survived_without_loss_and_without_quoting(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    async with running(cluster) as run:
        await settle()
        run.take()
        with caplog.at_level(logging.DEBUG):
            cluster.say(line)
            cluster.lose()
            cluster.put("cart-2")  # what the line was, before something garbled it
            await settle()
        assert run.take() == ["ADDED cart-2 watched"]
        assert run.state.bad_lines == 1
        assert run.state.lists == 1
        assert run.is_ready()
    (said,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert said.startswith(f"secrets: WATCH /api/v1/secrets: a line of {len(line)} bytes is no")
    assert MARKER not in caplog.text


async def test_a_line_over_the_cap_is_a_malformed_one(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.say(BadLineError("WATCH", reason="a line has more than 32 MiB"))
        await settle()
        assert run.state.bad_lines == 1
        assert run.state.watch_restarts == 1


async def test_a_line_that_stays_malformed_is_passed_by_listing(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        run.take()
        cluster.say(b"garbage")
        await settle()
        cluster.say(b"garbage")
        cluster.lose()
        cluster.put("cart-2")
        await settle()
        assert run.take() == []
        await run.pass_time(seconds=1)
        assert run.take() == ["ADDED cart-2 relisted"]
        assert run.state.bad_lines == 2
        assert run.state.lists == 2


async def test_an_error_event_is_waited_out(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.say(error_line(500, "InternalError"))
        await settle()
        assert run.state.failure == "WATCH /api/v1/secrets: ERROR event: 500 InternalError"
        assert not run.is_ready()
        await run.pass_time(seconds=1)
        assert run.is_ready()
        assert run.state.lists == 1


async def test_an_error_event_that_comes_again_is_passed_by_listing(
    cluster: FakeCluster,
) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.say(error_line(500, "InternalError"))
        await run.pass_time(seconds=1)
        cluster.say(error_line(500, "InternalError"))
        await run.pass_time(seconds=2)
        assert run.state.lists == 2
        assert run.is_ready()


async def test_an_error_event_may_ask_for_patience(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.say(error_line(429, "TooManyRequests", retryAfterSeconds=50))
        await run.pass_time(seconds=49)
        assert len(cluster.watches) == 1
        await run.pass_time(seconds=2)
        assert len(cluster.watches) == 2


async def test_an_error_event_of_no_known_shape_is_an_error(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.say(event_line("ERROR", {"code": "hunter2", "reason": f"{MARKER} said so"}))
        await settle()
        assert run.state.failure == "WATCH /api/v1/secrets: ERROR event: 500"


async def test_an_event_that_comes_twice_is_told_once(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        line = event_line("ADDED", cluster.objects["cart-1"])
        cluster.say(line)
        await settle()
        assert run.take() == ["ADDED cart-1 initial"]


async def test_a_bad_object_is_passed_over(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(cluster) as run:
        await settle()
        run.take()
        cluster.put("cart-2", bad=MARKER)
        cluster.put("cart-3")
        await settle()
        assert run.take() == ["ADDED cart-3 watched"]
        assert run.state.bad_objects == 1
        assert run.state.watch_restarts == 0
    assert "shop/cart-2: metadata.labels.bad is not there" in caplog.text
    assert MARKER not in caplog.text


async def test_an_object_that_turned_bad_is_still_told_when_deleted(
    cluster: FakeCluster,
) -> None:
    async with running(cluster) as run:
        await settle()
        cluster.put("cart-1", bad="yes")
        cluster.delete("cart-1")
        await settle()
        assert run.take() == ["ADDED cart-1 initial", "DELETED cart-1 watched"]


async def test_a_deletion_tells_the_last_state(cluster: FakeCluster) -> None:
    async with running(cluster) as run:
        await settle()
        last = json.loads(json.dumps(cluster.objects["cart-1"]))
        last["metadata"]["labels"] = {"note": "last"}
        last["metadata"]["resourceVersion"] = "200"
        cluster.say(event_line("DELETED", last))
        await settle()
        assert run.seen[-1].fact.note == "last"


async def test_an_ignored_object_is_told_neither_alive_nor_deleted(
    cluster: FakeCluster,
) -> None:
    async with running(cluster) as run:
        await settle()
        run.take()
        cluster.put("cart-2", ignored="yes")
        cluster.delete("cart-2")
        await settle()
        assert run.take() == []


async def test_a_mistake_of_ours_ends_the_reflector(cluster: FakeCluster) -> None:
    def emit(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with running(cluster, emit=emit):
            await settle()
