"""Where workers come from: a process that has loaded the libraries and forks, so that a new worker takes milliseconds.

The root holds libraries alone. For each version it forks a template, which opens the bundle, holds it to its golden
answers and measures it; from that template come its workers, which share its memory, give up what they do not need and
answer. So a version is verified once and is the same in all its workers; what is wrong with it kills its template at
most; and all its memory returns to the system when it leaves. Neither root nor template ever sees a stranger's byte.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

LARGEST = 2**16  # bytes of a message between front and nursery
FASTER = 0.9  # of the time of an item's pass, that a larger group must need at most to be made
WORTH = 0.02  # of all the time of an item, that it must save
ROUNDED = 1.1  # times the gap of golden answers that was seen at first, that another opening may have
CLOSE = 1e-6  # that an answer may change by with those it is computed beside
F_SETSIG = 10  # of Linux; Python has no name for it
GENTLE = 5  # how far a version that is being loaded stands back behind those that answer
GROUPS = (2, 4, 8, 16, 32)
TIMES = 3  # that each of them is timed
SEARCH = 3.0  # seconds after which no larger one is tried: somebody waits for this version


def main() -> None:  # pragma: no cover - runs in a process of its own
    """The root: load what every model needs, then fork templates."""
    control = socket.socket(fileno=int(sys.argv[1]))
    tie(int(sys.argv[2]))
    preload()
    Keeper(control, {"template": _template, "worker": _lone_worker}).live({"ready": os.getpid()})


def tie(leash: int) -> None:  # pragma: no cover - the same
    """Let the kernel end this process and all that come from it when the front, which holds the other end, has died.

    A worker may be stuck in a picture then, and would never see that nobody listens any more.
    """
    fcntl.fcntl(leash, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(leash, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)


def preload() -> None:
    """What every model needs, once, so that a version is there in the time that its own bytes take."""
    import cv2
    import numpy as np

    from sightline.core import catalog, decoding, encoding
    from sightline.predicting import model  # noqa: F401 - before anyone waits for it
    from sightline.serving import worker  # noqa: F401

    cv2.setNumThreads(1)
    for name in ("onnxruntime", "simplejpeg"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    catalog.find("exporters", "onnx")
    catalog.names("tasks")  # remembers what other packages offer
    for task in Path(__file__).parent.parent.joinpath("tasks").glob("[a-z]*.py"):  # ours alone: others may do anything
        catalog.find("tasks", task.stem)
    dot = np.zeros((8, 8, 3), np.uint8)
    decoding.decode_here(encoding.encode(dot))
    decoding.decode_here(catalog.find("decoders", "jpeg").encode(dot, 90))


@dataclass
class Keeper:
    """A process that forks children with a task each, and says which of them have ended and how."""

    control: socket.socket
    tasks: Mapping[str, Callable[[dict[str, Any], list[int]], None]]
    children: dict[int, str] = field(default_factory=dict)

    def live(self, hello: Mapping[str, Any]) -> None:  # pragma: no cover - the same
        """Until the front has gone."""
        inner, outer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(outer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        gc.collect()
        gc.freeze()  # so that counting does not copy what is shared
        self.say(hello)
        waiting = select.poll()
        waiting.register(self.control, select.POLLIN)
        waiting.register(inner, select.POLLIN)
        while True:
            ready = dict(waiting.poll())
            if inner in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(inner, 4096)
                self.reap()
            if self.control.fileno() in ready:
                try:
                    data, handles, _, _ = socket.recv_fds(self.control, LARGEST, 4)
                except ConnectionResetError:
                    data, handles = b"", []
                if not data:
                    os._exit(0)
                self.obey(json.loads(data), handles, (inner, outer))

    def obey(self, asked: dict[str, Any], handles: list[int], mine: tuple[int, int]) -> None:  # pragma: no cover
        """Fork a child that does what was asked with the handles that came along."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for handle in (*mine, self.control.detach()):
                    os.close(handle)
                self.tasks[asked["do"]](asked, handles)
                code = 0
            finally:
                os._exit(code)
        for handle in handles:
            os.close(handle)
        self.say({"forked": asked["ticket"], "pid": child})

    def reap(self) -> None:  # pragma: no cover - the same
        """Say who has ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == 0:
                    return
                self.say({"ended": child, "status": os.waitstatus_to_exitcode(status)})

    def say(self, told: Mapping[str, Any]) -> None:  # pragma: no cover - the same
        """One message; nobody is left to hear it where the front has gone."""
        try:
            self.control.send(json.dumps(told).encode())
        except OSError:
            os._exit(0)


def _template(asked: dict[str, Any], handles: list[int]) -> None:  # pragma: no cover - the same
    control = socket.socket(fileno=handles[0])
    before = _threads()
    told, warm = _aside(asked)
    told["shared"] = _alone(before)  # threads do not survive a fork: a runtime that has some is opened anew
    if warm is None:
        control.send(json.dumps(told).encode())
        return

    def work(order: dict[str, Any], given: list[int]) -> None:
        _work(warm, order, given)

    Keeper(control, {"worker": work}).live(told)


def _aside(asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:  # pragma: no cover - the same
    """Open a version in a thread that gives way to those who answer; this one, which forks, keeps its rank."""
    made: list[tuple[dict[str, Any], Any]] = []

    def work() -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), GENTLE)
        made.append(_opened(asked))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return made[0]


def _lone_worker(asked: dict[str, Any], handles: list[int]) -> None:  # pragma: no cover - the same
    told, warm = _opened(asked | {"batch": 1})
    if warm is None:
        raise SystemExit(told["refused"])
    _work(warm, asked, handles)


@dataclass(frozen=True)
class Warm:
    """A model that has given its golden answers, and those."""

    model: Any
    samples: list[Any]
    wanted: list[Any]
    seed: int
    tolerance: float


def _opened(asked: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    from sightline.core.errors import SightlineError

    begun = time.perf_counter()
    try:
        if asked["steps"]:
            from sightline.serving.stage import open_local

            ready = open_local(asked["steps"])
            return {"seconds": time.perf_counter() - begun, "each": 0.01, "group": 1, "apart": 0.0}, ready
        warm = open_warm(asked)
    except SightlineError as error:
        return {"refused": error.message}, None
    except MemoryError:
        return {"refused": "it needs more memory than there is."}, None
    except Exception as error:  # noqa: BLE001 - a model's own code may raise anything
        return {"refused": f"{type(error).__name__}: {error}"[:500]}, None
    groups = measured(warm, int(asked["batch"]))
    form = [warm.model.backend, warm.model.precision, warm.tolerance]  # what whoever comes later opens as well
    return {"seconds": time.perf_counter() - begun, "seal": warm.model.version, "form": form, **groups}, warm


def about(model: Any) -> dict[str, Any]:
    """What a model says of itself to whoever serves it."""
    return {
        "task": model.task_name, "kind": model.task.kind.__name__.lower(), "names": list(model.facts.names),
        "least": model.least, "several": model.task.several, "backend": model.backend,
        "precision": model.precision,
        "thresholds": dict(model.card["thresholds"]), "inputs": model.facts.to_json()["inputs"],
        "levels": [] if model.calibration.sets is None else list(map(float, model.calibration.sets.levels)),
    }  # fmt: skip


def open_warm(asked: Mapping[str, Any]) -> Warm:
    """A bundle opened, its seal the one that was registered, its golden answers given in time and without a NaN."""
    from sightline.core import bundle, golden
    from sightline.core.errors import BundleError
    from sightline.predicting.model import largest_gap, load
    from sightline.serving.worker import finite

    path = Path(asked["path"])
    backend, precision, allow = asked["form"] or (asked["backend"], "float32", asked["allow"])
    model = load(path, backend=backend, precision=precision, allow=allow, threads=1)
    if asked["seal"] and model.version != asked["seal"]:
        raise BundleError(f"its bytes are not those that were registered: seal {model.version[:12]}.")
    samples, wanted, seed = golden.unpack(bundle.load(path).files["golden.npz"])
    slowest, tolerance = 0.0, float(model.card["golden"]["tolerance"])
    for sample, answer in zip(samples, wanted, strict=True):
        begun = time.perf_counter()
        given = model.predict([sample], seed=seed)
        slowest = max(slowest, time.perf_counter() - begun)
        if not all(map(finite, given)):
            raise BundleError("a golden answer holds numbers that are none (NaN or infinite).")
        if slowest > asked["slow"]:
            raise BundleError(f"a golden answer took {slowest:.1f} s; the limit is {asked['slow']:g} s.")
        tolerance = max(tolerance, ROUNDED * largest_gap(given, [answer]))
    return Warm(model, samples, wanted, seed, tolerance)


def measured(warm: Warm, largest: int, clock: Callable[[], float] = time.process_time) -> dict[str, Any]:
    """Seconds of one answer, and the size of group from which an item is cheaper; 1 where none is.

    What a group saves is judged by the graph's passes: pictures are decoded one by one whatever their group. A group is
    only made where an item's answer does not depend on it: the gap that was found is said. The clock is the
    processor's, which others on the machine do not move.
    """
    samples = warm.samples
    if not samples:
        return {"each": 0.01, "group": 1, "apart": 0.0}
    begun = time.monotonic()
    alone = warm.model.predict(samples, seed=warm.seed)
    took = (time.monotonic() - begun) / len(samples)
    (each, best), group, apart = _timed(warm, [samples[0]], clock), 1, 0.0
    single, passing, widest = each, best, 0.0
    for size in GROUPS:
        if size > largest or time.monotonic() - begun + (1 + TIMES) * size * took > SEARCH:
            break
        mates = [samples[place % len(samples)] for place in range(size)]
        together = list(warm.model.predict_all(mates, seed=warm.seed, batch=size))
        gap = max(answer.gap(alone[place % len(samples)]) for place, (_, answer) in enumerate(together))
        if not gap <= CLOSE:
            break
        widest = max(widest, gap)
        least = _timed(warm, mates, clock)[1] / size
        if least <= FASTER * best and best - least >= WORTH * single:  # a larger one may pay where this one does not
            best, group, apart = least, size, widest
    return {"each": max(1e-5, single - (passing - best)), "single": single, "group": group, "apart": apart}


def _timed(warm: Warm, samples: list[Any], clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds of a group from its bytes to its answers, and of the graph's passes alone; the least of a few."""
    passes = [0.0]

    def run(arrays: Any) -> Any:
        began = clock()
        made = warm.model.run(arrays)
        passes[-1] += clock() - began
        return made

    model, spent = replace(warm.model, run=run), []
    for _ in range(TIMES):
        passes.append(0.0)
        begun = clock()
        list(model.predict_all(samples, seed=warm.seed, batch=len(samples)))
        spent.append(clock() - begun)
    return max(min(spent), 1e-5), min(passes[1:])


