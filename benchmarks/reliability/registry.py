"""Kill, crowd, damage and cut the power of a registry, and count what it lost: nothing may be.

    python benchmarks/reliability/registry.py                      # SQLite, everything
    python benchmarks/reliability/registry.py --only kills backups --loops 20
    python benchmarks/reliability/registry.py --postgres           # the same on a server that this starts

| name | what is done |
|---|---|
| kills | writers and readers are killed with SIGKILL at random moments; every acknowledged change must be there |
| numbers | processes register versions at once: numbers unique and without a gap |
| flips | an alias moves while others read: nothing missing, no version mixed of two |
| files | single bits are flipped in files; collections run without grace beside writers |
| power | writes, syncs and renames are recorded; states that a power loss may leave are built (`registry_power.py`) |
| backups | backups while others write, delete and collect: each is restored and checked |
| steps | migrations killed at every statement, both ways; first starts at once; a newer schema refused |

Prints one JSON document; ends with 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sqlalchemy

from benchmarks.reliability.servers import Server, machine
from sightline.core import archive, bundle, files
from sightline.core.database import open_database
from sightline.core.errors import RegistryError, SightlineError, StorageError
from sightline.core.schema import Schema, Step, migrate
from sightline.registering.packing import Packed
from sightline.registering.registry import Registry, open_registry
from sightline.registering.tables import SCHEMA

NAMES = ("parts", "shapes", "cells")


def packet(number: int) -> Packed:
    """A bundle in memory whose card and manifest both say its number."""
    card = f"# model {number}\n".encode() * 50
    plain: dict[str, Any] = {"task": "sort", "model": "small", "data": {"name": "drawn:parts"}, "number": number}
    plain |= {"format": bundle.FORMAT, "needs": bundle.NEEDS}
    plain["files"] = {"card.md": {"size": len(card), "sha256": files.digest(card)}}
    plain["seal"] = files.digest(files.canonical(plain))
    data = archive.pack({"card.md": card, bundle.MANIFEST: files.canonical(plain)}, "packet")
    facts = {"task": "sort", "model": "small", "figures": [], "lineage": {"data": plain["data"]}}
    return Packed(data, files.digest(data), plain["seal"], facts, "parts")


def whole(path: Path, seal: str) -> bool:
    """Whether a bundle is that of its row, and its members are of one bundle."""
    held = bundle.load(path)
    return held.version == seal and held.files["card.md"].startswith(f"# model {held.model['number']}\n".encode())


@dataclass
class Site:
    """Where one experiment keeps its registry."""

    room: Path
    server: Server | None = None
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:12]}")
    template: str = ""

    def __post_init__(self) -> None:
        self.room = self.room / self.name
        self.room.mkdir(parents=True)
        if self.server is not None:
            self.server.create(self.name, self.template)

    @property
    def place(self) -> str:
        return str(self.room / "registry") if self.server is None else self.server.url(self.name)

    @property
    def database(self) -> str:
        return f"{self.place}/registry.db" if self.server is None else self.place

    def open(self, who: str = "") -> Registry:
        return open_registry(self.place, blobs=self.room / "blobs", who=who)

    def copied(self) -> Site:
        """Another one with the same content, nobody using this one."""
        if self.server is not None:
            return Site(self.room.parent, self.server, template=self.name)
        made = Site(self.room.parent)
        shutil.copytree(self.room, made.room, dirs_exist_ok=True)
        return made

    def remove(self) -> None:
        shutil.rmtree(self.room, ignore_errors=True)
        if self.server is not None:
            self.server.drop(self.name)


def forked(work: Callable[[], object]) -> int:
    """A process that does this and ends with 0, or with 1 and a line of why."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        work()
        os._exit(0)
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {str(error)[:300]}\n")
        sys.stderr.flush()
        os._exit(1)


def ended(children: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in children]


@contextlib.contextmanager
def beside(works: list[Callable[[], object]]) -> Iterator[None]:
    """Processes that go on until the block ends; then they are killed."""
    children = [forked(work) for work in works]
    try:
        yield
    finally:
        for one in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        ended(children)


# ------------------------------------------------------------------------------------------------------------- kills


