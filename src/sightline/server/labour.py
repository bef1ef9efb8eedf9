"""Processes beside a service that work on its queues of jobs and of trainings: they come when there is work, and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sightline.core.errors import SightlineError
from sightline.server.service import Service

LOOK = 0.5  # seconds between two looks at the queue
AGAIN = 30.0  # seconds before a process that failed gets a successor
GENTLE = 10  # how far it stands back behind those who answer requests
FIRST_TO_GO = "500"  # where memory ends, the system takes it before those who answer
LAST_WORDS = 2000  # bytes of what it said that are kept


async def tend(service: Service, registry: str | None) -> None:
    """As many processes as the settings say, one after another, while there is work and until this is cancelled."""
    environment = {**os.environ, **({} if registry is None else {"SIGHTLINE_REGISTRY": registry})}
    settings, work = service.settings, list[tuple[str, Callable[[], bool], Mapping[str, str]]]()
    if service.jobs is not None:
        work += [("jobs", service.jobs.waiting, environment)] * settings.job_workers
    if service.teaching is not None:
        apart = {"SIGHTLINE_GUARDED": "1", **environment}  # strangers' pictures are decoded behind the walls there too
        work += [("trainings", service.teaching.trainings.waiting, apart)] * settings.train_workers
    await asyncio.gather(*(_hand(service, *each) for each in work))


async def _hand(service: Service, queue: str, waits: Callable[[], bool], environment: Mapping[str, str]) -> None:
    while True:
        await asyncio.sleep(LOOK)
        try:
            waiting = await asyncio.to_thread(waits)
        except SightlineError as error:  # a database that is away for a while
            service.log(queue, code=error.code)
            continue
        if waiting and not await _work(service, queue, environment):
            await asyncio.sleep(AGAIN)


async def _work(service: Service, queue: str, environment: Mapping[str, str]) -> bool:
    """One process from its start to its end; whether it ended well."""
    words = ("-m", "sightline", queue, "run", "--quiet")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, start_new_session=True,  # Ctrl-C is for the service, which ends it
    )  # fmt: skip
    try:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, GENTLE)
            Path(f"/proc/{process.pid}/oom_score_adj").write_text(FIRST_TO_GO)
        _, said = await process.communicate()
    finally:
        if process.returncode is None:  # it is told to stop; what it holds is free again at once
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()
    if process.returncode:
        service.log(queue, why=said[-LAST_WORDS:].decode(errors="replace").strip(), status=process.returncode)
    return not process.returncode
