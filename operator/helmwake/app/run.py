"""The operator: reflectors, mailboxes, delivery, kopf and probes in one TaskGroup."""

import asyncio
import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from helmwake.app.in_force import InForce
from helmwake.app.live import LiveClock, LivePayloads, LiveWorkloads
from helmwake.app.observer import DeliveryState as DeliveryCondition
from helmwake.app.observer import Observer
from helmwake.app.outlet import Outlet
from helmwake.app.probes import serve_probes
from helmwake.app.replay import CLUSTER_NAMESPACE
from helmwake.app.sending import metrics_target, traces_target
from helmwake.app.watching import Watching
from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.delivery.metrics import Meters
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.scrape import scrape_handler
from helmwake.delivery.state import DeliveryState
from helmwake.delivery.transports import sender_to
from helmwake.facts.namespaces import Namespace
from helmwake.facts.parsing import Observed
from helmwake.settings.settings import LogLevel
from helmwake.settings.sources import Sources
from helmwake.telemetry.metrics import OwnError, operator_resource
from helmwake.telemetry.traces import Cluster
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker

logger = logging.getLogger(__name__)

# Together less than the Deployment's terminationGracePeriodSeconds.
DRAIN_SECONDS: Final = 20.0
LAST_METRICS_SECONDS: Final = 5.0
LAST_ANSWERS: Final = timedelta(seconds=2)


class StoppedError(Exception):
    """We were asked to stop: ends the TaskGroup."""


async def run(sources: Sources, environ: Mapping[str, str], *, stop: asyncio.Event) -> None:
    """Observe until `stop` is set, then deliver what waits, within the grace period.

    Raises:
        BadSettingsError, BadTargetError: the flags or the environment are of no use.
        OSError: the HTTP address is taken.
    """
    settings = sources.settings()
    target = traces_target(settings.otlp, environ)
    queue = DeliveryQueue(sender_to(target) if target else None)
    if target is None:
        logger.warning(
            "No OTLP endpoint is set: traces wait in memory. %s", queue.state.last_error
        )
    meters = Meters(
        operator_resource(settings.cluster_name),
        otlp=metrics_target(settings.otlp, environ),
        retargetable=True,
    )

    def credentials() -> Credentials:
        return Credentials(kubeconfig=settings.kubeconfig, context=settings.context)

    delivery = asyncio.create_task(queue.run(), name="delivery")
    try:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(ApiClient(credentials()))
            tasks = asyncio.TaskGroup()
            force = InForce(sources, environ, queue=queue, meters=meters)
            outlet = Outlet(queue=queue, meters=meters, cluster=lambda: force.cluster)
            tracker = Tracker(
                tasks=tasks,
                payloads=LivePayloads(api, failed=outlet.failed),
                workloads=LiveWorkloads(
                    api,
                    keys=lambda: force.keys,
                    # Made below, for the tracker.
                    observes=lambda name: scope.observes(name),  # noqa: PLW0108
                    failed=outlet.failed,
                ),
                operations=outlet,
                clock=LiveClock(),
                limits=force.limits,
                failed=lambda: outlet.failed(OwnError.NOT_APPLIED),
            )

            def take(fact: Observed) -> None:
                if isinstance(fact, Namespace) and fact.name == CLUSTER_NAMESPACE:
                    force.cluster = Cluster(uid=fact.uid, name=force.cluster.name)
                scope.take(fact)

            watching = Watching(
                api,
                namespaces=settings.watch_namespaces,
                keys=lambda: force.keys,
                take=take,
                failed=outlet.failed,
            )
            scope = Scope(
                tracker,
                selector=None if settings.watch_namespaces else force.selector,
                known=watching,
            )
            force.follow(tracker, scope)

            def not_ready() -> Sequence[str]:
                return watching.not_ready()

            address = await stack.enter_async_context(
                serve_probes(
                    settings.http_address, not_ready=not_ready, metrics=scrape_handler(meters)
                )
            )
            logger.info("Probes and metrics are served on %s", address)
            observer = Observer(
                login=credentials,
                apply=force.apply,
                delivery=lambda: condition(queue.state),
                verbose=settings.log_level is LogLevel.DEBUG,
            )
            try:
                async with tasks:
                    for reflector in watching.reflectors:
                        tasks.create_task(reflector.run(), name=f"reflector {reflector.resource}")
                    if not settings.watch_namespaces:
                        tasks.create_task(observer.run(), name="release-observer")
                    tasks.create_task(_ends(delivery), name="delivery's end")
                    tasks.create_task(_stops(stop, tracker), name="stop")
            except* StoppedError:
                logger.info("Stopping: delivering what waits")
        await queue.drain(DRAIN_SECONDS)
    finally:
        delivery.cancel()
        await asyncio.wait([delivery])
        await meters.shutdown(LAST_METRICS_SECONDS)
    left = len(tracker.running())
    if left:
        logger.info("%d operations still run; they are found again at the next start", left)


def condition(state: DeliveryState) -> DeliveryCondition:
    """Say in a condition's words how delivery stands."""
    if state.endpoint is None:
        return DeliveryCondition(
            delivering=False, reason="NoEndpoint", message=state.last_error or ""
        )
    if not state.delivering:
        return DeliveryCondition(
            delivering=False,
            reason="NotDelivered",
            message=f"{state.endpoint}: {state.last_error or 'unknown'}",
        )
    if not state.delivered_traces:
        return DeliveryCondition(
            delivering=None, reason="NothingSent", message="Nothing was sent yet."
        )
    return DeliveryCondition(
        delivering=True, reason="Delivered", message=f"{state.endpoint} takes all."
    )


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set `stop`; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)


async def _stops(stop: asyncio.Event, tracker: Tracker) -> None:
    await stop.wait()
    # What has ended may only wait for an answer that is on its way.
    try:
        async with asyncio.timeout(LAST_ANSWERS.total_seconds()):
            await tracker.settled()
    except TimeoutError:
        logger.warning("Some operations ended without their payload or workloads being read")
    raise StoppedError


async def _ends(delivery: asyncio.Task[None]) -> None:
    """When delivery dies, all stop: the pod restarts."""
    await asyncio.wait([delivery])
    delivery.result()
