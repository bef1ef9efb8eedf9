"""Several processes that take each step together: they share out its samples and add up their gradients."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sightline.core.errors import RunError, SettingsError

Kind = TypeVar("Kind")
_PATIENCE = timedelta(days=2)  # one process validates while the others wait; the end of a process is noticed at once


@dataclass(frozen=True, slots=True)
class Team:
    """What a process can ask of the others; one process alone asks nobody. All of a team ask in the same order."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes, validates and speaks for all."""
        return self.rank == 0

    def share(self, rows: Sequence[int]) -> list[int]:
        """The rows of a batch that this process takes."""
        return list(rows[self.rank :: self.size])

    def in_turn(self, make: Callable[[], Kind]) -> Kind:
        """Made by the first process, then by the others, who may read what it wrote."""
        if self.first:
            made = make()
            self.gather(None)
            return made
        self.gather(None)
        return make()

    def gather(self, mine: Any) -> list[Any]:
        """What every process has to say, as plain JSON, in the order of their ranks."""
        if self.size == 1:
            return [mine]
        import torch.distributed as together

        data = torch.frombuffer(bytearray(json.dumps(mine).encode()), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        with _ending():
            together.all_gather(lengths, torch.tensor([len(data)]))
            longest = max(int(length) for length in lengths)
            padded = torch.zeros(longest, dtype=torch.uint8)
            padded[: len(data)] = data
            said = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
            together.all_gather(said, padded)
        return [json.loads(bytes(words[: int(length)].numpy())) for words, length in zip(said, lengths, strict=True)]

    def from_first(self, mine: Any) -> Any:
        """What the first process says; the others need not know it."""
        return self.gather(mine if self.first else None)[0]

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sum the gradients over the processes, in one message; who has none counts as zero."""
        if self.size == 1 or not parameters:
            return
        import torch.distributed as together

        have = torch.tensor([0.0 if p.grad is None else 1.0 for p in parameters], device=parameters[0].device)
        flat = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        whole = torch.cat([have, *(gradient.reshape(-1).float() for gradient in flat)])
        with _ending():
            together.all_reduce(whole)
        place = len(parameters)
        for index, parameter in enumerate(parameters):
            if whole[index] > 0:
                part = whole[place : place + parameter.numel()].reshape(parameter.shape).to(parameter.dtype)
                parameter.grad = torch.empty_like(parameter).copy_(part)  # in the layout of the weight
            place += parameter.numel()

    @torch.no_grad()
    def level(self, buffers: Sequence[Tensor]) -> None:
        """Every process gets the mean of what each saw: running means are of all samples, not of one share."""
        moving = [buffer for buffer in buffers if buffer.is_floating_point()]
        if self.size == 1 or not moving:
            return
        import torch.distributed as together

        whole = torch.cat([buffer.reshape(-1).float() for buffer in moving])
        with _ending():
            together.all_reduce(whole)
        place = 0
        for buffer in moving:
            buffer.copy_(whole[place : place + buffer.numel()].reshape(buffer.shape) / self.size)
            place += buffer.numel()


ALONE = Team()


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """A process that is gone is a typed error of those that are left."""
    try:
        yield
    except RuntimeError as error:
        raise RunError(
            "another process of this run has ended, so this one stops too; the same command continues from the last "
            f"checkpoint ({str(error).splitlines()[0][:120]})."
        ) from error


@contextlib.contextmanager
def joined(rank: int, size: int, meeting: Path, device: str) -> Iterator[Team]:
    """This process as one of a team that meets at a file."""
    import torch.distributed as together

    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all of them are on this machine
    backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
    store = together.FileStore(str(meeting), size)  # type: ignore[attr-defined]  # public, not re-exported
    with _ending():
        together.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
    try:
        yield Team(rank, size)
    finally:
        together.destroy_process_group()


@contextlib.contextmanager
def led(run: Path, size: int, device: str) -> Iterator[Team]:
    """The first process of a team; the others are started here and do not outlive it."""
    if size == 1:
        yield ALONE
        return
    kind = torch.device(device).type
    if kind not in ("cpu", "cuda"):
        raise SettingsError(f"train.processes = {size}: several processes compute on cpu or cuda, not on {kind}.")
    if kind == "cuda" and torch.cuda.device_count() < size:
        raise SettingsError(f"train.processes = {size}: this machine has {torch.cuda.device_count()} accelerators.")
    with tempfile.TemporaryDirectory(prefix="sightline-team-") as folder:
        meeting = Path(folder) / "meeting"
        started = [_start(run, rank, size, meeting) for rank in range(1, size)]
        try:
            _await(started, meeting)
            with joined(0, size, meeting, device) as team:
                yield team
            for other in started:
                other.wait(timeout=60)
        except RunError as error:
            ended = [f"process {rank} ended with {code}" for rank, code in _ended(started)]
            if ended and error.code == "run" and "another process" in error.message:
                raise RunError(f"{'; '.join(ended)}. {error.message}") from error
            raise
        finally:
            for other in started:
                other.kill()
                other.communicate()


def _start(run: Path, rank: int, size: int, meeting: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sightline.training", str(run), str(rank), str(size), str(meeting)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def ready(meeting: Path, rank: int) -> None:
    """Say that this process has its data and comes to the meeting now."""
    meeting.with_name(f"ready-{rank}").touch()


def _await(started: Sequence[subprocess.Popen[bytes]], meeting: Path) -> None:
    """Until all others are ready; one that ends before has said why on standard error."""
    for rank, other in enumerate(started, 1):
        while not meeting.with_name(f"ready-{rank}").exists():
            if code := other.poll():
                raise RunError(f"process {rank} ended with {code} before the first step; its reason stands above.")
            time.sleep(0.02)


def _ended(started: Sequence[subprocess.Popen[bytes]]) -> list[tuple[int, int]]:
    """Which of the others are gone, and how; one that is just going is given a moment."""
    ended = []
    for rank, other in enumerate(started, 1):
        with contextlib.suppress(subprocess.TimeoutExpired):
            if code := other.wait(timeout=2):
                ended.append((rank, code))
    return ended
