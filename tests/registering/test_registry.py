"""Versions, what they are called, the way back, and a log of it all."""

import dataclasses
import itertools
import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from sightline.core import bundle
from sightline.core.errors import BundleError, RegistryError
from sightline.core.progress import Event
from sightline.core.schema import migrate
from sightline.registering.registry import Registry, open_registry
from sightline.registering.tables import SCHEMA
from sightline.registering.version import Source
from tests.registering.conftest import Make


def test_a_version_is_a_bundle_that_anyone_can_load(registry: Registry, make: Make) -> None:
    source: Source = registry
    first = registry.register("parts", make(1), note="the first")
    second = registry.register("parts", make(2, "two.sightline"))
    assert (first.number, second.number) == (1, 2)
    assert source.names() == ["parts"]
    assert source.version("parts") == first
    assert source.version("parts", "latest") == source.version("parts", "2") == source.version("parts", 2) == second
    for version, made in ((first, "bundle-1"), (second, "two.sightline")):
        held, given = bundle.load(version.path), bundle.load(registry.blobs.folder.parent.parent / made)
        assert version.path.is_absolute()
        assert (held.version, held.files, held.model) == (given.version, given.files, given.model)
        assert held.version == version.seal
    assert first.note == "the first"
    assert first.task == "sort"
    assert first.figures[0]["value"] == 0.9
    assert first.lineage["data"] == {"name": "drawn:parts?count=40", "fingerprint": "f00d"}
    assert {first.lineage[key] for key in ("split", "run")} == {"5911", "parts-1"}
    assert (first.lineage["settings"], first.lineage["parents"]) == ({"epochs": 2}, ["parts-0"])
    assert first.lineage["code"] == {"sightline": "0.1.0"}


def test_a_folder_and_a_file_of_one_bundle_are_one_version(registry: Registry, make: Make) -> None:
    said: list[Event] = []
    first = registry.register("parts", make(1), tell=said.append)
    again = registry.register(
        "parts", make(1, "one.sightline"), alias="challenger", note="seen again", tell=said.append
    )
    assert dataclasses.replace(again, note="") == first
    assert registry.version("parts").note == "seen again"
    assert registry.aliases("parts") == {"champion": 1, "challenger": 1}
    assert [event.text for event in said] == [
        "parts 1 is registered",
        "parts 1 is the champion: it is the first",
        "the same bundle is parts 1 already: nothing new",
    ]
    assert [event.facts.get("new") for event in said] == [True, None, False]
    other = registry.register("shapes", make(1))
    assert (other.number, other.path) == (1, first.path), "another model may hold the same bytes"
    assert [version.number for version in registry.versions()] == [1, 1]


def test_a_later_version_answers_nobody_until_it_is_promoted(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number), alias="challenger" if number == 3 else None)
    assert registry.aliases("parts") == {"champion": 1, "challenger": 3}
    assert registry.promote("parts", "challenger").number == 3
    assert registry.version("parts").number == 3
    assert registry.promote("parts", "latest", "fast").number == 3
    assert registry.aliases("parts") == {"champion": 3, "challenger": 3, "fast": 3}
    registry.unalias("parts", "fast")
    assert registry.aliases("parts") == {"champion": 3, "challenger": 3}


def test_the_way_back_goes_back_further_each_time(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3, 4):
        registry.register("parts", make(number))
    for number in (2, 3, 3, 4):
        registry.promote("parts", number)
    registry.promote("parts", 1)
    registry.delete("parts", 4)
    assert [registry.rollback("parts").number for _ in range(2)] == [3, 2], "4 was deleted, 3 counts once"
    registry.promote("parts", 3)
    assert [registry.rollback("parts").number for _ in range(2)] == [2, 1]
    with pytest.raises(RegistryError, match=r"named nothing before 1 .*no way back"):
        registry.rollback("parts")
    assert registry.version("parts").number == 1
    moves = [entry.what for entry in registry.log() if entry.what in ("promote", "rollback")]
    assert moves.count("rollback") == 4, "every move is in the log"


def test_one_row_changes_when_an_alias_moves(registry: Registry, make: Make, tmp_path: Path) -> None:
    for number in (1, 2):
        registry.register("parts", make(number))

    def everything() -> dict[str, set[Any]]:
        with sqlite3.connect(tmp_path / "registry" / "registry.db") as plain:
            found = {
                name: set(plain.execute(f"SELECT * FROM registry_{name}"))
                for name in ("models", "versions", "aliases", "log", "state")
            }
        plain.close()
        return found

    for move in (lambda: registry.promote("parts", 2), lambda: registry.rollback("parts")):
        before = everything()
        move()
        after = everything()
        assert {name: len(before[name] - after[name]) for name in before} == {
            "models": 0, "versions": 0, "aliases": 1, "log": 0, "state": 1,
        }  # fmt: skip
        assert len(after["log"]) == len(before["log"]) + 1


