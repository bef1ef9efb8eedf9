"""A PostgreSQL server for as long as a block lasts: in a temporary folder, on a socket, for nobody else."""

from __future__ import annotations

import os
import platform
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy

import sightline


class NoServer(Exception):
    """PostgreSQL is not installed here."""


def binaries() -> Path | None:
    """Where Debian keeps the programs of the newest server, or where the path finds them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    word = shutil.which("initdb")
    return Path(word).parent if word else None


class Server:
    """Started by root, it runs as `nobody`, since a server refuses to run as root."""

    def __init__(self) -> None:
        programs = binaries()
        if programs is None:
            raise NoServer("no PostgreSQL is installed: apt-get install postgresql, or leave --postgres out")
        self.programs = programs
        self.room = Path(tempfile.mkdtemp(prefix="sightline-pg-"))
        self.user: str | None = None
        if os.geteuid() == 0:
            self.user = "nobody"
            os.chown(self.room, pwd.getpwnam("nobody").pw_uid, -1)
        self.version = self._call("postgres", "--version").strip()

    def __enter__(self) -> Self:
        self._call("initdb", "-D", self.data, "-U", "sightline", "--auth=trust", "-E", "UTF8", "--no-locale")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.room, ignore_errors=True)

    @property
    def data(self) -> str:
        return str(self.room / "data")

    def start(self) -> None:
        """Listen on a socket in the folder, and nowhere else; recover first where it crashed."""
        options = f"-k {self.room} -c listen_addresses='' -c max_connections=200"
        self._call("pg_ctl", "-D", self.data, "-o", options, "-l", str(self.room / "log"), "-w", "start")

    def crash(self) -> None:
        """End every process of the server at once, as a kill would, and start it again."""
        self._call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")
        self.start()

    def url(self, name: str) -> str:
        """Of one database."""
        return f"postgresql://sightline@/{name}?host={self.room}"

    def create(self, name: str, template: str = "") -> None:
        """A database that is empty, or as another one that nobody uses."""
        self._say(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")

    def drop(self, name: str) -> None:
        """Give the space back."""
        self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def _say(self, statement: str) -> None:
        socket = self.room / ".s.PGSQL.5432"
        engine = sqlalchemy.create_engine(
            f"postgresql+pg8000://sightline@/postgres?unix_sock={socket}", isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def _call(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [self.programs / program, *words],
            cwd=self.room,
            user=self.user,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(words)}: {done.stdout}")
        return done.stdout


def machine() -> dict[str, Any]:
    """On what the figures were had."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    versions |= {"sqlalchemy": sqlalchemy.__version__, "sightline": sightline.__version__}
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
        "versions": versions,
        "commit": commit.stdout.strip(),
    }