def write_forever(site: Site, writer: int, turn: int, acks: Path) -> None:
    """Change things at random; each change is noted, synced, after it was acknowledged."""
    chance = random.Random(f"{writer} {turn} {os.getpid()}")
    note = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    count = 0
    with site.open() as registry:
        while True:
            count += 1
            who = f"{writer}.{turn}.{count}"
            acting = registry.acting(who)
            try:
                row = change(acting, chance, who)
            except RegistryError:  # nothing to go back to, or what another writer deleted meanwhile
                continue
            os.write(note, (json.dumps({"who": who, **row}) + "\n").encode())
            os.fsync(note)


def change(registry: Registry, chance: random.Random, who: str) -> dict[str, Any]:
    """One change; what must be found of it."""
    name, kind = chance.choice(NAMES), chance.random()
    if kind < 0.5 or name not in registry.names():
        given = packet(int(files.digest(who.encode())[:15], 16))
        version = registry.keep(name, given, note=who)
        return {"what": "register", "name": name, "number": version.number, "seal": given.seal}
    if kind < 0.75:
        registry.promote(name, "latest", chance.choice(("challenger", "fast")))
        return {"what": "", "name": name}
    if kind < 0.9:
        registry.note(name, "champion", who)
        return {"what": "note", "name": name}
    if kind < 0.95:
        latest = registry.version(name, "latest")
        version = registry.delete(name, latest.number)
        return {"what": "delete", "name": name, "number": version.number}
    registry.gc(grace=0.0)
    return {"what": "", "name": name}


def read_forever(site: Site, wrong: Path) -> None:
    """Whatever is read is whole; a line for each time that it is not."""
    with site.open() as registry:
        while True:
            for name in registry.names():
                for which in ("champion", *registry.aliases(name)):
                    try:
                        version = registry.version(name, which)
                        if not whole(version.path, version.seal):
                            raise ValueError("mixed")
                    except RegistryError:
                        continue  # an alias that was deleted between two questions
                    except (SightlineError, ValueError) as error:
                        rows = registry.versions(name, deleted=True)
                        if any(row.number == version.number and row.deleted for row in rows):
                            continue  # deleted and collected meanwhile, without any grace
                        with wrong.open("a") as file:
                            file.write(f"{name} {which}: {error}\n")


def kills(room: Path, server: Server | None, loops: int, seed: int = 0) -> dict[str, Any]:
    """SIGKILL for four writers and two readers, again and again, on one registry that grows."""
    site, chance = Site(room, server), random.Random(seed)
    site.open().close()
    wrong, lost, problems, opens, acknowledged, crashes, last = site.room / "wrong", [], [], [], 0, 0, 0
    for turn in range(loops):
        acks = [site.room / f"acks-{writer}" for writer in range(4)]
        works: list[Callable[[], object]] = [
            lambda writer=writer, turn=turn, ack=ack: write_forever(site, writer, turn, ack)
            for writer, ack in enumerate(acks)
        ]
        works += [lambda: read_forever(site, wrong)] * 2
        with beside(works):
            until = time.monotonic() + 10
            while not any(path.exists() and path.stat().st_size for path in acks) and time.monotonic() < until:
                time.sleep(0.005)  # so that every loop costs real work, on a busy machine too
            time.sleep(chance.uniform(0.0, 0.5))
            if server is not None and turn % 10 == 9:
                server.crash()
                crashes += 1
        start = time.perf_counter()
        registry = site.open()
        opens.append(time.perf_counter() - start)
        with registry:
            problems += registry.database.problems()
            rows = [json.loads(line) for path in acks if path.exists() for line in path.read_text().splitlines()]
            lost += missing(registry, rows, last)
            last = max((entry.number for entry in registry.log(after=last, most=10**6)), default=last)
            acknowledged += len(rows)
            if turn % 20 == 19 or turn == loops - 1:
                problems += registry.fsck().problems
        for path in acks:
            path.unlink(missing_ok=True)
    with site.open() as registry:
        versions = len(registry.versions(deleted=True))
    mixed = wrong.read_text().splitlines() if wrong.exists() else []
    site.remove()
    return {
        "loops": loops,
        "server_crashes": crashes,
        "acknowledged": acknowledged,
        "lost": len(lost),
        "problems": len(problems),
        "read_wrong": len(mixed),
        "versions": versions,
        "slowest_open": round(max(opens), 3),
        "shown": [*lost, *problems, *mixed][:5],
        "broken": bool(lost or problems or mixed),
    }


