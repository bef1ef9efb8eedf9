"""Nothing live is ever taken away, nothing that is wrong goes unseen, and a backup is a registry."""

import dataclasses
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sightline.core import bundle
from sightline.core.errors import RegistryError
from sightline.core.files import canonical
from sightline.registering.packing import packed
from sightline.registering.registry import HOUR, Registry, open_registry
from tests.registering.conftest import Make


def age(registry: Registry, seconds: float) -> None:
    then = time.time() - seconds
    for path in registry.blobs.folder.rglob("*.sightline"):
        os.utime(path, (then, then))


def test_only_what_no_version_needs_is_taken_and_only_when_it_is_old(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number))
    loose = registry.blobs.put(b"of someone who was killed before the row was written")
    assert registry.gc().addresses == (), "it was put this hour"
    age(registry, 2 * HOUR)
    taken = registry.gc()
    assert (taken.addresses, taken.size) == ((loose,), 52)
    registry.delete("parts", 3)
    assert registry.gc().addresses == (), "someone may be opening it"
    freed = registry.gc(grace=0.0)
    assert len(freed.addresses) == 1
    assert registry.fsck().problems == ()
    assert [version.path.is_file() for version in registry.versions("parts")] == [True, True]
    assert [entry.what for entry in registry.log()][-1] == "gc"


def test_a_deleted_version_whose_bytes_are_another_stays(registry: Registry, make: Make) -> None:
    registry.register("parts", make(1))
    registry.register("parts", make(2))
    registry.register("shapes", make(2))
    registry.delete("parts", 2)
    assert registry.gc(grace=0.0).addresses == ()
    assert registry.version("shapes").path.is_file()


def test_a_collection_between_the_file_and_its_row_costs_nothing(registry: Registry, make: Make) -> None:
    """The worst moment: the file is there, the row is not, and the collection spares nothing young."""
    given = packed(make(1))
    writing = registry.database.write

    def write(**more: Any) -> Any:
        registry.database.write = writing  # type: ignore[method-assign]
        assert registry.gc(grace=0.0).addresses == (given.address,)
        return writing(**more)

    registry.database.write = write  # type: ignore[method-assign]
    assert registry.keep("parts", given).path.is_file()
    assert registry.fsck().problems == ()


def test_what_is_put_while_a_collection_waits_for_its_turn_stays(registry: Registry) -> None:
    address = registry.blobs.put(b"old and unneeded, until now")
    age(registry, 2 * HOUR)
    writing = registry.database.write

    def write(**more: Any) -> Any:
        registry.blobs.put(b"old and unneeded, until now")
        return writing(**more)

    registry.database.write = write  # type: ignore[method-assign]
    assert registry.gc().addresses == ()
    assert registry.blobs.has(address)


def test_a_collector_and_writers_at_once(registry: Registry, make: Make, tmp_path: Path) -> None:
    given = [packed(make(number)) for number in range(12)]
    stop = threading.Event()
    taken = []

    def collect() -> None:
        with open_registry(tmp_path / "registry", who="collector") as own:
            while not stop.is_set():
                taken.extend(own.gc(grace=0.0).addresses)

    def work(part: int) -> None:
        for one in given[part::2]:
            version = registry.keep("parts", one)
            if version.number % 3 == 0:
                registry.delete("parts", version.number)

    threads = [threading.Thread(target=work, args=(part,)) for part in range(2)]
    collector = threading.Thread(target=collect)
    for one in (collector, *threads):
        one.start()
    for one in threads:
        one.join()
    stop.set()
    collector.join()
    registry.gc(grace=0.0)
    assert registry.fsck().problems == ()
    assert registry.fsck().counts["unneeded"] == 0
    assert all(version.path.is_file() for version in registry.versions("parts"))


def execute(statement: str) -> Callable[[Registry], None]:
    def harm(registry: Registry) -> None:
        with sqlite3.connect(registry.database.place) as plain:
            for kind in ("update", "delete"):
                plain.execute(f"DROP TRIGGER registry_log_no_{kind}")
            plain.execute(statement)
        plain.close()

    return harm


def forge(registry: Registry) -> None:
    """Who changes a row and its hash breaks the next one."""
    first, second = registry.log(most=2)
    forged = dataclasses.replace(second, who="bob")
    execute(f"UPDATE registry_log SET who = 'bob', hash = '{forged.sealed(first.hash)}' WHERE number = 2")(registry)


def flip(registry: Registry) -> None:
    path = registry.version("parts", 2).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (flip, "the file of parts 2 is damaged"),
        (lambda registry: registry.version("parts", 2).path.unlink(), "the file of parts 2 is gone"),
        (execute("UPDATE registry_versions SET size = 1 WHERE number = 2"), "says 1 bytes"),
        (execute("UPDATE registry_log SET who = 'bob' WHERE number = 2"), "row 2 of the log .* was changed"),
        (execute("UPDATE registry_log SET facts = '{}' WHERE number = 2"), "row 2 of the log .* was changed"),
        (forge, "row 3 of the log .* was changed"),
        (execute("DELETE FROM registry_log WHERE number = 2"), "jumps from row 1 to row 3"),
        (execute("DELETE FROM registry_log WHERE number = 5"), "its end was cut off"),
        (execute("UPDATE registry_aliases SET number = 1"), "the aliases are not those that the log tells of"),
        (execute("UPDATE registry_aliases SET number = 9"), "refers to a row of registry_versions that is gone"),
        (execute("UPDATE registry_versions SET deleted = 'today' WHERE number = 2"), "names version 2, which is not"),
        (execute("DELETE FROM registry_versions WHERE number = 1"), "numbers of parts are not 1 to 3: 2, 3"),
        (execute("UPDATE registry_versions SET seal = 'x' WHERE number = 1"), "the versions are not those"),
        (execute("UPDATE registry_models SET traffic = '{\"a\": 1}'"), "the traffic are not those"),
        (execute("UPDATE registry_models SET traffic = '{'"), "cannot be read"),
    ],
)
def test_everything_that_is_wrong_is_found(
    harm: Callable[[Registry], None], said: str, registry: Registry, make: Make
) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number))
    registry.promote("parts", 2)
    assert registry.fsck().problems == ()
    assert registry.fsck().counts["versions"] == 3
    harm(registry)
    problems = registry.fsck().problems
    assert any(re.search(said, one) for one in problems), problems


