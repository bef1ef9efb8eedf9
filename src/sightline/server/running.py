"""The life of a service: it listens, answers, and on the first signal lets go without losing what it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from sightline.core.errors import SettingsError, SightlineError
from sightline.core.progress import Event
from sightline.server import labour, protocol
from sightline.server.service import Service
from sightline.server.settings import ServerSettings

AHEAD = 2**17  # bytes that the system takes in before anybody reads them: what is refused has to be dropped
TICK = 1.0  # seconds between two looks at tokens and models


def listen(settings: ServerSettings) -> socket.socket:
    """The socket, bound before anything is loaded, so that a port that is taken is known at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, AHEAD)  # of each connection
        if settings.reuse_port:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        held.close()
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {os.strerror(error.errno or 0)}. "
            "Take another --port; with --reuse-port a second service may share one."
        ) from error
    held.setblocking(False)
    return held


async def serve(
    service: Service, held: socket.socket, started: Callable[[], None] = lambda: None, registry: str | None = None
) -> None:
    """Answer on this socket until a signal says otherwise; jobs are those beside this registry."""
    from sightline.server.app import made

    server = _server(service, made(service))
    service.source_changed()
    await service.engine.start()
    held.listen(2048)
    ticking = asyncio.create_task(_tick(service))
    watching = asyncio.create_task(protocol.watch(server.server_state.connections))
    tending = asyncio.create_task(_tend(service))
    labouring = asyncio.create_task(labour.tend(service, registry))
    service.log("started", host=service.settings.host, port=held.getsockname()[1], models=sorted(service.models))
    try:
        with _signals(service, server):
            started()
            await server.serve(sockets=[held])
    finally:
        for task in (ticking, watching, tending, labouring):
            task.cancel()
        await asyncio.wait([labouring])  # its processes have ended
        left = 0.0 if server.force_exit else max(0.0, server.until - time.monotonic())
        await service.engine.stop(left)
        service.log("stopped", host=service.settings.host)


def run(
    service: Service, held: socket.socket, started: Callable[[], None] = lambda: None, registry: str | None = None
) -> None:
    """`serve` on a fast event loop."""
    if sys.platform == "win32":
        asyncio.run(serve(service, held, started, registry))
        return
    from sightline.core.extras import need

    with asyncio.Runner(loop_factory=need("uvloop").new_event_loop) as runner:
        runner.run(serve(service, held, started, registry))


async def _tick(service: Service) -> None:
    while True:
        await asyncio.sleep(TICK)
        trouble = service.keeper.trouble
        service.keeper.refresh()
        if service.keeper.trouble and service.keeper.trouble != trouble:
            service.log("tokens", why="the file of tokens cannot be read anew; the old ones hold")
        try:
            await asyncio.to_thread(service.source_changed)
        except SightlineError as error:  # a database that is away for a while: what is known goes on
            service.log("source", code=error.code)


async def _tend(service: Service) -> None:
    """Move canaries on, or pull them back, by what the log says of them."""
    from sightline.serving import canaries

    while service.predictions is not None:
        await asyncio.sleep(canaries.EVERY)

        def tell(event: Event) -> None:
            service.log("canary", why=event.text)

        try:
            await asyncio.to_thread(canaries.tend_all, service.source, service.predictions, tell=tell)
        except SightlineError as error:
            service.log("canary", why=error.message)


@contextlib.contextmanager
def _signals(service: Service, server: Any) -> Iterator[None]:
    """The first signal drains, the second one ends."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        if service.draining:
            server.force_exit = True
            service.log("forced")
        else:
            service.draining = True  # readiness says no from this very moment
            service.log("draining")
            server.should_exit = True

    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _server(service: Service, app: Any) -> Any:
    from uvicorn import Config, Server

    settings = service.settings
    config = Config(
        app, http=protocol.made(settings), loop="none", lifespan="off", ws="none", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_keep_alive=round(settings.idle_seconds),
    )  # fmt: skip

    class Draining(Server):
        """uvicorn's server, which stops in our way."""

        until = 0.0

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Ours are set already."""
            yield

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """Go on answering for a moment; then take what has knocked, close the door, and finish."""
            self.until = time.monotonic() + settings.drain
            await self._pause(settings.linger)
            kept = [held.dup() for held in sockets or []]
            for server in self.servers:
                server.close()
            for held in kept:
                await self._last(held)
            while self.server_state.connections and time.monotonic() < self.until and not self.force_exit:
                for one in list(self.server_state.connections):
                    one.shutdown()
                await asyncio.sleep(0.02)
            for task in list(self.server_state.tasks):
                task.cancel()
            for one in list(self.server_state.connections):
                one.transport.abort()

        async def _pause(self, seconds: float) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not self.force_exit:
                await asyncio.sleep(0.02)

        async def _last(self, held: socket.socket) -> None:
            """Connections that are made, and not yet taken, would die with the socket."""
            loop = asyncio.get_running_loop()
            with held:
                while True:
                    try:
                        one, _ = held.accept()
                    except OSError:
                        return
                    one.setblocking(False)
                    await loop.connect_accepted_socket(self._protocol, one)

        def _protocol(self) -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state={}
            )
            return made

    return Draining(config)