def missing(registry: Registry, rows: list[dict[str, Any]], after: int = 0) -> list[str]:
    """The acknowledged changes that are not there, `after` being a row of the log from before all of them."""
    told = set()
    while page := registry.log(after=after):
        told |= {(entry.who, entry.what, entry.name) for entry in page}
        after = page[-1].number
    there = {(row.name, row.number): row for row in registry.versions(deleted=True)}
    found = []
    for row in rows:
        if row["what"] and (row["who"], row["what"], row["name"]) not in told:
            found.append(f"{row} is not in the log")
        version = there.get((row["name"], row.get("number", 0)))
        if row["what"] == "register" and (version is None or version.seal != row["seal"]):
            found.append(f"{row} is not there")
        if row["what"] == "delete" and (version is None or not version.deleted):
            found.append(f"{row} was undone")
        if row["what"] == "register" and version and not version.deleted and not version.path.is_file():
            found.append(f"the file of {row} is gone")
    return found


# ----------------------------------------------------------------------------------------------------- numbers, flips


def numbers(room: Path, server: Server | None, versions: int) -> dict[str, Any]:
    """Eight processes, three models: unique numbers without a gap, and one row an alias."""
    site = Site(room, server)
    given = [packet(number) for number in range(versions)]

    def work(part: int) -> None:
        with site.open(f"p{part}") as registry:
            for place in range(part, versions, 8):
                registry.keep(NAMES[place % 3], given[place], alias="challenger")

    start = time.perf_counter()
    failed = sum(code != 0 for code in ended([forked(lambda part=part: work(part)) for part in range(8)]))  # type: ignore[misc]
    seconds = time.perf_counter() - start
    gaps = 0
    with site.open() as registry:
        for place, name in enumerate(NAMES):
            got = [version.number for version in registry.versions(name)]
            gaps += got != list(range(1, len(range(place, versions, 3)) + 1))
            gaps += sorted(registry.aliases(name)) != ["challenger", "champion"]
        problems = registry.fsck().problems
    site.remove()
    return {
        "versions": versions,
        "processes_failed": failed,
        "gaps": gaps,
        "problems": len(problems),
        "each_ms": round(1000 * seconds / versions, 2),
        "broken": bool(failed or gaps or problems),
    }


