"""kopf, and what is needed to live with it.

Why it has a thread and an event loop of its own: when `kopf.operator` ends, for
whatever reason, it cancels every task of its loop that is younger than itself
(kopf, _core/reactor/running.py, run_tasks), and where it runs in the main
thread it takes over SIGTERM. In our loop that would be our reflectors and the
delivery that drains.

Why handlers of events alone: handlers of create, update and resume note what
they saw in an annotation of the resource, which takes the right to patch it,
and shows as drift to whoever applies it from git; those of delete are called
only where a finalizer blocks the deletion, and none of ours may (kopf,
_core/intents/causes.py, detect_changing_cause).
"""

import asyncio
import copy
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from typing import Any, Final, cast

import aiohttp
import kopf

from helmwake.app.observer.api import open_session
from helmwake.cluster.credentials import Credentials
from helmwake.settings import crd

Login = Callable[[], Credentials]
# The type of a watch event, None for one of a list, and the resource; or LISTED and nothing.
OnEvent = Callable[[str | None, Mapping[str, Any]], None]
# After a re-list kopf does not tell what was deleted meanwhile: whoever hears this looks.
LISTED: Final = "LISTED"
Stop = Callable[[], object]
STOPPING_SECONDS: Final = 10.0
# Short, as we have a way of our own to wait: one that says why, once.
RETRIES: Final = (1, 2, 4)


class Watch:
    """One run of kopf, from its start until it ends or is stopped."""

    def __init__(self, *, login: Login, on_event: OnEvent, verbose: bool) -> None:
        """`on_event` is called in the loop of `run`, in the order in which things were seen."""
        self._login = login
        self._on_event = on_event
        self._verbose = verbose

    async def run(self) -> None:
        """Watch until kopf ends.

        Raises:
            Exception: what kopf ended with; nothing is mapped.
        """
        stop: Future[Stop] = Future()
        ended: Future[None] = Future()
        here = asyncio.get_running_loop()
        thread = threading.Thread(
            target=self._run_thread, args=(here, stop, ended), name="kopf", daemon=True
        )
        thread.start()
        waiting = asyncio.wrap_future(ended)
        try:
            await asyncio.shield(waiting)
        finally:
            # A kopf that has not begun has nothing to stop yet; wait for either.
            stopping = asyncio.wrap_future(stop)
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                with suppress(RuntimeError):  # it has just ended by itself
                    stopping.result()()
                # One that does not stop is left behind: the thread is a daemon.
                await asyncio.wait((waiting,), timeout=STOPPING_SECONDS)
            if waiting.done():
                waiting.exception()  # asked for, so that asyncio does not complain
                thread.join()  # it has nothing left to do but to end

    def _run_thread(
        self, owner: asyncio.AbstractEventLoop, stop: Future[Stop], ended: Future[None]
    ) -> None:
        def on_event(kind: str | None, resource: Mapping[str, Any]) -> None:
            with suppress(RuntimeError):  # the owner's loop is closed: nobody listens any more
                owner.call_soon_threadsafe(self._on_event, kind, resource)

        async def main() -> None:
            loop, flag = asyncio.get_running_loop(), asyncio.Event()
            stop.set_result(lambda: loop.call_soon_threadsafe(flag.set))
            await self._operate(flag, on_event)

        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - it goes to whoever waits
            # The end of this loop must not look like a cancellation of the owner's.
            is_plain = isinstance(error, Exception)
            ended.set_exception(error if is_plain else RuntimeError(type(error).__name__))
        else:
            ended.set_result(None)

    async def _operate(self, stop: asyncio.Event, on_event: OnEvent) -> None:
        _set_log_level(verbose=self._verbose)
        async with AsyncExitStack() as sessions:
            try:
                await kopf.operator(
                    registry=_registry(login=self._login, sessions=sessions, on_event=on_event),
                    settings=_settings(),
                    memo=kopf.Memo(),
                    clusterwide=True,  # ReleaseObserver has no namespace
                    standalone=True,
                    stop_flag=stop,
                )
            finally:
                # It leaves its streams to the collector, each with an open response. Ended
                # here, before their session is.
                await asyncio.get_running_loop().shutdown_asyncgens()


def _registry(
    *, login: Login, sessions: AsyncExitStack, on_event: OnEvent
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    credentials = login()

    # By default a failing handler is tried again after a minute, and an ERROR is logged.
    @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.PERMANENT)
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        session = await open_session(credentials, on_list=lambda: on_event(LISTED, {}))
        sessions.push_async_callback(session.close)
        kept = cast("aiohttp.ClientSession", _KeptOpen(session.http))
        return kopf.AiohttpSession(server=credentials.endpoint.server, aiohttp_session=kept)

    @kopf.on.event(crd.GROUP, crd.VERSION, crd.PLURAL, registry=registry)
    async def on_any_event(*, event: Mapping[str, Any], **_: Any) -> None:
        on_event(event["type"], copy.deepcopy(event["object"]))

    return registry


class _KeptOpen:
    """A session as kopf uses one, but for its end.

    When it stops, kopf closes its session under requests of its own that still run, and aiohttp
    then loses their connections. We close it when all of kopf has ended.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def close(self) -> None:
        """Leave it open."""


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # It would read and watch all CRDs of the cluster, bodies and all, to see ours come and go.
    settings.scanning.disabled = True
    settings.networking.error_backoffs = RETRIES
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    # It would send SIGKILL to the whole process.
    settings.process.ultimate_exiting_timeout = None
    # Not used by handlers of events; named all the same, since operators with kopf's own
    # names take away each other's finalizers.
    settings.persistence.finalizer = f"{crd.GROUP}/never-set"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=crd.GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=crd.GROUP)
    return settings


def _set_log_level(*, verbose: bool) -> None:
    # It logs a line for each event and an ERROR for each attempt; what matters, we say.
    logging.getLogger("kopf").setLevel(logging.DEBUG if verbose else logging.CRITICAL)