def _alone(before: int, patience: float = 0.2) -> bool:
    """Whether there are no more threads than before, once those that have ended are gone."""
    until = time.monotonic() + patience
    while _threads() > before:
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True


def _threads() -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return 2**16


def _work(warm: Any, asked: Mapping[str, Any], handles: list[int]) -> None:  # pragma: no cover - the same
    """What a worker does: confine, show that it can answer, answer."""
    from sightline.core import confining
    from sightline.predicting.model import largest_gap
    from sightline.serving import wire, worker

    door, memory = socket.socket(fileno=handles[0]), mmap.mmap(handles[1], wire.MARK.size)
    os.close(handles[1])
    protection = confining.confine(int(asked["room"]))
    if not isinstance(warm, Warm):
        from sightline.serving.stage import StageBench

        stage = StageBench(warm, worker.Mark(memory))
        hello = {"pid": os.getpid(), "protection": protection, "task": "steps", "names": [], "least": 0.0}
        worker.send(door.fileno(), wire.packed(hello))
        worker.serve(stage, door)
        return
    bench = worker.Bench(warm.model, worker.Mark(memory))
    gap = largest_gap(bench.model.predict(warm.samples[:1], seed=warm.seed), warm.wanted[:1])
    if not gap <= warm.tolerance:
        os._exit(3)
    bench.mark(0, wire.RESTING)
    worker.send(door.fileno(), wire.packed({"pid": os.getpid(), "protection": protection, **about(warm.model)}))
    worker.serve(bench, door)
