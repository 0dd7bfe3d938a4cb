"""Start everything, deliver once, show the trace: `python -m tests.live [--hurried]`."""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.controlplane.toolbox import MissingToolError
from tests.demo.delivery import NAMESPACE, Delivery
from tests.live.found import summary
from tests.live.stack import SERVICE, stack

if TYPE_CHECKING:
    from tests.live.stack import Stack

# Install, upgrade, failing upgrade and rollback.
OPERATIONS: Final = 4
# Of the chart: as fast as a busy machine can follow, in place of what a person can.
HURRIED: Final = "migration.takes=500ms,readyAfter=500ms,progressDeadlineSeconds=8"


def main() -> None:
    """Run it all, and wait for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.live", description=__doc__)
    parser.add_argument("--hurried", action="store_true", help="only to see that it works")
    values = HURRIED if parser.parse_args().hurried else ""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="helmwake-live-") as name:
        try:
            with stack(Path(name), say=say) as running:
                deliver(running, values=values)
                explain(running)
                say("Everything stays up until Ctrl-C.")
                with suppress(KeyboardInterrupt):
                    signal.pause()
                say("Ending everything")
        except MissingToolError as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit("Interrupted: everything was ended")


def say(line: str) -> None:
    print(line, flush=True)


def deliver(running: Stack, *, values: str) -> None:
    """Run the scripted delivery, and show how its traces are found."""
    context = str(uuid.uuid4())
    say(f"\nA delivery with the Keptn context {context}")
    delivery = Delivery(cluster=running.cluster, say=say, values=values)
    delivery.prepare()
    delivery.install(context=context)
    delivery.upgrade(context=context)
    delivery.failing_upgrade(context=context)
    delivery.rollback()
    found = running.jaeger.wait_for_traces(
        SERVICE, count=OPERATIONS, tags={"keptn.context": context}
    )
    say(f"\nWhat Jaeger has of it:\n  curl '{running.query(context)}'")
    for line in summary(found):
        say(f"  {line}")


def explain(running: Stack) -> None:
    """Say how to go on by hand."""
    say(f"\nMetrics of the operator:\n  curl {running.operator.url}/metrics")
    say(f"Its log:\n  {running.operator.process.log}")
    say("To try helm yourself:")
    for line in running.shell():
        say(f"  {line}")
    say(f"  helm history carts -n {NAMESPACE}")
    say("Any namespace is observed that has the label helmwake.dev/observe=enabled.\n")


if __name__ == "__main__":
    main()
