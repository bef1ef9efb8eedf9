"""A database that many share: whole transactions, one moment for readers, sound after forks and kills."""

import contextlib
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Connection

from sightline.core import database as databases
from sightline.core.database import Database, open_database
from sightline.core.errors import StorageError
from sightline.core.schema import Schema, Step, migrate

META = sqlalchemy.MetaData()
ROWS = sqlalchemy.Table(
    "toy_rows",
    META,
    sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
    sqlalchemy.Column("name", sqlalchemy.Text, nullable=False, unique=True),
    sqlalchemy.Column("parent", sqlalchemy.ForeignKey("toy_rows.id")),
)


def text(*statements: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        for one in statements:
            connection.exec_driver_sql(one)

    return run


FIRST = Step("rows", META.create_all, META.drop_all)
SECOND = Step(
    "colours",
    text(
        "ALTER TABLE toy_rows ADD COLUMN colour TEXT",
        "UPDATE toy_rows SET colour = 'red'",
        "CREATE TABLE toy_more (a INTEGER)",
    ),
    text("DROP TABLE toy_more", "ALTER TABLE toy_rows DROP COLUMN colour"),
)
OLD, NEW = Schema("toy", (FIRST,)), Schema("toy", (FIRST, SECOND))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "new" / "toy.db", OLD) as database:
        yield database


def add(database: Database, name: str, **more: Any) -> None:
    with database.write() as connection:
        connection.execute(ROWS.insert().values(name=name, **more))


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.name for row in connection.execute(sqlalchemy.select(ROWS.c.name).order_by(ROWS.c.id))]


def child(work: Callable[[], object]) -> int:
    """A forked process; answers how it ended."""
    made = os.fork()
    if made == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    return made


def ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_what_ended_well_is_kept_and_nothing_else(opened: Database) -> None:
    add(opened, "a")
    with pytest.raises(sqlalchemy.exc.IntegrityError), opened.write() as connection:
        connection.execute(ROWS.insert(), [{"name": "b"}, {"name": "a"}])
    add(opened, "c")
    assert names(opened) == ["a", "c"]


def test_every_connection_has_the_promised_pragmas(opened: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}
    wanted |= {"trusted_schema": 0, "cell_size_check": 1}
    with opened.read() as first, opened.read() as second:
        for connection in (first, second):
            assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted
    with open_database(opened.place, OLD, synchronous="NORMAL") as fast, fast.read() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1


def test_a_reader_sees_one_moment_and_cannot_write(opened: Database) -> None:
    with opened.read() as connection:
        assert connection.execute(sqlalchemy.select(ROWS)).all() == []
        add(opened, "later")
        assert connection.execute(sqlalchemy.select(ROWS)).all() == []
    with pytest.raises(StorageError, match="readonly"), opened.read() as connection:
        connection.execute(ROWS.insert().values(name="b"))
    assert names(opened) == ["later"]
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        add(opened, "later")
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        add(opened, "orphan", parent=99)


