"""The gateway as a process: starts, serves until a signal, and shuts down in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn

from trigreason.configuration import Configuration
from trigreason.gateway.access import is_loopback
from trigreason.gateway.admission import Admission
from trigreason.gateway.app import make_app
from trigreason.gateway.catalogue import catalogue_of
from trigreason.gateway.connections import BoundedConnection
from trigreason.gateway.passed import passed_engines
from trigreason.gateway.request_bodies import Bodies
from trigreason.gateway.service import Service
from trigreason.gateway.storage import Storage, database_place
from trigreason.gateway.telemetry import Telemetry

_logger = logging.getLogger("trigreason.gateway")

BUNDLED_SLOTS = 16
"""The most runs that the bundled pair serves at once; more only slow each other down."""

LAST_WORDS_SECONDS = 2.0
"""The time to send the clients of unfinished requests the reason."""


@asynccontextmanager
async def opened_service(
    configuration: Configuration, environ: Mapping[str, str], *, host: str
) -> AsyncIterator[Service]:
    """Open everything that requests need; the pairs go on opening in the background.

    Raises:
        ConfigurationError, StorageError: the database is not configured, or cannot be used; or the
            API key of an engine that requests are passed on to is missing.
        ValueError: other machines could reach the gateway, and there are no keys.
    """
    settings = configuration.settings.gateway
    place = database_place(settings, environ)
    storage = await Storage.open(place, traces_days=settings.traces.days)
    try:
        is_local = is_loopback(host)
        has_keys = await storage.has_keys()
        if not has_keys and "*" in (settings.origins or ()):
            raise ValueError(
                'gateway.origins has "*", so every web page could use the models, and there are no '
                "keys; make one with `trigreason keys create NAME`, or name the pages' origins"
            )
        if not is_local and not has_keys:
            raise ValueError(
                f"other machines could use the models through {host}, and there are no keys; "
                "make one with `trigreason keys create NAME`, or listen on 127.0.0.1"
            )
        limits = settings.limits
        admission = Admission(limits.running, limits.queued)
        bodies = Bodies(limits.body_bytes, limits.messages)
        catalogue = catalogue_of(configuration, environ, min(BUNDLED_SLOTS, limits.running))
        passed = passed_engines(configuration, environ)
        telemetry = Telemetry(
            settings.telemetry, admission, catalogue.breakers, lambda: storage.backlog
        )
        try:
            catalogue.open()
            yield Service(
                settings, catalogue, admission, bodies, storage, telemetry, is_local, passed
            )
        finally:
            bodies.close()
            await catalogue.close()
            await passed.close()
            telemetry.close()
    finally:
        await storage.close()


def run(configuration: Configuration, environ: Mapping[str, str], *, host: str, port: int) -> None:
    """:func:`serve` on uvloop, or on asyncio's loop on Windows."""
    factory = asyncio.new_event_loop
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(configuration, environ, host=host, port=port))


async def serve(
    configuration: Configuration, environ: Mapping[str, str], *, host: str, port: int
) -> None:
    """Serve until SIGINT or SIGTERM; the log has the URL once connections are accepted.

    Raises:
        OSError: the gateway cannot listen on the address.
        ConfigurationError, StorageError, ValueError: see :func:`opened_service`.
    """
    with _listening(host, port) as listener:
        async with opened_service(configuration, environ, host=host) as service:
            seconds = service.settings.limits.shutdown_seconds
            config = uvicorn.Config(
                make_app(service),
                http=BoundedConnection,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=int(seconds + 2 * LAST_WORDS_SECONDS),
            )
            gc.collect()
            gc.freeze()  # else a full collection of what was imported holds every stream up
            await _Server(config, service).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """On shutdown, waits ``shutdown_seconds`` for running requests, then ends them with an error.

    After that their clients have ``LAST_WORDS_SECONDS`` to receive it.
    """

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Keep uvicorn from raising the signal again, which would skip the rest of the shutdown."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            names = ", ".join(served.name for served in self._service.catalogue)
            _logger.info("serving %s at %s/v1 (page: %s/, docs: %s/docs)", names, url, url, url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        seconds = self._service.settings.limits.shutdown_seconds
        under_way = len(self._service.live)
        _logger.info("stopping; %d requests may go on for %g s", under_way, seconds)
        timer = asyncio.get_running_loop().call_later(seconds, self._service.give_up)
        try:
            await super().shutdown(sockets)
        finally:
            timer.cancel()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        what = f"cannot listen on {host}:{port} ({error.strerror or error})"
        raise OSError(error.errno, f"{what}; choose another with --port") from error
    return listener
