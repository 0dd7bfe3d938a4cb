"""The settings in force: flags and environment, or what the ReleaseObserver says instead."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from helmwake.app.sending import metrics_target, traces_target
from helmwake.delivery.errors import BadTargetError
from helmwake.delivery.metrics import Meters
from helmwake.delivery.queue import DeliveryQueue
from helmwake.delivery.transports import sender_to
from helmwake.facts.keptn import KeptnKeys
from helmwake.ledger.retention import RetentionLimits
from helmwake.lifecycle.limits import Limits
from helmwake.settings.errors import BadSettingsError
from helmwake.settings.settings import Settings
from helmwake.settings.sources import ObserverOverrides, Sources
from helmwake.telemetry.traces import Cluster
from helmwake.tracking.scope import Scope
from helmwake.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


class InForce:
    """Puts a change into force live. Keys and limits hold for what is seen from then on."""

    def __init__(
        self,
        sources: Sources,
        environ: Mapping[str, str],
        *,
        queue: DeliveryQueue,
        meters: Meters,
    ) -> None:
        self._sources = sources
        self._environ = environ
        self._queue = queue
        self._meters = meters
        self._follow: tuple[Tracker, Scope] | None = None
        self._settings = sources.settings()
        self.cluster = Cluster(name=self._settings.cluster_name)
        self.keys = _keys(self._settings)

    @property
    def limits(self) -> Limits:
        return Limits(stuck_after=self._settings.stuck_after, rollout=self._settings.rollout_limit)

    @property
    def backfill(self) -> timedelta | None:
        """How far back history is told; None: all of it."""
        return self._settings.backfill.reach

    @property
    def retention(self) -> RetentionLimits:
        return RetentionLimits(**self._settings.retention.model_dump())

    @property
    def selector(self) -> Callable[[Mapping[str, str]], bool]:
        return self._settings.namespace_selector.matches

    def follow(self, tracker: Tracker, scope: Scope) -> None:
        """Name those who must hear of a change."""
        self._follow = (tracker, scope)

    async def apply(self, overrides: ObserverOverrides | None) -> None:
        """Put what a ReleaseObserver sets into force; `None`: there is none.

        Raises:
            BadSettingsError: it cannot be; what was in force before stays so.
        """
        settings = self._sources.settings(overrides)
        if settings == self._settings:
            return
        if settings.otlp != self._settings.otlp:
            self._retarget(settings)
        self._settings = settings
        self.cluster = Cluster(uid=self.cluster.uid, name=settings.cluster_name)
        self.keys = _keys(settings)
        if self._follow is not None:
            tracker, scope = self._follow
            tracker.limits = self.limits
            if not settings.watch_namespaces:
                scope.select(self.selector)
        logger.info("The ReleaseObserver's settings are in force")

    def _retarget(self, settings: Settings) -> None:
        try:
            traces = traces_target(settings.otlp, self._environ)
            metrics = metrics_target(settings.otlp, self._environ)
            sender = sender_to(traces) if traces else None
            self._meters.retarget(metrics)
        except BadTargetError as error:
            raise BadSettingsError("spec.otlp", wanted=str(error)) from error
        self._queue.retarget(sender)


def _keys(settings: Settings) -> KeptnKeys:
    return KeptnKeys(**settings.keptn.model_dump())
