"""Cut the power of a registry at any moment, without any power being cut.

A process that uses a registry has every write, sync, rename and removal recorded by a small shim in C (`cc` builds
it). From the record states are built that a disk may show afterwards: what was synced is there; of what was not, any
part of it in pieces of 512 bytes, and any of the names that were given or taken, in any mixture. Each state must open,
pass every check, and hold whatever had been acknowledged.

    python benchmarks/reliability/registry_power.py --states 1000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static const char *room;
#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
static void whole(char *to, const char *path) {
  if (path[0] == '/') { snprintf(to, 4096, "%s", path); return; }
  char here[2048]; if (!getcwd(here, sizeof here)) here[0] = 0;
  snprintf(to, 4096, "%s/%s", here, path);
}
static int named(int fd, char *to) {
  char link[64]; snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, to, 4095); if (n < 0) return 0; to[n] = 0; return 1;
}
static void note(const char *what, const char *path, const char *other, long long at, const void *data, size_t size) {
  if (!room) { room = getenv("SHIM_ROOM"); if (!room) return; }
  if (strncmp(path, room, strlen(room))) return;
  ssize_t (*put)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  int (*begin)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
  pthread_mutex_lock(&turn);
  if (record < 0) record = begin(getenv("SHIM_RECORD"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  char head[9000];
  int n = snprintf(head, sizeof head, "%s\t%s\t%s\t%lld\t%zu\n", what, path, other, at, data ? size : 0);
  put(record, head, n); if (data) put(record, data, size);
  pthread_mutex_unlock(&turn);
}
static int opened(const char *path, int flags, int mode, int fd, int new) {
  char p[4096]; int keep = errno;
  if (fd >= 0 && (flags & (O_CREAT | O_TRUNC)) && (flags & O_ACCMODE) != O_RDONLY) {
    whole(p, path);
    if (new) note("create", p, "", 0, 0, 0); else if (flags & O_TRUNC) note("truncate", p, "", 0, 0, 0);
  }
  errno = keep; return fd;
}
#define OPEN(name) int name(const char *path, int flags, ...) { int mode = 0; \
  if (flags & O_CREAT) { va_list a; va_start(a, flags); mode = va_arg(a, int); va_end(a); } \
  struct stat s; int new = lstat(path, &s) != 0; int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name); \
  return opened(path, flags, mode, real(path, flags, mode), new); }
OPEN(open) OPEN(open64)
ssize_t write(int fd, const void *data, size_t size) {
  REAL(write); char p[4096]; long long at = lseek(fd, 0, SEEK_CUR); struct stat s;
  if (fcntl(fd, F_GETFL) & O_APPEND) { fstat(fd, &s); at = s.st_size; }
  ssize_t n = real(fd, data, size); int keep = errno;
  if (n > 0 && fd != record && named(fd, p)) note("write", p, "", at, data, n);
  errno = keep; return n; }
#define PWRITE(name) ssize_t name(int fd, const void *data, size_t size, off_t at) { REAL(name); char p[4096]; \
  ssize_t n = real(fd, data, size, at); int keep = errno; \
  if (n > 0 && named(fd, p)) note("write", p, "", at, data, n); errno = keep; return n; }
PWRITE(pwrite) PWRITE(pwrite64)
#define SYNC(name) int name(int fd) { REAL(name); char p[4096]; int n = real(fd), keep = errno; \
  if (!n && named(fd, p)) note("sync", p, "", 0, 0, 0); errno = keep; return n; }
SYNC(fsync) SYNC(fdatasync)
#define CUT(name) int name(int fd, off_t to) { REAL(name); char p[4096]; int n = real(fd, to), keep = errno; \
  if (!n && named(fd, p)) note("truncate", p, "", to, 0, 0); errno = keep; return n; }
CUT(ftruncate) CUT(ftruncate64)
int rename(const char *old, const char *new) { REAL(rename); char p[4096], q[4096]; whole(p, old); whole(q, new);
  int n = real(old, new), keep = errno; if (!n) note("rename", p, q, 0, 0, 0); errno = keep; return n; }
int unlink(const char *path) { REAL(unlink); char p[4096]; whole(p, path);
  int n = real(path), keep = errno; if (!n) note("unlink", p, "", 0, 0, 0); errno = keep; return n; }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); char p[4096]; whole(p, path);
  int n = real(path, mode), keep = errno; if (!n) note("mkdir", p, "", 0, 0, 0); errno = keep; return n; }
"""


