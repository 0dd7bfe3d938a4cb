"""`helm install` and `helm upgrade`, write by write.

Source: helm/helm, pkg/action/{install,upgrade}.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.simulator.client import (
    ActionError,
    Client,
    HookError,
    InterruptedHelmError,
    RefusedError,
    Settlement,
)
from tests.simulator.release import Chart, Hook, Info, Release
from tests.simulator.revert import SUCCEEDED, failure, refusal, rollback, uninstall
from tests.simulator.truth import CANCELLED

PENDING: Final = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The flags of `helm install` and `helm upgrade`."""

    chart: Chart = field(default_factory=Chart)
    labels: Mapping[str, str] = field(default_factory=dict)
    """An upgrade merges them over the latest revision's; the value `null` removes one."""
    config: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    wait: bool = False
    atomic: bool = False
    """`--atomic`, in Helm 4 `--rollback-on-failure`; waits too."""
    replace: bool = False
    timeout: float = 300.0
    history_max: int = 10


def install(client: Client, delivery: Delivery) -> None:
    world, last = client.world, client.world.storage.last()
    reusable = delivery.replace and last and last.info.status in {"uninstalled", "failed"}
    if last and not reusable:
        raise RefusedError("cannot reuse a name that is still in use")
    now = world.client_stamp()
    info = Info(first_deployed=now, last_deployed=now)
    release = _new(client, delivery, version=last.version + 1 if last else 1, info=info)
    release.set_status("pending-install", "Initial install underway")
    if last and last.info.status != "failed":
        last.set_status("superseded", "superseded by new release")
        client.update(last)
    client.enter("install", release, start=now)
    try:
        client.create(release)
        _hooks(client, release, "pre-install", failing="failed pre-install: ")
        client.apply(release, failing=refusal(release, helm=world.helm))
        if delivery.wait or delivery.atomic:
            client.wait(timeout=delivery.timeout)
        _hooks(client, release, "post-install", failing="failed post-install: ")
        release.set_status("deployed", delivery.description or "Install complete")
        client.update(release, settles=SUCCEEDED)
    except (ActionError, InterruptedHelmError) as error:
        if delivery.atomic:
            # `failed` is never written: the uninstall reads the stored record again.
            client.give_up()
            client.recover()
            uninstall(client, nested=True)
            return
        release.set_status("failed", f'Release "{release.name}" failed: {error}')
        client.update(release, settles=_verdict(error))


def upgrade(client: Client, delivery: Delivery) -> None:
    world, last = client.world, client.world.storage.last()
    if last is None or last.info.status in PENDING:
        raise RefusedError("another operation is in progress, or there is no release")
    deployed = world.storage.deployed()
    if not deployed and last.info.status not in {"failed", "superseded"}:
        raise RefusedError("no deployed releases")
    original = deployed[-1] if deployed else last
    info = Info(first_deployed=original.info.first_deployed, last_deployed=world.client_stamp())
    release = _new(client, delivery, version=last.version + 1, info=info)
    merged = {**last.labels, **delivery.labels}
    release.labels = {key: value for key, value in merged.items() if value != "null"}
    release.set_status("pending-upgrade", "Preparing upgrade")
    client.prune(delivery.history_max)
    client.enter("upgrade", release, start=info.last_deployed)
    try:
        client.create(release)
        _deliver_upgrade(client, release, original, delivery)
    except (ActionError, InterruptedHelmError) as error:
        release.set_status("failed", f'Upgrade "{release.name}" failed: {error}')
        client.update(release, settles=_verdict(error))
        if delivery.atomic:
            _roll_back(client, timeout=delivery.timeout)


def _deliver_upgrade(
    client: Client, release: Release, original: Release, delivery: Delivery
) -> None:
    _hooks(client, release, "pre-upgrade", failing="pre-upgrade hooks failed: ")
    try:
        client.apply(release, failing=refusal(release, helm=client.world.helm))
        if delivery.wait or delivery.atomic:
            client.wait(timeout=delivery.timeout)
    except ActionError:
        # Helm stores the original again. Unchanged, it makes no event.
        client.update(original)
        raise
    _hooks(client, release, "post-upgrade", failing="post-upgrade hooks failed: ")
    # With nothing deployed this is the latest revision: a failed one turns superseded.
    original.set_status("superseded")
    client.update(original)
    release.set_status("deployed", delivery.description or "Upgrade complete")
    client.update(release, settles=SUCCEEDED)


def _roll_back(client: Client, *, timeout: float) -> None:
    good = [
        known.version
        for known in client.world.storage.history()
        if known.info.status in {"deployed", "superseded"}
    ]
    if good:
        client.recover()
        # The rollback inside --atomic has no history limit of its own: it prunes nothing.
        rollback(client, to=good[-1], wait=True, timeout=timeout, history_max=0, nested=True)


def _hooks(client: Client, release: Release, event: str, *, failing: str) -> None:
    try:
        client.run_hooks(release, event)
    except HookError as error:
        raise HookError(f"{failing}{error}") from error


def _verdict(error: ActionError | InterruptedHelmError) -> Settlement:
    if isinstance(error, InterruptedHelmError):
        return "cancelled", CANCELLED
    return failure(error)


def _new(client: Client, delivery: Delivery, *, version: int, info: Info) -> Release:
    return Release(
        name=client.world.release,
        namespace=client.world.namespace,
        version=version,
        info=info,
        chart=delivery.chart,
        config=dict(delivery.config),
        hooks=[Hook(spec=spec) for spec in delivery.chart.hooks],
        labels=dict(delivery.labels),
        apply_method="ssa" if client.world.helm >= 4 else "",
    )
