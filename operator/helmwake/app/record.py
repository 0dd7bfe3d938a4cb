"""An independent watch, written down: nothing of the operator's own watching is in it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from helmwake.cluster.client import ApiClient
from helmwake.cluster.credentials import Credentials
from helmwake.cluster.reflector import Reflector
from helmwake.cluster.resources import (
    DEPLOYMENTS,
    HELM_CONFIG_MAPS,
    HELM_SECRETS,
    NAMESPACES,
    Resource,
)
from helmwake.cluster.seen import Seen
from helmwake.facts.change import Change
from helmwake.recording import RecordingWriter, redact

RECORDED: Final = (HELM_SECRETS, HELM_CONFIG_MAPS, DEPLOYMENTS)


async def record(
    file: Path,
    *,
    namespaces: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    stop: asyncio.Event,
) -> int:
    """Write changes until `stop` is set; return how many were written.

    Objects are whole here, records with their payloads, and cut down as soon as they are
    read: what is kept to find deletions has nothing secret in it either.

    Raises:
        ApiError: the cluster cannot be reached, or says no.
        OSError: the file cannot be written.
    """
    async with ApiClient(Credentials(kubeconfig=kubeconfig, context=context)) as api:
        # Somebody waits for this: say now what would otherwise be tried for ever.
        await api.get("/api")
        with RecordingWriter(file) as writer:

            def write(seen: Seen[Mapping[str, Any]]) -> None:
                writer.write(
                    Change(type=seen.type, object=seen.fact, seen=seen.seen, origin=seen.origin)
                )

            reflectors = [
                Reflector(api, resource, reduce=_reduce, emit=write)
                for resource in _resources(namespaces)
            ]
            tasks: list[asyncio.Task[Any]] = [
                asyncio.create_task(reflector.run()) for reflector in reflectors
            ]
            ended: asyncio.Task[Any] = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()  # a reflector only ends by an error of ours
            finally:
                for task in (*tasks, ended):
                    task.cancel()
                await asyncio.wait([*tasks, ended])
            return writer.lines


def _resources(namespaces: Sequence[str]) -> list[Resource]:
    whole = [replace(resource, metadata_only=False) for resource in RECORDED]
    if namespaces:
        return [resource.within(name) for resource in whole for name in namespaces]
    return [replace(NAMESPACES, metadata_only=False), *whole]


def _reduce(change: Change) -> Mapping[str, Any] | None:
    return redact(change.object)
