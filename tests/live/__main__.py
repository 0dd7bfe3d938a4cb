"""Start everything, deliver once, show the trace: `python -m tests.live`."""

# ruff: noqa: T201 - a command says what it does

from __future__ import annotations

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


def main() -> None:
    """Run it all, and wait for Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="helmwake-live-") as name:
        try:
            with stack(Path(name), say=say) as running:
                deliver(running)
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


def deliver(running: Stack) -> None:
    """Run the scripted delivery, and show how its traces are found."""
    context = str(uuid.uuid4())
    say(f"\nA delivery with the Keptn context {context}")
    delivery = Delivery(cluster=running.cluster, say=say)
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