def test_writers_queue_and_lose_nothing(opened: Database) -> None:
    """What a writer read is still so when it writes: no two find the same highest number."""

    def count(database: Database) -> None:
        for _ in range(5):
            with database.write() as connection:
                highest = connection.execute(sqlalchemy.select(sqlalchemy.func.max(ROWS.c.id))).scalar() or 0
                connection.execute(ROWS.insert().values(id=highest + 1, name=f"n{highest + 1}"))

    def in_process() -> None:
        with open_database(opened.place, OLD) as own:
            count(own)

    processes = [child(in_process) for _ in range(3)]
    threads = [threading.Thread(target=count, args=(opened,)) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [ended(one) for one in processes] == [0] * 3
    assert names(opened) == [f"n{place}" for place in range(1, 31)]


def test_a_forked_child_shares_no_connection(opened: Database) -> None:
    """Another thread writes while a process forks: the child waits for its end, and has connections of its own."""
    add(opened, "before")
    within, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with opened.write() as connection:
            connection.execute(ROWS.insert().values(name="thread"))
            within.set()
            go_on.wait(0.3)

    thread = threading.Thread(target=slow)
    thread.start()
    within.wait()
    process = child(lambda: add(opened, "child"))
    assert ended(process) == 0
    thread.join()
    add(opened, "after")
    assert names(opened) == ["before", "thread", "child", "after"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks the system which files are open")
def test_a_forked_child_inherits_no_open_file(opened: Database) -> None:
    """What SQLite remembers of its locks would be wrong in the child."""
    add(opened, "before")

    def held() -> list[str]:
        found = []
        for handle in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/self/fd/{handle}"))
        return [path for path in found if path.startswith(opened.place)]

    def look() -> None:
        assert held() == []

    assert held() != []
    assert ended(child(look)) == 0
    assert names(opened) == ["before"]
    opened.close()
    shutil.rmtree(Path(opened.place).parent)
    assert ended(child(look)) == 0
    assert not Path(opened.place).parent.exists(), "a child makes nothing by itself"


def test_a_fork_within_a_transaction_leaves_the_parents_alone(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened.write() as connection:
        connection.execute(ROWS.insert().values(name="parent"))
        own: Any = connection.connection.driver_connection
        assert ended(child(lambda: None)) == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        own.execute("SELECT 1")  # nobody takes it any more, so that it does not stay open
    add(opened, "more")
    assert names(opened) == ["parent", "more"]


def test_steps_are_taken_once_by_eight_that_start_together(tmp_path: Path) -> None:
    place = tmp_path / "toy.db"

    def start() -> None:
        with open_database(place, NEW) as own:
            add(own, f"p{os.getpid()}")

    processes = [child(start) for _ in range(8)]
    assert [ended(one) for one in processes] == [0] * 8
    with sqlite3.connect(place) as plain:
        assert plain.execute("SELECT component, number, name FROM sightline_steps").fetchall() == [
            ("toy", 1, "rows"),
            ("toy", 2, "colours"),
        ]
        assert plain.execute("SELECT count(*) FROM toy_rows").fetchone() == (8,)
    plain.close()


def test_whoever_comes_second_takes_no_step(tmp_path: Path) -> None:
    """Another process takes the step between this one's look and its turn to write."""
    with open_database(tmp_path / "toy.db", OLD) as first, open_database(tmp_path / "toy.db", OLD) as second:
        writing = first.write

        def write(**more: Any) -> Any:
            first.write = writing  # type: ignore[method-assign]
            assert migrate(second, NEW) == ["colours"]
            return writing(**more)

        first.write = write  # type: ignore[method-assign]
        assert migrate(first, NEW) == []
    assert [row for row in shape(tmp_path / "toy.db") if isinstance(row[0], int)] == [(1, "rows"), (2, "colours")]


def shape(place: Path) -> list[tuple[Any, ...]]:
    plain = sqlite3.connect(place)
    found = plain.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'toy%' ORDER BY name").fetchall()
    steps = plain.execute("SELECT number, name FROM sightline_steps").fetchall()
    plain.close()
    return [*found, *steps]


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_a_step_that_is_killed_at_any_statement_has_been_taken_or_not(up: bool, tmp_path: Path) -> None:
    def state(place: Path, steps: int) -> list[tuple[Any, ...]]:
        with open_database(place, NEW) as made:
            add(made, "kept")
            migrate(made, NEW, steps)
        return shape(place)

    before, after = (1, 2) if up else (2, 1)
    old, new = state(tmp_path / "before.db", before), state(tmp_path / "after.db", after)

    def go(place: Path, deadly: int) -> None:
        count = 0

        def hear(*_: Any) -> None:
            nonlocal count
            count += 1
            if count == deadly:
                os.kill(os.getpid(), signal.SIGKILL)

        with open_database(place, OLD if up else NEW) as made:
            for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
                sqlalchemy.event.listen(made._engine, event, hear)
            migrate(made, NEW, after)

    seen, deadly, finished = [], 0, False
    while not finished:
        deadly += 1
        place = tmp_path / f"{deadly}.db"
        state(place, before)
        finished = ended(child(lambda place=place, deadly=deadly: go(place, deadly))) == 0  # type: ignore[misc]
        seen.append(shape(place))
        with open_database(place, NEW) as again:
            assert names(again) == ["kept"]
            assert again.problems() == []
    assert all(one in (old, new) for one in seen)
    assert seen[-1] == new
    assert len(seen) > 12
    assert seen.count(old) > 6


def test_what_a_newer_release_wrote_is_refused(tmp_path: Path) -> None:
    open_database(tmp_path / "toy.db", NEW).close()
    with pytest.raises(StorageError, match=r"newer sightline: step 2 of its toy, 'colours'.*Upgrade"):
        open_database(tmp_path / "toy.db", OLD)
    other = Schema("other", (Step("own", text("CREATE TABLE other_rows (a INTEGER)")),))
    with open_database(tmp_path / "toy.db", other) as made, pytest.raises(StorageError, match="no way back from"):
        migrate(made, other, 0)
    open_database(tmp_path / "toy.db", NEW).close()


def test_what_is_no_database_of_ours_is_refused_and_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "strange.db"
    place.write_bytes(b"a letter, not a database. " * 100)
    with pytest.raises(StorageError, match=r"strange\.db: file is not a database\. Name another file\."):
        open_database(place, OLD)
    with sqlite3.connect(tmp_path / "other.db") as plain:
        plain.execute("CREATE TABLE recipes (a)")
    plain.close()
    with pytest.raises(StorageError, match="of something else"):
        open_database(tmp_path / "other.db", OLD)
    with pytest.raises(StorageError, match="no database at"):
        open_database(tmp_path / "gone.db", OLD, create=False)
    assert not (tmp_path / "gone.db").exists()
    with pytest.raises(StorageError, match="could not make"):
        open_database(place / "inside" / "toy.db", OLD)


def test_damaged_pages_are_found(opened: Database) -> None:
    for number in range(300):
        add(opened, f"row {number} " + "x" * 60)
    assert opened.problems() == []
    opened.close()
    place = Path(opened.place)
    data = bytearray(place.read_bytes())
    data[4096 * 3 : 4096 * 3 + 200] = b"\xff" * 200
    place.write_bytes(data)
    assert opened.problems() != []


def test_a_copy_is_one_moment_while_others_write(opened: Database, tmp_path: Path) -> None:
    stop = threading.Event()

    def pairs() -> None:
        number = 0
        while not stop.is_set():
            with opened.write() as connection:
                connection.execute(ROWS.insert(), [{"name": f"{number} a"}, {"name": f"{number} b"}])
            number += 1

    thread = threading.Thread(target=pairs)
    thread.start()
    try:
        counts = []
        for turn in range(5):
            opened.copy(tmp_path / f"copy{turn}.db")
            with open_database(tmp_path / f"copy{turn}.db", OLD, create=False) as copied:
                counts.append(len(names(copied)))
                assert copied.problems() == []
    finally:
        stop.set()
        thread.join()
    assert counts == sorted(counts)
    assert all(count % 2 == 0 for count in counts)


def test_a_writer_that_never_ends_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_database(tmp_path / "toy.db", OLD) as database:
        monkeypatch.setattr(databases, "PATIENCE", 0.05)
        plain = sqlite3.connect(tmp_path / "toy.db", isolation_level=None)
        plain.execute("BEGIN IMMEDIATE")
        with database.read() as connection:  # the pool gives this connection to the writer, too
            connection.exec_driver_sql("PRAGMA busy_timeout=10")
        with pytest.raises(StorageError, match=r"locked\. Others have been writing"):
            add(database, "a")
        plain.close()
        with database.write(), pytest.raises(StorageError, match="another thread has been writing"):
            add(database, "b")
        add(database, "c")
        assert names(database) == ["c"]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://ann:hush@127.0.0.1:1/models", "postgresql://ann:***@127.0.0.1:1/models: Can't create"),
        ("postgres://ann:hush@/models?host=/no/such/folder", "postgresql://ann:***@/models: "),
        ("postgresql://[:hush", "cannot be read"),
    ],
)
def test_a_server_that_is_not_there_is_said_without_the_password(url: str, wanted: str) -> None:
    with pytest.raises(StorageError) as caught:
        open_database(url, OLD)
    assert wanted in caught.value.message
    assert "hush" not in caught.value.message