def filled(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number), note=f"note {number}")
    registry.register("shapes", make(1), alias="challenger")
    registry.promote("parts", 2)
    registry.set_traffic("parts", {"shares": {"champion": 1.0}})
    registry.delete("parts", 3)


def test_a_backup_is_restored_to_the_same_registry(registry: Registry, make: Make, tmp_path: Path) -> None:
    filled(registry, make)
    made = registry.backup(tmp_path / "backups" / "today")
    assert (made.versions, made.rows["registry_versions"]) == (3, 4)
    assert made.head == registry.fsck().head
    with open_registry(tmp_path / "other", who="eve") as other:
        before = other.changed()
        assert other.restore(made.path).versions == 3
        assert other.fsck().problems == ()
        assert other.changed() > before
        assert other.log()[:-1] == registry.log()
        assert (other.log()[-1].what, other.log()[-1].who) == ("restored", "eve")
        for name in registry.names():
            assert other.aliases(name) == registry.aliases(name)
            assert other.traffic(name) == registry.traffic(name)
            for mine, theirs in zip(registry.versions(name), other.versions(name), strict=True):
                assert mine.path.read_bytes() == theirs.path.read_bytes()
                assert (mine.seal, mine.note, mine.created) == (theirs.seal, theirs.note, theirs.created)
        assert other.rollback("parts").number == 1
        assert other.register("parts", make(3)).number == 4
        with pytest.raises(RegistryError, match="holds models already"):
            other.restore(made.path)
    with pytest.raises(RegistryError, match="exists already"):
        registry.backup(made.path)


def test_a_collection_while_a_backup_is_restored_costs_nothing(registry: Registry, make: Make, tmp_path: Path) -> None:
    filled(registry, make)
    made = registry.backup(tmp_path / "backup")
    with open_registry(tmp_path / "other") as other:
        writing = other.database.write

        def write(**more: Any) -> Any:
            other.database.write = writing  # type: ignore[method-assign]
            assert len(other.gc(grace=0.0).addresses) == 2
            return writing(**more)

        other.database.write = write  # type: ignore[method-assign]
        other.restore(made.path)
        assert other.fsck().problems == ()


@pytest.mark.parametrize("what", ["file", "page", "log", "notes", "folder"])
def test_a_damaged_backup_restores_nothing(what: str, registry: Registry, make: Make, tmp_path: Path) -> None:
    filled(registry, make)
    folder = registry.backup(tmp_path / "backup").path
    if what == "file":
        path = next(folder.rglob("*.sightline"))
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "page":
        data = bytearray((folder / "registry.db").read_bytes())
        data[4096 : 4096 + 300] = b"\xff" * 300
        (folder / "registry.db").write_bytes(data)
    elif what == "log":
        (folder / "backup.json").write_bytes(canonical({"head": "0" * 64}))
    elif what == "notes":
        (folder / "backup.json").unlink()
    else:
        shutil.rmtree(folder)
    with open_registry(tmp_path / "other") as other:
        with pytest.raises(RegistryError, match=r"is damaged, so nothing was restored|is no backup"):
            other.restore(folder)
        assert (other.names(), list(other.blobs.all())) == ([], [])


def test_a_backup_under_load_is_one_moment(registry: Registry, make: Make, tmp_path: Path) -> None:
    """Others register, delete and collect meanwhile, without any grace."""
    given = [packed(make(number)) for number in range(8)]
    registry.keep("parts", given[0])
    stop = threading.Event()

    def work() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            version = registry.keep("parts", given[1 + turn % 7])
            registry.promote("parts", version.number)
            registry.promote("parts", 1)
            registry.delete("parts", version.number)
            registry.gc(grace=0.0)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        backups = [registry.backup(tmp_path / f"backup-{turn}") for turn in range(4)]
    finally:
        stop.set()
        thread.join()
    for turn, made in enumerate(backups):
        with open_registry(tmp_path / f"restored-{turn}") as other:
            other.restore(made.path)
            assert other.fsck().problems == ()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == []


def test_machines_share_an_object_store(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One registers, another that never saw the file serves, a third collects."""
    url = f"memory://{tmp_path.name}/models"
    for name in ("one", "two"):
        monkeypatch.setenv("SIGHTLINE_CACHE", str(tmp_path / name))
        with open_registry(tmp_path / "registry", blobs=url) as opened:
            if name == "one":
                for number in (1, 2):
                    opened.register("parts", make(number))
                opened.delete("parts", 2)
                assert len(opened.gc(grace=0.0).addresses) == 1
            version = opened.version("parts")
            assert version.path.is_relative_to(tmp_path / name)
            assert bundle.load(version.path).version == version.seal
            assert opened.fsck().problems == ()
            assert opened.fsck().counts["unneeded"] == 0
            opened.backup(tmp_path / f"backup-{name}")
    with open_registry(tmp_path / "other") as opened:
        opened.restore(tmp_path / "backup-two")
        assert opened.fsck().problems == ()
