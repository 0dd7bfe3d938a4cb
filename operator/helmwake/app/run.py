"""The operator: reflectors, mailboxes, delivery, kopf and probes in one TaskGroup."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from helmwake.app.books import Books
from helmwake.app.in_force import InForce
from helmwake.app.observer import DeliveryState as DeliveryCondition
from helmwake.app.observer import Observer
from helmwake.app.observing import Observation
from helmwake.app.probes import serve_probes
from helmwake.app.sending import metrics_target, traces_target
from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.errors import ApiError
from helmwake.delivery.metrics import Meters
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.scrape import scrape_handler
from helmwake.delivery.state import DeliveryState
from helmwake.delivery.transports import sender_to
from helmwake.settings.settings import LogLevel
from helmwake.settings.sources import Sources
from helmwake.telemetry.metrics import operator_resource

logger = logging.getLogger(__name__)

# Together less than the Deployment's terminationGracePeriodSeconds.
DRAIN_SECONDS: Final = 18.0
LAST_WRITES_SECONDS: Final = 2.0
LAST_METRICS_SECONDS: Final = 4.0
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
            "No OTLP endpoint is set: traces wait in the ledger. %s", queue.state.last_error
        )
    meters = Meters(
        operator_resource(settings.cluster_name),
        otlp=metrics_target(settings.otlp, environ),
        retargetable=True,
    )

    def credentials() -> Credentials:
        return Credentials(kubeconfig=settings.kubeconfig, context=settings.context)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(meters.shutdown, LAST_METRICS_SECONDS)
        login = credentials()
        api = await stack.enter_async_context(ApiClient(login))
        books = await stack.enter_async_context(
            Books(
                login,
                namespace=settings.namespace,
                retention=lambda: force.retention,
                queue=queue,
                meters=meters,
                cluster=lambda: force.cluster,
            )
        )
        force = InForce(sources, environ, queue=queue, meters=meters)
        observation = Observation(api=api, books=books, force=force, settings=settings)
        address = await stack.enter_async_context(
            serve_probes(
                settings.http_address,
                not_ready=observation.not_ready,
                metrics=scrape_handler(meters),
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
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(observation.observe(tasks), name="observe")
                if not settings.watch_namespaces:
                    tasks.create_task(observer.run(), name="release-observer")
                tasks.create_task(books.ends(), name="end of delivery")
                tasks.create_task(_stops(stop, observation), name="stop")
        except* StoppedError:
            logger.info("Stopping: delivering what waits")
        await queue.drain(DRAIN_SECONDS)
        await books.settle(LAST_WRITES_SECONDS)
        running = len(observation.tracker.running()) if observation.tracker else 0
    if running:
        logger.info("%d operations still run; the next start goes on with them", running)


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


async def _stops(stop: asyncio.Event, observation: Observation) -> None:
    await stop.wait()
    # What has ended may only wait for an answer that is on its way.
    try:
        async with asyncio.timeout(LAST_ANSWERS.total_seconds()):
            await observation.settle()
    except TimeoutError:
        logger.warning("Not all was read that was asked for; the next start asks for it again")
    except ApiError as error:
        logger.warning("How far the cluster was read could not be written: %s", error)
    raise StoppedError
