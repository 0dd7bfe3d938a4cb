"""`helmwake replay`: parse, call, print."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Final

import click
from pydantic import ValidationError

from helmwake.app.replay import replay
from helmwake.app.sending import traces_target
from helmwake.cli.endings import BAD_USE, BadUseError, FailedError, plainly
from helmwake.delivery.otlp_json import otlp_json
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.state import DeliveryState
from helmwake.delivery.transports import sender_to
from helmwake.recording import read_changes
from helmwake.settings.errors import BadSettingsError
from helmwake.settings.spec import Otlp, Protocol
from helmwake.telemetry.semconv import KEPTN_CONTEXT
from helmwake.telemetry.spans import Trace
from helmwake.views import print_traces

SEND_SECONDS: Final = 30.0


@click.command(name="replay")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["tree", "otlp-json"]),
    default="tree",
    show_default=True,
    help="How to print.",
)
@click.option("--keptn-context", metavar="ID", help="Only operations with this Keptn context.")
@click.option("--otlp-endpoint", metavar="URL", help="Send the traces there; print none.")
@click.option(
    "--otlp-protocol",
    type=click.Choice([each.value for each in Protocol]),
    help="Default: OTEL_EXPORTER_OTLP_PROTOCOL, else http/protobuf.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=SEND_SECONDS,
    show_default=True,
    help="How long to try to send.",
)
@plainly
def command(
    files: Sequence[str],
    output: str,
    keptn_context: str | None,
    otlp_endpoint: str | None,
    otlp_protocol: str | None,
    timeout: float,
) -> None:
    """Show the traces that recorded FILEs would have sent.

    A FILE holds JSON lines as `helmwake record` and `kubectl get -w -o json
    --output-watch-events` write them, or a List of `kubectl get -o json`; it may be
    gzipped, and `-` is standard input. A line that cannot be read is passed over, and the
    exit code is then 2.
    """
    bad_lines: list[str] = []

    def warn(problem: str) -> None:
        click.echo(f"helmwake: {problem}", err=True)

    def warn_of_line(problem: str) -> None:
        bad_lines.append(problem)
        warn(problem)

    replayed = asyncio.run(replay(read_changes(files, warn=warn_of_line), warn=warn))
    traces = _with_context(replayed.traces, keptn_context)
    finished = [trace for trace in traces if trace.finished]
    running = len(traces) - len(finished)
    if running and (otlp_endpoint is not None or output == "otlp-json"):
        warn(f"{running} still running when the recording ended: not written")
    if otlp_endpoint is not None:
        _send(finished, _otlp(otlp_endpoint, otlp_protocol), timeout)
    elif output == "otlp-json":
        click.echo(json.dumps(otlp_json(finished), indent=2))
    else:
        print_traces(traces, sys.stdout, environ=os.environ)
    if bad_lines:
        # What could be read was shown; a script must know that it was not all.
        raise SystemExit(BAD_USE)


def _otlp(endpoint: str, protocol: str | None) -> Otlp:
    try:
        return Otlp(endpoint=endpoint, protocol=Protocol(protocol) if protocol else None)
    except ValidationError as error:
        raise BadSettingsError.of(error, name=lambda _: "--otlp-endpoint") from error


def _with_context(traces: Sequence[Trace], wanted: str | None) -> list[Trace]:
    if wanted is None:
        return list(traces)
    contexts = [trace.root.attributes.get(KEPTN_CONTEXT.name) for trace in traces]
    found = [trace for trace, own in zip(traces, contexts, strict=True) if own == wanted]
    if not found:
        known = ", ".join(sorted({str(own) for own in contexts if own})) or "none"
        raise BadUseError(f"no operation has the Keptn context {wanted}; in the files: {known}")
    return found


def _send(traces: Sequence[Trace], otlp: Otlp, timeout: float) -> None:
    target = traces_target(otlp, os.environ)
    if target is None:
        raise BadUseError("--otlp-endpoint is empty: name an OTLP endpoint")
    state = asyncio.run(_deliver(traces, DeliveryQueue(sender_to(target)), timeout))
    if state.delivered_traces < len(traces):
        raise FailedError(
            f"{state.delivered_traces} of {len(traces)} traces were delivered to {target.where}: "
            f"{state.last_error or 'no answer'}"
        )
    click.echo(f"Delivered {len(traces)} traces to {target.where}", err=True)


async def _deliver(
    traces: Sequence[Trace],
    queue: DeliveryQueue,
    timeout: float,  # noqa: ASYNC109
) -> DeliveryState:
    delivery = asyncio.create_task(queue.run())
    try:
        for trace in traces:
            queue.put(trace)
        return await queue.drain(timeout)
    finally:
        delivery.cancel()
        await asyncio.wait([delivery])
