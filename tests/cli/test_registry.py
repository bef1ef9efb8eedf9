"""From a run to a version, to another one, and back, by commands alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.core import bundle
from tests.cli.conftest import Command, Done
from tests.registering.conftest import model


@pytest.fixture
def bundles(tmp_path: Path) -> list[str]:
    names = [f"bundle-{number}" for number in (1, 2)]
    for name in names:
        bundle.save(tmp_path / name, model(), {"card.md": name.encode()})
    return names


def test_a_run_is_registered_in_one_command(here: Callable[..., Done], tmp_path: Path) -> None:
    run = tmp_path / "runs" / "parts-1"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"format": 1}))
    assert "no bundle yet. Make one with: sightline export runs/parts-1" in here("register", "parts-1").err
    bundle.save(run / "bundle", model(), {"card.md": b"# A model"})
    done = here("register", "parts-1", "--json", "--registry", "models")
    assert done.status == 0, done.err
    version = done.document["version"]
    assert (version["name"], version["number"], version["aliases"]) == ("parts", 1, ["champion"])
    assert (tmp_path / "models" / "registry.db").is_file()
    assert (version["figures"][0]["low"], version["lineage"]["parents"]) == (0.8, ["parts-0"])
    assert bundle.load(Path(version["path"])).version == version["seal"]
    again = here("register", str(run / "bundle"), "--registry", "models")
    assert "already: nothing new" in again.out


def test_versions_come_and_go(here: Callable[..., Done], bundles: list[str]) -> None:
    first = here("register", bundles[0], "--note", "more [data]")
    assert first.out.splitlines()[:2] == ["parts 1 is registered", "parts 1 is the champion: it is the first"]
    second = here("register", bundles[1], "--name", "parts", "--alias", "challenger")
    assert second.out.splitlines()[-2:] == ["the champion is still 1. Change it with:", "  sightline promote parts 2"]
    table = here("versions").out.splitlines()
    assert table[0].split() == ["model", "version", "aliases", "created", "data", "measured", "note"]
    assert "accuracy 0.9 (0.8 to 0.95)" in table[1]
    assert table[1].endswith("more [data]")
    assert table[2].split()[:3] == ["parts", "2", "challenger"]
    assert here("promote", "parts", "challenger").out == "parts 2 is the champion; before it was 1\n"
    assert here("promote", "parts", "2").out == "parts 2 is the champion already\n"
    back = here("rollback", "parts", "--json").document
    assert (back["before"], back["version"]["number"], back["alias"]) == (2, 1, "champion")
    assert here("registry", "unalias", "parts", "challenger").status == 0
    assert here("registry", "note", "parts", "2", "slow").out == "parts 2: slow\n"
    assert here("registry", "delete", "parts", "2").status == 0
    assert [row["number"] for row in here("versions", "parts", "--json").document["versions"]] == [1]
    assert [row["number"] for row in here("versions", "--deleted", "--json").document["versions"]] == [1, 2]
    assert here("registry", "gc").out.startswith("0 files")
    assert here("registry", "gc", "--grace", "0").out.startswith("1 files")
    log = here("registry", "log", "parts")
    assert [line.split()[4] for line in log.out.splitlines()[1:]] == [
        "register", "promote", "register", "promote", "promote", "rollback", "unalias", "note", "delete",
    ]  # fmt: skip


def test_a_registry_is_checked_saved_and_restored(
    here: Callable[..., Done], bundles: list[str], tmp_path: Path
) -> None:
    version = here("register", bundles[0], "--json").document["version"]
    said = here("registry", "fsck").out
    assert said.startswith("all is well: 1 version, 1 file (")
    here("registry", "note", "parts", "1", "good")
    assert here("registry", "fsck", "--noted", said.split()[-1]).status == 0
    assert "written anew" in here("registry", "fsck", "--noted", "0" * 64).out
    assert here("registry", "backup", "saved").status == 0
    Path(version["path"]).write_bytes(b"rotten")
    done = here("registry", "fsck")
    assert done.status == 2
    assert "the file of parts 1 is damaged" in done.out
    found = here("registry", "fsck", "--json")
    assert (found.status, len(found.document["problems"])) == (2, 1)
    assert here("registry", "restore", "saved", "--registry", "second").status == 0
    assert here("registry", "fsck", "--registry", "second").status == 0
    assert (tmp_path / "second" / "registry.db").is_file()


def test_what_cannot_be_is_one_line(here: Callable[..., Done], bundles: list[str], tmp_path: Path) -> None:
    nothing = "there is no registry at registry. Make one by registering a model: sightline register RUN"
    for words in (["versions"], ["promote", "parts", "1"], ["rollback", "parts"], ["registry", "fsck"]):
        assert nothing in here(*words).err
    assert not (tmp_path / "registry").exists()
    assert here("register", bundles[0]).status == 0
    for words, said in (
        (["registry", "fsk"], "Did you mean 'fsck'?"),
        (["registry", "delete", "parts"], "write: sightline registry delete NAME WHICH"),
        (["registry", "fsck", "parts"], "write: sightline registry fsck"),
        (["registry", "gc", "--grace", "-1"], "0 seconds or more"),
        (["register", bundles[1], "--name", "a/b"], "cannot name a model"),
        (["register", bundles[1], "--alias", "latest"], "always the highest number"),
        (["register", "nothing"], "no bundle and no run at nothing"),
        (["versions", "prats"], "Did you mean 'parts'?"),
        (["promote", "parts", "chalenger"], "It has 1, and champion, latest."),
        (["rollback", "parts"], "no way back"),
    ):
        done = here(*words)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), words
        assert said in done.err


def test_what_is_not_installed_is_said(sightline: Command) -> None:
    missing = sightline("versions", "--registry", "postgresql://ann@/models", blocked=("sqlalchemy",))
    assert "pip install 'sightline[serve]'" in missing.err
