"""What a process gives up before it touches strangers' bytes: files, network, other programs, memory without end.

Three layers, each where the system has it: resource limits everywhere, Landlock and seccomp on Linux. What could be
had is answered, so that nobody believes in a wall that is not there.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import resource
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "PIL", "simplejpeg", "imagecodecs", "tifffile", "pi_heif", "rawpy")
FILES = 64  # handles that may be open at a time
CPU = 1800  # seconds of processor time in a worker's life

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Calls that are refused: network, other programs and processes, changing files, memory and keys shared with others,
# the system itself. x86_64, aarch64; None where there is no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "bind": (49, 200),
    "listen": (50, 201), "sendmmsg": (307, 269), "recvmmsg": (299, 243),
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "setpgid": (109, 154), "setsid": (112, 157), "unshare": (272, 97), "setns": (308, 268), "personality": (135, 92),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "truncate": (76, 45),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "unlink": (87, None), "unlinkat": (263, 35), "mkdir": (83, None),
    "mkdirat": (258, 34), "rmdir": (84, None), "mknod": (133, None), "mknodat": (259, 33), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "utimensat": (280, 88),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "msgget": (68, 186),
    "mq_open": (240, 180), "memfd_create": (319, 279), "userfaultfd": (323, 282), "io_setup": (206, 0),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "setrlimit": (160, 164), "syslog": (103, 116), "reboot": (169, 142), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "sethostname": (170, 161),
    "setdomainname": (171, 162), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
}  # fmt: skip
_CLONE, _PRLIMIT = {"x86_64": 56, "aarch64": 220}, {"x86_64": 302, "aarch64": 261}
_CLONE3, _FIRST_NEW, _NEW = 435, 424, (436, 437, 439, 449)  # close_range, openat2, faccessat2, futex_waitv
_THREAD = 0x00010000  # the flag of clone that makes a thread, not a process


def confine(room: int) -> dict[str, Any]:  # pragma: no cover - runs where nothing can be written down
    """Give up everything that decoding does not need, for good; answers which layers hold."""
    told = {"limits": _limit(room), "landlock": 0, "seccomp": False, "system": platform.system()}
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(38, 1, 0, 0, 0) == 0:  # no new privileges
            told["landlock"] = _fence(library)
            told["seccomp"] = _filter(library)
    return told


def _limit(room: int) -> bool:  # pragma: no cover - the same
    """Memory, processor time, handles, and not a byte written to a file."""
    used = 0
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        used = int(statistics.read_text().split()[0]) * resource.getpagesize()
    wanted = {
        resource.RLIMIT_AS: used + room,
        resource.RLIMIT_CPU: CPU,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    held = True
    for name, most in wanted.items():
        hard = resource.getrlimit(name)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(name, (most, most))
        except (ValueError, OSError):  # some systems have no limit of this kind
            held = False
    return held


def readable() -> list[Path]:
    """Where libraries lie: all that may still be read, since decoders are loaded when they are first needed."""
    places = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    places += ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"]
    found = {Path(place).resolve() for place in places}
    found.add(Path(__file__).resolve().parent.parent)  # of ours nothing but the package, wherever it lies
    for name in LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec and spec.origin:
            found.add(Path(spec.origin).resolve().parent.parent)
    return sorted(place for place in found if place.exists() and place != Path("/"))


def _fence(library: Any) -> int:  # pragma: no cover - the same
    """Landlock: no file but those of `readable`, no network, no signals to others. Answers its version, or 0."""
    version = library.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return 0
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    asked = struct.pack("=QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    asked = asked[: 8 if version < 4 else 16 if version < 6 else 24]
    fence = library.syscall(444, asked, ctypes.c_size_t(len(asked)), ctypes.c_uint32(0))
    if fence < 0:
        return 0
    for place in readable():
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
        rights = (1 << 2 | 1 << 3) if place.is_dir() else 1 << 2  # read files, list folders
        library.syscall(445, fence, 1, struct.pack("=Qi", rights, handle), ctypes.c_uint32(0))
        os.close(handle)
    done = library.syscall(446, fence, ctypes.c_uint32(0))
    os.close(fence)
    return int(version) if done == 0 else 0


def program(machine: str) -> bytes:
    """The filter of system calls for a machine, in the code that the kernel runs."""
    column = 0 if machine == "x86_64" else 1
    load, equal, at_least, test, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, absent, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000  # EPERM, ENOSYS

    def step(code: int, value: int, then: int = 0, other: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, other, value)

    parts = [step(load, 4), step(equal, _ARCHITECTURES[machine], 1, 0), step(answer, kill), step(load, 0)]
    if machine == "x86_64":  # the second door to the same calls
        parts += [step(at_least, 0x40000000, 0, 1), step(answer, absent)]
    for number in sorted(row[column] for row in _REFUSED.values() if row[column] is not None):  # type: ignore[type-var]
        parts += [step(equal, number or 0, 0, 1), step(answer, refuse)]
    parts += [step(equal, _CLONE[machine], 0, 4), step(load, 16), step(test, _THREAD, 0, 1)]
    parts += [step(answer, allow), step(answer, refuse)]
    parts += [step(equal, _PRLIMIT[machine], 0, 6), step(load, 32), step(equal, 0, 0, 3)]  # asking is fine, setting not
    parts += [step(load, 36), step(equal, 0, 0, 1), step(answer, allow), step(answer, refuse)]
    parts += [step(equal, _CLONE3, 0, 1), step(answer, absent)]
    for number in _NEW:
        parts += [step(equal, number, 0, 1), step(answer, allow)]
    parts += [step(at_least, _FIRST_NEW, 0, 1), step(answer, absent), step(answer, allow)]
    return b"".join(parts)


def _filter(library: Any) -> bool:  # pragma: no cover - the same
    """seccomp: the calls above answer `not permitted`, and calls newer than this list `not there`."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    code = program(machine)
    held = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    return bool(library.prctl(22, 2, head, 0, 0) == 0)