def test_changes_are_counted_and_questions_are_not(registry: Registry, make: Make) -> None:
    made = [make(1), make(2)]
    changes = [
        lambda: registry.register("parts", made[0]),
        lambda: registry.register("parts", made[1]),
        lambda: registry.promote("parts", 2),
        lambda: registry.rollback("parts"),
        lambda: registry.promote("parts", 2, "challenger"),
        lambda: registry.set_traffic("parts", {"shares": {"champion": 0.5, "challenger": 0.5}}),
        lambda: registry.set_traffic("parts", None),
        lambda: registry.unalias("parts", "challenger"),
        lambda: registry.note("parts", 2, "slow"),
        lambda: registry.delete("parts", 2),
    ]
    counts = [registry.changed()]
    for change in changes:
        change()
        counts.append(registry.changed())
    assert all(later > earlier for earlier, later in itertools.pairwise(counts))
    registry.names(), registry.versions(), registry.version("parts"), registry.aliases("parts"), registry.log()
    registry.register("parts", made[0])
    registry.promote("parts", 1)
    assert registry.changed() == counts[-1]


def test_traffic_is_kept_and_holds_what_it_names(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number), alias="challenger" if number == 3 else None)
    assert registry.traffic("parts") is None
    setting = {"kind": "split", "shares": {"champion": 0.9, "challenger": 0.05, "2": 0.05}, "least": 3}
    registry.set_traffic("parts", setting)
    assert registry.traffic("parts") == setting
    with pytest.raises(RegistryError, match="requests are shared with parts 2"):
        registry.delete("parts", 2)
    with pytest.raises(RegistryError, match="requests are shared with the challenger"):
        registry.unalias("parts", "challenger")
    registry.set_traffic("parts", {"kind": "shadow", "shadows": ["2"], "least": 3})
    registry.unalias("parts", "challenger")
    assert registry.delete("parts", 3).number == 3, "3 is a count here, and no version"
    with pytest.raises(ValueError, match="JSON"):
        registry.set_traffic("parts", {"shares": float("nan")})


def test_a_number_is_never_given_twice(registry: Registry, make: Make) -> None:
    for number in (1, 2, 3):
        registry.register("parts", make(number))
    registry.delete("parts", 3)
    with pytest.raises(RegistryError, match="parts 3 was deleted on 20"):
        registry.version("parts", 3)
    assert registry.version("parts", "latest").number == 2
    assert registry.register("parts", make(3)).number == 4
    assert [version.number for version in registry.versions("parts")] == [1, 2, 4]
    assert [version.number for version in registry.versions("parts", deleted=True)] == [1, 2, 3, 4]


def test_the_log_says_who_and_is_only_added_to(registry: Registry, make: Make) -> None:
    registry.register("parts", make(1), note="n")
    registry.acting("token:deploy").register("shapes", make(2))
    entries = registry.log()
    assert [(entry.number, entry.who, entry.what, entry.name) for entry in entries] == [
        (1, "ann", "register", "parts"),
        (2, "ann", "promote", "parts"),
        (3, "token:deploy", "register", "shapes"),
        (4, "token:deploy", "promote", "shapes"),
    ]
    assert entries[0].facts["note"] == "n"
    assert entries[1].facts == {"alias": "champion", "number": 1, "before": None}
    assert registry.log("shapes", after=3) == entries[3:]
    assert registry.log(most=2) == entries[:2]
    for statement in ("UPDATE registry_log SET who = 'me'", "DELETE FROM registry_log"):
        with pytest.raises(Exception, match="never changed"), registry.database.write() as connection:
            connection.exec_driver_sql(statement)
    assert registry.log() == entries


