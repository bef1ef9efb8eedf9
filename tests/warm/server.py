"""Loads the libraries, then forks: a keeper for each request, who forks the command itself and tells how it ended."""

import atexit
import contextlib
import importlib
import io
import json
import logging
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
import types
from pathlib import Path

import operators

os.environ["ORT_DISABLE_TELEMETRY"] = "1"


LIBRARIES = (
    *("cv2", "matplotlib.backends.backend_svg", "matplotlib.figure", "onnxruntime", "pydantic", "scipy.stats"),
    *("sympy", "torch.onnx", "typer"),
)


def load() -> None:
    """What is slow to import, and by an export of almost nothing what only exporting imports and looks up."""
    for name in LIBRARIES:
        importlib.import_module(name)
    import torch
    from tqdm import tqdm

    log = logging.getLogger("torch.onnx")
    usual, tqdm.monitor_interval = tqdm.monitor_interval, 0  # a thread, and threads do not survive a fork
    log.setLevel(logging.ERROR)
    torch.onnx.export(torch.nn.Identity().eval(), (torch.zeros(1),), dynamo=True, verbose=False)
    log.setLevel(logging.NOTSET)
    tqdm.monitor_interval = usual
    if look := operators.look_up_once():
        look()


def serve(place: str) -> None:
    """Until whoever started this ends: its end of standard input closes."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(place + ".new")
    door.listen(64)
    os.rename(place + ".new", place)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are nobody's
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
        held, _ = door.accept()
        if os.fork() == 0:
            door.close()
            try:
                keep(held)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        held.close()


def keep(held: socket.socket) -> None:
    """Fork what is asked for, wait for its end, tell it; whoever asks and is killed takes it along."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, streams, _, _ = socket.recv_fds(held, 4, 3)
    with held.makefile("rb") as said:
        request = said.read(int.from_bytes(size, "big"))
    pid = os.fork()
    if pid == 0:
        held.close()
        begin(json.loads(request), streams)
    ends, over = os.pidfd_open(pid), False
    with contextlib.suppress(BrokenPipeError):  # whoever asked may be gone before it hears who works for it
        held.sendall(b"%d\n" % pid)
        over = ends in select.select([held, ends], [], [])[0]
    if not over:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        held.sendall(b"%d\n" % status)


def begin(asked: dict, streams: list[int]) -> None:
    """Become what a fresh interpreter with these words would be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    atexit._clear()  # the end of the libraries is that of the process which loaded them
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
    told = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(told, "utf-8", "backslashreplace", line_buffering=True)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    option, target, *words = asked["words"]
    more = [one for one in asked["env"].get("PYTHONPATH", "").split(os.pathsep) if one]
    sys.path[:] = ["" if option == "-c" else asked["cwd"], *more, *sys.path[1:]]
    sys.argv = [option, *words]
    sys.modules["__main__"] = types.ModuleType("__main__")
    os._exit(ended(option, target))


def ended(option: str, target: str) -> int:
    """Run it as the main module, and all that an interpreter does at its end but destroying what C++ holds."""
    status = 0
    try:
        if option == "-m":
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            exec(compile(target, "<string>", "exec"), vars(sys.modules["__main__"]))
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
        if left.code is not None and not isinstance(left.code, int):
            print(left.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status & 0xFF


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    sys.path.insert(0, "")
    load()
    serve(sys.argv[1])
    shutil.rmtree(Path(sys.argv[1]).parent)
    os._exit(0)
