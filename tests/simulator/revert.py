"""`helm rollback`, `helm uninstall` and `helm test`, write by write.

None of them can be cancelled: SIGINT is as good as SIGKILL.

Source: helm/helm, pkg/action/{rollback,uninstall,release_testing}.go.
"""

from collections.abc import Iterable
from typing import Final

from tests.simulator.client import (
    REQUEST_SECONDS,
    ActionError,
    Client,
    HookError,
    NotReadyError,
    RefusedError,
    Settlement,
    StalledError,
)
from tests.simulator.release import TEST, Info, Release
from tests.simulator.truth import (
    APPLY_FAILED,
    HOOK_FAILED,
    ROLLOUT_FAILED,
    SUCCESS,
    TEST_FAILED,
    TIMED_OUT,
)

DELETING: Final = "Deletion in progress (or silently failed)"
SUCCEEDED: Final[Settlement] = ("succeeded", SUCCESS)


def failure(error: ActionError) -> Settlement:
    """Say what an error of Helm's makes of its operation."""
    match error:
        case HookError():
            return "failed", HOOK_FAILED
        case StalledError():
            return "failed", ROLLOUT_FAILED
        case NotReadyError():
            return "failed", TIMED_OUT
        case _:
            return "failed", APPLY_FAILED


def refusal(release: Release, *, helm: int) -> str:
    """Word what Helm says when the server refuses a workload."""
    name = release.chart.deployments[0] if release.chart.deployments else release.name
    if helm >= 4:
        where = f"{release.namespace}/{name} apps/v1, Kind=Deployment"
        return f"server-side apply failed for object {where}: admission webhook denied it"
    return f'cannot patch "{name}" with kind Deployment: admission webhook denied it'


def rollback(
    client: Client,
    *,
    to: int = 0,
    wait: bool = False,
    timeout: float = 300.0,
    history_max: int = 10,
    nested: bool = False,
) -> None:
    storage, last = client.world.storage, client.world.storage.last()
    target = to or (last.version - 1 if last else 0)
    if last is None or target not in {known.version for known in storage.history()}:
        raise RefusedError(f"release has no {target} version")
    release = storage.get(target)
    release.version = last.version + 1
    release.info = Info(
        first_deployed=last.info.first_deployed,
        last_deployed=client.world.client_stamp(),
        rollback_revision=target,
    )
    release.set_status("pending-rollback", f"Rollback to {target}")
    client.prune(history_max)
    client.enter("rollback", release, start=release.info.last_deployed, nested=nested)
    client.create(release)
    try:
        client.run_hooks(release, "pre-rollback")
        client.apply(release, failing=refusal(release, helm=client.world.helm))
        if wait:
            client.wait(timeout=timeout)
        client.run_hooks(release, "post-rollback")
    except HookError:
        # Helm leaves without a word: pending-rollback, the hook Running.
        client.give_up()
        return
    except ActionError as error:
        _fail_rollback(client, release, last, error)
        return
    for other in storage.deployed():
        other.set_status("superseded")
        client.update(other)
    release.set_status("deployed")
    client.update(release, settles=SUCCEEDED)


def _fail_rollback(client: Client, release: Release, last: Release, error: ActionError) -> None:
    if isinstance(error, NotReadyError):
        release.set_status("failed", f'Release "{release.name}" failed: {error}')
    else:
        release.set_status("failed", f'Rollback "{release.name}" failed: {error}')
        last.set_status("superseded")
    client.update(last)
    client.update(release, settles=failure(error))


def uninstall(
    client: Client,
    *,
    keep_history: bool = False,
    delete_error: bool = False,
    description: str = "",
    nested: bool = False,
) -> None:
    world, history = client.world, client.world.storage.history()
    if not history:
        raise RefusedError("release: not found")
    release = history[-1]
    if release.info.status == "uninstalled":
        if keep_history:
            raise RefusedError("the release is already deleted")
        world.note("purge", *(world.storage.uid(known.version) for known in history))
        _purge(client, history, settles=None)
        return
    release.set_status("uninstalling", DELETING)
    release.info.deleted = world.client_stamp()
    client.enter("uninstall", release, start=release.info.deleted, nested=nested)
    try:
        client.run_hooks(release, "pre-delete")
    except HookError:
        client.give_up()
        return
    client.update(release)
    if delete_error:
        client.give_up()
        return
    for name in world.workloads.names():
        world.cluster.advance(REQUEST_SECONDS)
        world.workloads.delete(name)
    try:
        client.run_hooks(release, "post-delete")
    except HookError:
        # Helm goes on, and tells its caller only.
        world.cluster.advance(REQUEST_SECONDS)
    if not keep_history:
        _purge(client, history, settles=SUCCEEDED)
        return
    release.set_status("uninstalled", description or "Uninstallation complete")
    client.update(release, settles=SUCCEEDED)
    for other in world.storage.deployed():
        other.set_status("superseded")
        client.update(other)


def _purge(client: Client, history: list[Release], *, settles: Settlement | None) -> None:
    *older, latest = history
    for release in older:
        client.delete(release.version)
    client.delete(latest.version, settles=settles)


def run_tests(client: Client, *, only: Iterable[str] = ()) -> None:
    """`helm test`, with `--filter name=...` for each of `only`."""
    world, names = client.world, set(only)
    release = world.storage.last()
    if release is None:
        raise RefusedError("release: not found")
    skipped = [hook for hook in release.hooks if names and hook.spec.name not in names]
    release.hooks = [hook for hook in release.hooks if hook not in skipped]
    if not any(TEST in hook.spec.events for hook in release.hooks):
        raise RefusedError("no test would run")
    client.enter("test", release, start=world.client_stamp())
    try:
        client.run_hooks(release, TEST)
        verdict = SUCCEEDED
    except HookError:
        verdict = ("failed", TEST_FAILED)
    release.hooks = [*skipped, *release.hooks]
    client.update(release, settles=verdict)
