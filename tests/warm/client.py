"""Stands for a fresh interpreter: hands over words, folder, environment and streams, passes signals on, ends alike."""

import array
import contextlib
import json
import os
import select
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # until there is somebody to pass them on to
    door = socket.socket(socket.AF_UNIX)
    door.connect(sys.argv[1])
    request = json.dumps({"words": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}).encode()
    streams = array.array("i", [0, 1, 2])
    door.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    door.sendall(request)
    answers = door.makefile("rb", buffering=0)
    pid = int(answers.readline())
    come, noted = os.pipe()  # a signal that comes just before waiting begins wakes it all the same
    os.set_blocking(noted, False)
    signal.set_wakeup_fd(noted)
    for number in PASSED_ON:
        signal.signal(number, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    while door not in (ready := select.select([door, come], [], [])[0]):
        for number in os.read(come, 64) if ready else b"":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
    status = int(answers.readline() or -signal.SIGKILL)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
