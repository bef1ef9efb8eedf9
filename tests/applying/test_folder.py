"""A chain over a folder: whatever happens, what is written is whole, noted, and the same as without it happening."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sightline
from sightline.applying.apply import apply
from sightline.applying.chain import Chain, Outcome
from sightline.applying.folder import Applied, apply_all
from sightline.applying.ledger import Ledger
from sightline.core.annotations import Labels, Objects, from_json
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, RunError, SettingsError, StorageError
from sightline.core.files import digest_file
from sightline.core.image import ArrayImage, read_image, write_image
from sightline.core.progress import Event
from sightline.core.sample import Sample
from tests.applying.conftest import picture

pytestmark = pytest.mark.usefixtures("another")

FOUR = "brighten by=3 | finders.otsu | areas least=3 | slow seconds=0"


def run(chain: str, data: Any, out: Path, **settings: Any) -> Applied:
    made = apply(chain, data, out, **settings)
    assert isinstance(made, Applied)
    return made


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]


def tree(out: Path) -> dict[str, bytes]:
    """Every file but those that hold times."""
    skipped = (".lock", ".journal.jsonl", "seconds.jsonl")
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in skipped)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def test_every_picture_is_written_and_noted(photos: Path, tmp_path: Path) -> None:
    (photos / "day" / "bad.png").write_bytes(b"\x89PNG nothing")
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}
    events: list[Event] = []
    out = tmp_path / "new"
    made = run(FOUR, photos, out, tell=events.append)
    assert {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()} == before
    noted = rows(out)
    assert [row["id"] for row in noted] == list(open_data(photos).column("id"))
    assert made.count == len(noted) == 12
    assert [name for name, *_ in made.failed] == ["day/bad.png"]
    bad = next(row for row in noted if row["id"] == "day/bad.png")
    assert bad["error"]["code"] in ("corrupt", "truncated", "unknown_format")
    for row in noted:
        assert row["sha256"] == digest_file(photos / row["id"])
        assert row["chain"] == Chain.parse(FOUR).seal
        if "error" in row:
            continue
        assert Path(row["output"]).with_suffix("") == Path(row["id"]).with_suffix("")
        assert row["output_sha256"] == digest_file(out / row["output"])
        given, seen = read_image(photos / row["id"]), read_image(out / row["output"])
        assert seen.dtype == given.dtype
        assert np.array_equal(seen, given + given.dtype.type(3))
        regions, objects = row["found"]
        assert (regions["step"], objects["step"], regions["size"]) == (2, 3, [12, 16])
        assert isinstance(from_json(objects["record"]), Objects)
    seconds = [json.loads(line) for line in (out / "seconds.jsonl").read_text().splitlines()]
    assert [row["id"] for row in seconds] == [row["id"] for row in noted]
    assert [row["step"] for row in made.stages] == ["read", *FOUR.split(" | "), "write"]
    assert events[-1].kind == "done"
    assert {event.kind for event in events} >= {"start", "progress", "skip", "done"}


def test_depth_and_suffix_are_kept_or_said(photos: Path, tmp_path: Path) -> None:
    write_image(photos / "day" / "colour.tiff", picture(5, 12, 16, 3, dtype="uint16"))
    write_image(photos / "day" / "float.npy", picture(5).astype(np.float32) / 255)
    run("slow seconds=0", photos, tmp_path / "new")
    assert (tmp_path / "new" / "day" / "colour.tiff").is_file()
    for name in ("day/deep", "day/colour", "day/float", "night/00"):
        source = next(photos.glob(f"{name}.*"))
        output = next((tmp_path / "new").glob(f"{name}.*"))
        assert np.array_equal(read_image(output), read_image(source)), name
    made = run("slow seconds=0", photos, tmp_path / "jpeg", suffix="jpg")
    assert [name for name, *_ in made.failed] == ["day/colour.tiff", "day/deep.png", "day/float.npy"]
    assert (tmp_path / "jpeg" / "night" / "00.jpg").is_file()
    with pytest.raises(SettingsError, match=r"Did you mean '.webp'"):
        run("slow", photos, tmp_path / "other", suffix=".wepb")
    with pytest.raises(RunError, match="begun with"):
        run("slow seconds=0", photos, tmp_path / "jpeg", suffix=".png")


def test_a_second_call_does_nothing_and_a_lost_output_is_made_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    run(FOUR, photos, out)
    before = tree(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    again = run(FOUR, photos, out)
    assert (again.kept, again.count) == (11, 11)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == times
    (out / "day" / "01.png").unlink()
    (out / "day" / "05.png").write_bytes(b"spoilt")
    (out / "day" / ".05.png.1-2.partial").write_bytes(b"half")
    assert run(FOUR, photos, out).kept == 9
    assert tree(out) == before
    write_image(photos / "day" / "more.png", picture(3))
    more = run(FOUR, photos, out)
    assert (more.kept, more.count) == (11, 12)
    assert [row["id"] for row in rows(out)] == list(open_data(photos).column("id"))


def test_other_chains_and_changed_sources_are_not_mixed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    run(FOUR, photos, out)
    before = tree(out)
    with pytest.raises(RunError, match=r"not mixed.*--fresh"):
        run(FOUR.replace("by=3", "by=4"), photos, out)
    write_image(photos / "day" / "01.png", picture(99))
    with pytest.raises(RunError, match=r"1 sources have changed.*day/01\.png"):
        run(FOUR, photos, out)
    assert tree(out) == before
    (out / "mine.txt").write_text("kept")
    with pytest.raises(StorageError, match="holds other things"):
        run(FOUR, photos, out, fresh=True)
    assert (out / "mine.txt").read_text() == "kept"
    (out / "mine.txt").unlink()
    made = run("brighten by=4", photos, out, fresh=True)
    assert (made.kept, made.count) == (0, 11)
    (photos / "day" / "01.png").unlink()
    with pytest.raises(RunError, match="sources are gone"):
        run("brighten by=4", photos, out)


def test_inputs_are_never_written_to(photos: Path, tmp_path: Path) -> None:
    for data, out in (
        (photos, photos),
        (photos, photos / "new"),
        (photos / "day", photos),
        (str(photos / "day" / "01.png"), photos / "day"),
        ([str(photos / "day" / "01.png")], photos),
        (photos, tmp_path),
    ):
        with pytest.raises(RunError, match="Name a"):
            run("brighten", data, out)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x.txt").write_text("x")
    with pytest.raises(StorageError, match="other things"):
        run("brighten", photos, tmp_path / "full")
    assert sorted(path.name for path in photos.iterdir()) == ["day", "night"]


def test_pictures_of_one_name_get_different_ones(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "b.png", "deep/a.png"):
        write_image(tmp_path / "in" / name, picture(len(name)))
    run("brighten", str(tmp_path / "in" / "**" / "*.*"), tmp_path / "out")
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert made == ["a.bmp.png", "a.png.png", "b.png", "deep/a.png"]
    strange = [Sample(name, (ArrayImage(picture(1)),)) for name in ("../up", "/etc/x", "a:b|c", ".hidden", "..")]
    run("brighten", Dataset(strange, recipe="strange"), tmp_path / "safe")
    paths = [row["output"] for row in rows(tmp_path / "safe")]
    assert paths == ["up.png", "etc/x.png", "a-b-c.png", "_hidden.png", "picture.png"]
    twice = Dataset([strange[0], strange[0]], recipe="twice")
    with pytest.raises(RunError, match="two pictures called"):
        run("brighten", twice, tmp_path / "twice")


def test_labels_are_kept_where_they_still_hold(photos: Path, tmp_path: Path) -> None:
    for chain in ("brighten", "turned"):
        made = run(chain, photos, tmp_path / chain)
        assert "11 kept" in made.labels
        again = open_data(tmp_path / chain / "labels.jsonl")
        assert again.kind is Labels
        assert list(again.column("names")) == list(open_data(photos).column("names"))
        assert open_data(tmp_path / chain).kind is Labels
    world = "drawn:shapes?count=6&size=32&truth=objects"
    for chain, says in (
        ("brighten", "6 kept"),
        ("turned", "0 kept"),
        ("cut", "6 left out, since the chain moves what they point at"),
    ):
        made = run(chain, world, tmp_path / f"world-{chain}")
        assert says in made.labels
    kept = open_data(tmp_path / "world-brighten" / "labels.jsonl")
    for before, after in zip(open_data(world), kept, strict=True):
        assert before.truth is not None
        assert before.truth.gap(after.truth) == 0
        assert np.array_equal(before.pixels() + np.uint8(1), after.pixels())


def test_a_new_neighbour_of_the_same_name_leaves_no_orphan(tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "a.png", picture(1))
    run("brighten", tmp_path / "in", tmp_path / "out")
    write_image(tmp_path / "in" / "a.bmp", picture(2))
    run("brighten", tmp_path / "in", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.bmp.png", "a.png.png"]


def test_what_only_looks_writes_no_pictures(photos: Path, tmp_path: Path) -> None:
    made = run("finders.otsu | areas", photos, tmp_path / "found")
    assert made.labels == ""
    assert not list((tmp_path / "found").rglob("*.png"))
    assert all(row["output"] is None and len(row["found"]) == 2 for row in rows(tmp_path / "found"))
    assert run("finders.otsu | areas", photos, tmp_path / "found").kept == 11


def test_a_long_finding_has_a_file_of_its_own(tmp_path: Path) -> None:
    write_image(
        tmp_path / "in" / "large.png", np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
    )
    run("finders.otsu | brighten", tmp_path / "in", tmp_path / "out")
    (found,) = rows(tmp_path / "out")[0]["found"]
    packed = (tmp_path / "out" / found["file"]).read_bytes()
    record = from_json(json.loads(gzip.decompress(packed)))
    assert record.gap(Chain.parse("finders.otsu")(tmp_path / "in" / "large.png").answer) == 0
    (tmp_path / "out" / found["file"]).unlink()
    assert run("finders.otsu | brighten", tmp_path / "in", tmp_path / "out").kept == 0
    assert (tmp_path / "out" / found["file"]).read_bytes() == packed


def test_a_fault_of_a_step_is_raised_when_all_others_are_done(tmp_path: Path) -> None:
    levels = {"a": 0, "b": 100, "c": 255, "d": 100}
    for name, level in levels.items():
        write_image(tmp_path / "in" / f"{name}.png", np.full((4, 4, 3), level, np.uint8))
    with pytest.raises(ZeroDivisionError, match="a fault of the step"):
        run("brighten by=0 | fussy", tmp_path / "in", tmp_path / "out")
    codes = {row["id"][0]: row.get("error", {}).get("code") for row in rows(tmp_path / "out")}
    assert codes == {"a": "bug", "b": None, "c": "mismatch", "d": None}
    said = next(row["error"]["message"] for row in rows(tmp_path / "out") if row["id"] == "c.png")
    assert "fussy (step 2)" in said
    assert "c.png" in said


def test_a_setting_that_nothing_can_have_is_said_once(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="sigma"):
        run("brighten | gaussian sigma=-1", photos, tmp_path / "out")
    assert not list((tmp_path / "out").glob("[a-z]*"))
    run("brighten", photos, tmp_path / "out")


def test_a_torn_journal_costs_no_more_than_its_last_line(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    run(FOUR, photos, out)
    before = tree(out)
    journal = (out / ".journal.jsonl").read_bytes()
    lines = journal.splitlines(keepends=True)
    for cut in (len(journal) - 9, len(journal) - len(lines[-1]), len(lines[0]) + 1, 0):
        (out / ".journal.jsonl").write_bytes(journal[:cut])
        made = run(FOUR, photos, out)
        assert made.kept == journal[:cut].count(b"\n")
        assert tree(out) == before
    (out / ".journal.jsonl").write_bytes(b"junk\n" + journal)
    assert run(FOUR, photos, out).kept == 11
    with Ledger(out) as ledger:
        assert len(ledger) == 11


def test_a_journal_cannot_lead_out_of_its_folder(photos: Path, tmp_path: Path) -> None:
    out, outside = tmp_path / "new", tmp_path / "outside.png"
    outside.write_bytes(b"mine")
    run("brighten", photos, out)
    row = json.dumps({**rows(out)[0], "output": "../outside.png"})
    with (out / ".journal.jsonl").open("a") as file:
        file.write(row + "\n")
    assert apply_all(Chain.parse("brighten"), photos, out).kept == 10
    assert all((out / row["output"]).is_file() for row in rows(out))
    with (out / ".journal.jsonl").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(StorageError):  # what it no longer knows as its own is left where it is
        run("turned", photos, out, fresh=True)
    assert outside.read_bytes() == b"mine"


def test_one_picture_gives_an_outcome(photos: Path) -> None:
    assert sightline.apply is apply
    assert sightline.Chain is Chain
    path = photos / "day" / "01.png"
    for one in (path, str(path), path.read_bytes(), read_image(path), open_data(photos)[0]):
        assert isinstance(apply("brighten | finders.otsu", one), Outcome)
    with pytest.raises(SettingsError, match="name a folder"):
        apply("brighten", photos)
    with pytest.raises(InputError):
        apply("brighten", b"junk")


def killed(words: list[str], out: Path, after: int) -> bool:
    """The command, killed outright once its journal has so many lines; False where it was done before."""
    child = subprocess.Popen([sys.executable, "-m", "sightline", *words], stdout=-3, stderr=-3)
    journal = out / ".journal.jsonl"
    while child.poll() is None:
        if journal.is_file() and journal.read_bytes().count(b"\n") >= after:
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    child.wait()
    return child.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_anywhere_and_continued_it_is_the_same(tmp_path: Path) -> None:
    for number in range(24):
        write_image(tmp_path / "in" / ("a", "b")[number % 2] / f"{number:02}.png", picture(number))
    (tmp_path / "in" / "a" / "bad.png").write_bytes(b"junk")
    chain = "brighten by=3 | finders.otsu | areas least=3 | slow seconds=0.03"
    words = ["apply", chain, str(tmp_path / "in"), "--quiet"]
    run(chain, tmp_path / "in", tmp_path / "calm")
    out = tmp_path / "stormy"
    kills = sum(killed([*words, "--out", str(out)], out, after) for after in (1, 9, 17))
    assert kills == 3
    assert not (out / "manifest.jsonl").exists()
    last = subprocess.run([sys.executable, "-m", "sightline", *words, "--out", str(out)], check=False)
    assert last.returncode == 2  # one picture is bad
    assert tree(out) == tree(tmp_path / "calm")