def refused(registry: Registry, make: Make) -> list[tuple[Any, str]]:
    return [
        (
            lambda: registry.version("prats"),
            r"no model is called 'prats' here\. Did you mean 'parts'\? Models: parts\.",
        ),
        (lambda: registry.version("parts", 9), r"has no version 9\. It has 1 to 2, and champion, latest\."),
        (lambda: registry.version("parts", 0), "has no version 0"),
        (lambda: registry.version("parts", "9" * 40), "has no version 999"),
        (lambda: registry.version("parts", "chmpion"), r"no alias 'chmpion'\. Did you mean 'champion'\?"),
        (lambda: registry.promote("parts", 9), "has no version 9"),
        (lambda: registry.promote("parts", 2, "latest"), "always the highest number"),
        (lambda: registry.promote("parts", 2, "7"), "cannot be an alias"),
        (lambda: registry.rollback("parts", "challenger"), r"no alias 'challenger'.*It has: champion"),
        (lambda: registry.unalias("parts", "champion"), "needs a champion"),
        (lambda: registry.delete("parts", 1), r"parts 1 is its champion.*sightline promote parts NUMBER"),
        (lambda: registry.set_traffic("prats", {}), "Did you mean 'parts'"),
        (lambda: registry.register("Parts of it", make(3)), "cannot name a model"),
        (lambda: registry.register("../parts", make(3)), "cannot name a model"),
        (lambda: registry.register("parts", make(3), alias="Champion"), "cannot be an alias"),
        (lambda: registry.versions("prats"), "Did you mean 'parts'"),
        (lambda: registry.traffic("prats"), "Did you mean 'parts'"),
        (lambda: registry.aliases("prats"), "Did you mean 'parts'"),
    ]


def test_what_cannot_be_is_one_line_and_changes_nothing(registry: Registry, make: Make) -> None:
    for number in (1, 2):
        registry.register("parts", make(number))
    before = registry.changed()
    for wrong, said in refused(registry, make):
        with pytest.raises(RegistryError, match=said):
            wrong()
    assert registry.changed() == before
    assert registry.fsck().problems == ()


def test_a_bad_bundle_is_never_registered(registry: Registry, make: Make, tmp_path: Path) -> None:
    made = make(1)
    (made / "card.md").write_bytes(b"# Another\n")
    with pytest.raises(BundleError, match=r"card\.md is damaged"):
        registry.register("parts", made)
    with pytest.raises(BundleError, match="no bundle and no run at"):
        registry.register("parts", tmp_path / "nothing")
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(BundleError, match=r"no bundle yet\. Make one with: sightline export"):
        registry.register("parts", run)
    make(2, "run/bundle")
    assert registry.names() == []
    assert registry.register("parts", run).number == 1


def test_a_registry_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    with pytest.raises(RegistryError, match=r"no registry at .*gone\. Make one by registering a model"):
        open_registry(tmp_path / "gone", create=False)
    assert not (tmp_path / "gone").exists()
    monkeypatch.setenv("SIGHTLINE_REGISTRY", str(tmp_path / "named"))
    monkeypatch.setenv("SIGHTLINE_BLOBS", str(tmp_path / "files"))
    with open_registry() as opened:
        assert opened.register("parts", make(1)).path.is_relative_to(tmp_path / "files")
        opened.register("parts", make(2))
    with open_registry(tmp_path / "named", blobs=tmp_path / "elsewhere") as opened:
        for wanted in (opened.version, lambda name: opened.promote(name, 2)):
            with pytest.raises(RegistryError, match=r"bundle of parts [12] is not at .*SIGHTLINE_BLOBS"):
                wanted("parts")
        assert opened.aliases("parts") == {"champion": 1}


def test_the_step_has_a_way_back(registry: Registry, make: Make) -> None:
    registry.register("parts", make(1))
    assert migrate(registry.database, SCHEMA, 0) == [SCHEMA.steps[0].name]
    assert migrate(registry.database, SCHEMA) == [SCHEMA.steps[0].name]
    assert registry.names() == []


def test_eight_processes_number_without_a_gap(registry: Registry, make: Make, tmp_path: Path) -> None:
    """And every reader meanwhile sees an alias that names a version whose file holds what its row says."""
    made = [make(number) for number in range(24)]
    registry.register("parts", made[0])

    def work(turn: int) -> None:
        with open_registry(tmp_path / "registry") as own:
            for path in made[turn::8]:
                number = own.register("parts", path).number
                own.promote("parts", number)

    stop, seen, wrong = threading.Event(), set(), []

    def look() -> None:
        while not stop.is_set():
            version = registry.version("parts")
            seen.add(version.number)
            if bundle.load(version.path).version != version.seal:
                wrong.append(version)

    processes = []
    for turn in range(8):
        processes.append(os.fork())
        if processes[-1] == 0:
            try:
                work(turn)
                os._exit(0)
            finally:
                os._exit(1)
    reader = threading.Thread(target=look)
    reader.start()
    assert [os.waitpid(one, 0)[1] for one in processes] == [0] * 8
    stop.set()
    reader.join()
    assert [version.number for version in registry.versions("parts")] == list(range(1, 25))
    assert len({version.seal for version in registry.versions("parts")}) == 24
    assert wrong == []
    assert seen
    assert registry.fsck().problems == ()