@dataclass
class Op:
    """One recorded call."""

    what: str
    path: str
    other: str
    at: int
    data: bytes


@dataclass
class File:
    """What of a file is surely on the disk, and what may be."""

    surely: bytes = b""
    maybe: list[Op] = field(default_factory=list)

    def now(self) -> bytes:
        """As a running program sees it."""
        return build(self.surely, self.maybe)

    def sync(self) -> None:
        self.surely, self.maybe = self.now(), []

    def later(self, chance: random.Random, share: float) -> bytes:
        """As it may be found: each piece that was not synced with this chance."""
        pieces = [
            Op(op.what, op.path, "", op.at + start, op.data[start : start + SECTOR])
            for op in self.maybe
            for start in range(0, max(1, len(op.data)), SECTOR)
            if chance.random() < share
        ]
        return build(self.surely, pieces)


def build(data: bytes, ops: list[Op]) -> bytes:
    """Writes and cuts, one after the other."""
    made = bytearray(data)
    for op in ops:
        if op.what == "truncate":
            del made[op.at :]
            made.extend(bytes(op.at - len(made)))
        else:
            made.extend(bytes(max(0, op.at - len(made))))
            made[op.at : op.at + len(op.data)] = op.data
    return bytes(made)


FOLDER = "folder"


class Disk:
    """Names and files, as far as they were synced, and the changes of names that were not."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.surely: dict[str, Any] = {}  # path -> File or FOLDER
        self.now: dict[str, Any] = {}
        self.waiting: dict[str, list[tuple[str, Any]]] = {}  # folder -> names given (a file) and taken (None)

    def do(self, op: Op) -> None:
        """One call."""
        if op.path.endswith("-shm"):
            return  # shared memory: it is built anew
        if op.what in ("create", "mkdir"):
            self._name(op.path, File() if op.what == "create" else FOLDER)
        elif op.what in ("write", "truncate"):
            self.now[op.path].maybe.append(op)
        elif op.what == "unlink":
            self._name(op.path, None)
        elif op.what == "rename":
            held = self.now[op.path]
            self._name(op.path, None)
            self._name(op.other, held)
        elif op.path in self.waiting or self.now.get(op.path) == FOLDER or op.path == self.room:
            for path, held in self.waiting.pop(op.path, []):
                _put(self.surely, path, held)
        elif op.path in self.now:
            self.now[op.path].sync()

    def _name(self, path: str, held: Any) -> None:
        _put(self.now, path, held)
        self.waiting.setdefault(str(Path(path).parent), []).append((path, held))

    def later(self, chance: random.Random, share: float) -> dict[str, Any]:
        """Names as they may be found: of those that were not synced, each with this chance."""
        names = dict(self.surely)
        for changes in self.waiting.values():
            for path, held in changes:
                if chance.random() < share:
                    _put(names, path, held)
        kept = {}
        for path in sorted(names):
            folder = str(Path(path).parent)
            if folder == self.room or kept.get(folder) == FOLDER:
                kept[path] = names[path]
        return kept

    def write(self, target: Path, chance: random.Random) -> None:
        """One state, as real files."""
        names, pieces = (chance.choice((0.0, 0.5, 0.9, 1.0)) for _ in range(2))
        for path, held in self.later(chance, names).items():
            place = target / os.path.relpath(path, self.room)
            if held == FOLDER:
                place.mkdir()
            else:
                place.write_bytes(held.later(chance, pieces))


def _put(names: dict[str, Any], path: str, held: Any) -> None:
    if held is None:
        names.pop(path, None)
    else:
        names[path] = held


def read(record: Path) -> list[Op]:
    """The record, call by call."""
    data, place, found = record.read_bytes(), 0, []
    while place < len(data):
        end = data.index(b"\n", place)
        what, path, other, at, size = data[place:end].decode().split("\t")
        place = end + 1 + int(size)
        found.append(Op(what, path, other, int(at), data[end + 1 : place]))
    return found


def use(room: Path) -> None:
    """What is recorded: a registry used as it is used, closed and opened again, with checkpoints on the way."""
    from benchmarks.reliability.registry import packet
    from sightline.registering.registry import open_registry

    acks = os.open(room / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def told(**row: Any) -> None:
        os.write(acks, (json.dumps(row) + "\n").encode())

    for turn in range(4):
        with open_registry(room / "registry", who=f"turn-{turn}") as registry:
            for number in range(3):
                version = registry.keep("parts", packet(3 * turn + number))
                told(number=version.number, seal=version.seal)
                if number == 1:
                    registry.promote("parts", version.number)
                    told(champion=version.number)
                if number == 2 and turn % 2:
                    with registry.database.read() as connection:
                        connection.exec_driver_sql("PRAGMA query_only=OFF")
                    with registry.database._engine.connect() as connection:
                        connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)")
            if turn == 2:
                registry.delete("parts", 3)
                told(deleted=3)
                registry.gc(grace=0.0)


def power(room: Path, states: int, seed: int = 0) -> dict[str, Any]:
    """Record once, then cut the power `states` times."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return {"left_out": "no C compiler here: apt-get install gcc"}
    work = Path(tempfile.mkdtemp(prefix="power-", dir=room))
    (work / "shim.c").write_text(SHIM)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", work / "shim.so", work / "shim.c", "-ldl"], check=True
    )
    used = work / "used"
    used.mkdir()
    environment = {**os.environ, "LD_PRELOAD": str(work / "shim.so"), "SHIM_ROOM": str(used)}
    environment |= {"SHIM_RECORD": str(work / "record"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    code = "import sys, pathlib; from benchmarks.reliability.registry_power import use; use(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, used], env=environment, check=True)
    ops, chance, wrong = read(work / "record"), random.Random(seed), []
    disk = Disk(str(used))
    for op in ops:
        disk.do(op)
    wrong += [f"recorded wrongly: {path}" for path in differing(disk, used)]
    moments = sorted(chance.randrange(len(ops) + 1) for _ in range(states))
    disk, done, rows = Disk(str(used)), 0, []
    for number, moment in enumerate(moments):
        for op in ops[done:moment]:
            if op.path.endswith("/acks"):
                rows += [json.loads(line) for line in op.data.splitlines()]
            else:
                disk.do(op)
        done = moment
        target = work / "state"
        target.mkdir()
        disk.write(target, chance)
        wrong += [f"state {number}, after call {moment}: {line}" for line in judged(target / "registry", rows)]
        shutil.rmtree(target)
    syncs = sum(op.what == "sync" for op in ops)
    shutil.rmtree(work)
    return {
        "calls": len(ops),
        "syncs": syncs,
        "states": states,
        "wrong": len(wrong),
        "shown": wrong[:5],
        "broken": bool(wrong),
    }


def differing(disk: Disk, used: Path) -> list[str]:
    """Whether the record tells of what really lies there now."""
    found = []
    for path, held in disk.now.items():
        if held != FOLDER and not path.endswith("/acks") and held.now() != Path(path).read_bytes():
            found.append(path)
    there = {str(path) for path in used.rglob("*")} - {str(used / "acks")}
    return found + sorted(there ^ (set(disk.now) - {str(used / "acks")}))


def judged(place: Path, rows: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a registry that was found so, `rows` having been acknowledged."""
    from sightline.core.errors import SightlineError
    from sightline.registering.registry import open_registry

    try:
        with open_registry(place, who="judge") as registry:
            found = list(registry.fsck().problems)
            there = {version.number: version for version in registry.versions(deleted=True)}
            champions = [0, *(row["champion"] for row in rows if "champion" in row)]
            for row in rows:
                if "seal" in row and (row["number"] not in there or there[row["number"]].seal != row["seal"]):
                    found.append(f"version {row['number']} is lost")
                if "deleted" in row and not there[row["deleted"]].deleted:
                    found.append("a deletion is undone")
            if there and registry.aliases("parts")["champion"] < champions[-1]:
                found.append("the champion is an older one")
            return found
    except SightlineError as error:
        return [error.message]


def main() -> None:
    """Print one document."""
    from benchmarks.reliability.servers import machine

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--states", type=int, default=1000)
    asked = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="sightline-power-"))
    answer = power(room, asked.states)
    shutil.rmtree(room, ignore_errors=True)
    print(json.dumps({"machine": machine(), **answer}))
    sys.exit(answer.get("broken", False))


if __name__ == "__main__":
    main()
