"""Processes beside a service that work on its queue of jobs: they come when there is work, stand back, and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping

from sightline.core.errors import SightlineError
from sightline.server.service import Service

LOOK = 0.5  # seconds between two looks at the queue
AGAIN = 30.0  # seconds before a process that failed gets a successor
GENTLE = 10  # how far it stands back behind those who answer requests
LAST_WORDS = 2000  # bytes of what it said that are kept


async def tend(service: Service, registry: str | None) -> None:
    """As many processes as the settings say, one after another, while there is work and until this is cancelled."""
    if service.jobs is None or not service.settings.job_workers:
        return
    environment = {**os.environ, **({} if registry is None else {"SIGHTLINE_REGISTRY": registry})}
    await asyncio.gather(*(_hand(service, environment) for _ in range(service.settings.job_workers)))


async def _hand(service: Service, environment: Mapping[str, str]) -> None:
    while True:
        await asyncio.sleep(LOOK)
        try:
            waiting = service.jobs is not None and await asyncio.to_thread(service.jobs.waiting)
        except SightlineError as error:  # a database that is away for a while
            service.log("jobs", code=error.code)
            continue
        if waiting and not await _work(service, environment):
            await asyncio.sleep(AGAIN)


async def _work(service: Service, environment: Mapping[str, str]) -> bool:
    """One process from its start to its end; whether it ended well."""
    words = ("-m", "sightline", "jobs", "run", "--quiet")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, start_new_session=True,  # Ctrl-C is for the service, which ends it
    )  # fmt: skip
    try:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, GENTLE)
        _, said = await process.communicate()
    finally:
        if process.returncode is None:  # it is told to stop; what it holds is free again at once
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
    if process.returncode:
        service.log("jobs", why=said[-LAST_WORDS:].decode(errors="replace").strip(), status=process.returncode)
    return not process.returncode