def flips(room: Path, server: Server | None, moves: int, reads: int) -> dict[str, Any]:
    """One process moves an alias, two read it: every answer is one version, whole."""
    site = Site(room, server)
    given = [packet(number) for number in range(4)]
    with site.open() as registry:
        seals = {registry.keep("parts", one).number: one.seal for one in given}

    def move() -> None:
        with site.open() as registry:
            for turn in range(moves):
                if turn % 5 == 4:
                    registry.rollback("parts")
                else:
                    registry.promote("parts", 1 + turn % 4)

    def read(share: int) -> None:
        wrong = 0
        with site.open() as registry:
            for turn in range(share):
                version = registry.version("parts")
                wrong += seals[version.number] != version.seal
                wrong += turn % 20 == 0 and not whole(version.path, version.seal)
        if wrong:
            raise SystemExit(f"{wrong} answers were wrong")

    start = time.perf_counter()
    codes = ended([forked(move), *(forked(lambda: read(reads // 2)) for _ in range(2))])
    seconds = time.perf_counter() - start
    with site.open() as registry:
        problems = registry.fsck().problems
    site.remove()
    answer = {"moves": moves, "reads": reads, "processes_failed": sum(code != 0 for code in codes)}
    answer |= {"problems": len(problems), "seconds": round(seconds, 1)}
    return {**answer, "broken": bool(any(codes) or problems)}


# -------------------------------------------------------------------------------------------------------------- files


def damage(room: Path, server: Server | None, bits: int, collections: int) -> dict[str, Any]:
    """Flipped bits are found; a collection beside writers takes nothing that lives."""
    site, chance = Site(room, server), random.Random(1)
    unread = unchecked = checks = 0
    with site.open() as registry:
        versions = [registry.keep("parts", packet(number)) for number in range(4)]
        for turn in range(bits):
            version = chance.choice(versions)
            address = version.path.name.removesuffix(".sightline")
            data = version.path.read_bytes()
            at = chance.randrange(len(data))
            version.path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
            try:
                registry.blobs.read(address)
                unread += 1
            except StorageError:
                pass
            if turn % 20 == 0:
                checks += 1
                unchecked += not any("damaged" in line for line in registry.fsck().problems)
            version.path.write_bytes(data)
        problems = list(registry.fsck().problems)
        acks = [site.room / f"acks-{writer}" for writer in range(3)]
        works = [lambda writer=writer: write_forever(site, writer, 0, acks[writer]) for writer in range(3)]
        taken = 0
        with beside(works):  # type: ignore[arg-type]
            for _ in range(collections):
                taken += len(registry.gc(grace=0.0).addresses)
                time.sleep(0.005)
        rows = [json.loads(line) for path in acks if path.exists() for line in path.read_text().splitlines()]
        lost = missing(registry, rows)
        problems += registry.fsck().problems
    site.remove()
    return {
        "bits": bits,
        "not_seen_by_reading": unread,
        "checks": checks,
        "not_seen_by_fsck": unchecked,
        "collections": collections,
        "taken": taken,
        "acknowledged": len(rows),
        "lost": len(lost),
        "problems": len(problems),
        "shown": [*lost, *problems][:5],
        "broken": bool(unread or unchecked or lost or problems),
    }


# ------------------------------------------------------------------------------------------------------------ backups


def backups(room: Path, server: Server | None, count: int) -> dict[str, Any]:
    """Backups while four write: each is restored, and climbs the whole ladder of checks."""
    site, wrong, versions, refused = Site(room, server), [], 0, 0
    with site.open() as registry:
        for number in range(20):
            registry.keep("parts", packet(number))
        acks = [site.room / f"acks-{writer}" for writer in range(4)]
        works = [lambda writer=writer: write_forever(site, writer, 0, acks[writer]) for writer in range(4)]
        for turn in range(count):
            target, folder = site.room / f"backup-{turn}", site.room / f"restored-{turn}"
            with beside(works):  # type: ignore[arg-type]
                time.sleep(0.05)
                rows = [json.loads(line) for path in acks if path.exists() for line in path.read_text().splitlines()]
                try:
                    made = registry.backup(target)
                except StorageError:
                    refused += 1  # files were collected five times while they were copied: said, and nothing is left
                    continue
            plain = sqlite3.connect(target / "registry.db")
            ladder = [plain.execute(f"PRAGMA {name}").fetchall() for name in ("quick_check", "integrity_check")]
            ladder.append(plain.execute("PRAGMA foreign_key_check").fetchall() or [("ok",)])
            wrong += [str(rung) for rung in ladder if rung != [("ok",)]]
            for table, said in made.rows.items():
                found = plain.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                wrong += [f"{table}: {found} rows, not {said}"] if found != said else []
            plain.close()
            with open_registry(folder) as other:
                other.restore(target)
                wrong += other.fsck().problems
                wrong += missing(other, [row for row in rows if row["what"] != "delete"])
                versions += len(other.versions())
            shutil.rmtree(target)
            shutil.rmtree(folder)
    site.remove()
    answer = {"backups": count, "refused_aloud": refused, "versions_restored": versions, "wrong": len(wrong)}
    return {**answer, "shown": wrong[:5], "broken": bool(wrong)}


# -------------------------------------------------------------------------------------------------------------- steps

SECOND = Step(
    "a column, and what it says",
    lambda connection: [
        connection.exec_driver_sql(text)
        for text in (
            "ALTER TABLE registry_models ADD COLUMN colour TEXT",
            "UPDATE registry_models SET colour = 'red'",
            "CREATE TABLE registry_more (a INTEGER)",
        )
    ],
    lambda connection: [
        connection.exec_driver_sql(text)
        for text in ("DROP TABLE registry_more", "ALTER TABLE registry_models DROP COLUMN colour")
    ],
)
GROWN = Schema(SCHEMA.component, (*SCHEMA.steps, SECOND))


def shape(database: str) -> str:
    """Every table and column of ours, and the steps that were taken."""
    with open_database(database, Schema("nothing", ())) as opened, opened.read() as connection:
        inspector = sqlalchemy.inspect(connection)
        tables = [name for name in sorted(inspector.get_table_names()) if name.startswith("registry")]
        columns = {name: [column["name"] for column in inspector.get_columns(name)] for name in tables}
        steps = []
        if inspector.has_table("sightline_steps"):
            steps = [tuple(row) for row in connection.exec_driver_sql("SELECT number, name FROM sightline_steps")]
        return json.dumps([columns, sorted(steps)])


def steps(room: Path, server: Server | None, starts: int, stride: int = 1) -> dict[str, Any]:
    """Every statement of every step (or every so many) kills once, on the way up and on the way down."""
    tried, between = 0, []
    for here, there in ((0, 1), (1, 2), (2, 1), (1, 0)):

        def at(steps_: int) -> Site:
            site = Site(room, server)
            with open_database(site.database, GROWN) as opened:
                migrate(opened, GROWN, steps_)
            return site

        start, old, new = at(here), *(shape(at(one).database) for one in (here, there))
        deadly, done = 0, False
        while not done:
            deadly += stride
            site = start.copied()

            def go(site: Site = site, deadly: int = deadly, here: int = here, there: int = there) -> None:
                count = 0

                def hear(*_: Any) -> None:
                    nonlocal count
                    count += 1
                    if count == deadly:
                        os.kill(os.getpid(), signal.SIGKILL)

                with open_database(site.database, Schema(SCHEMA.component, GROWN.steps[:here])) as opened:
                    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
                        sqlalchemy.event.listen(opened._engine, event, hear)
                    migrate(opened, GROWN, there)

            done = ended([forked(go)]) == [0]
            tried += 1
            found = shape(site.database)
            between += [] if found in (old, new) else [f"{here} to {there}, statement {deadly}: {found[:200]}"]
            with open_database(site.database, GROWN) as opened:
                between += opened.problems()
            site.remove()
    failed = 0
    for _ in range(starts):
        site = Site(room, server)
        codes = ended([forked(lambda site=site: site.open().close()) for _ in range(8)])  # type: ignore[misc]
        with site.open() as registry:
            failed += any(codes) or bool(registry.fsck().problems)
        site.remove()
    site = Site(room, server)
    open_database(site.database, GROWN).close()
    try:
        site.open().close()
        said = ""
    except StorageError as error:
        said = error.message
    site.remove()
    return {
        "kills": tried,
        "between": len(between),
        "starts_of_8": starts,
        "starts_failed": failed,
        "newer_refused": "newer sightline" in said,
        "shown": between[:5],
        "broken": bool(between or failed or "newer sightline" not in said),
    }


def main() -> None:
    """Run what is asked for, print one document."""
    from benchmarks.reliability.registry_power import power

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    known = ["kills", "numbers", "flips", "files", "power", "backups", "steps"]
    parser.add_argument("--only", nargs="+", default=known, choices=known)
    parser.add_argument("--postgres", action="store_true", help="on a server of Debian's that this starts")
    parser.add_argument("--loops", type=int, default=200, help="of kills")
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--moves", type=int, default=10_000, help="of an alias")
    parser.add_argument("--reads", type=int, default=100_000)
    parser.add_argument("--bits", type=int, default=10_000)
    parser.add_argument("--collections", type=int, default=200)
    parser.add_argument("--states", type=int, default=1000, help="after a power loss")
    parser.add_argument("--backups", type=int, default=100)
    parser.add_argument("--starts", type=int, default=20)
    asked = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="sightline-registry-"))
    answer: dict[str, Any] = {"machine": machine(), "database": "sqlite", "broken": False}
    with contextlib.ExitStack() as stack:
        server = None
        if asked.postgres:
            server = stack.enter_context(Server())
            answer["database"] = server.version
        runs: dict[str, Callable[[], dict[str, Any]]] = {
            "kills": lambda: kills(room, server, asked.loops),
            "numbers": lambda: numbers(room, server, asked.versions),
            "flips": lambda: flips(room, server, asked.moves, asked.reads),
            "files": lambda: damage(room, server, asked.bits, asked.collections),
            "power": lambda: power(room, asked.states) if server is None else {"left_out": "a server's own concern"},
            "backups": lambda: backups(room, server, asked.backups),
            "steps": lambda: steps(room, server, asked.starts),
        }
        for name in asked.only:
            start = time.perf_counter()
            answer[name] = runs[name]()
            answer[name]["seconds"] = round(time.perf_counter() - start, 1)
            answer["broken"] |= answer[name].get("broken", False)
            print(f"{name}: {json.dumps(answer[name])}", file=sys.stderr, flush=True)
    shutil.rmtree(room, ignore_errors=True)
    print(json.dumps(answer))
    sys.exit(answer["broken"])


if __name__ == "__main__":
    main()
