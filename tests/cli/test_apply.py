"""`sightline apply`, and rules beside runs in `evaluate` and `compare`, as a user runs them."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.cli import main
from sightline.core.image import read_image, write_image
from tests.cli.conftest import Command, Trained, run

WORLD = "drawn:shapes?count=6&size=48&truth=objects"


def test_pictures_are_written_and_times_are_said(sightline: Command, tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / "in" / f"{number}.png", np.full((20, 24, 3), 40 * number, np.uint8))
    done = sightline("apply", "gaussian sigma=2 | gaussian", "in", "--out", "new", "--suffix", ".tiff")
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "3 pictures in new"
    assert [line.split("  ")[1] for line in lines[1:]] == ["read", "gaussian sigma=2", "gaussian", "write"]
    assert sorted(path.name for path in (tmp_path / "new").glob("*.tiff")) == ["0.tiff", "1.tiff", "2.tiff"]
    again = sightline("apply", "--chain", "new/chain.toml", "in", "--out", "new", "--suffix", ".tiff", "--json")
    assert again.status == 0, again.err
    document = again.document
    assert (document["count"], document["kept"], document["failed"]) == (3, 3, [])
    assert document["stages"][1]["step"] == "gaussian sigma=2"
    assert document["paths"]["manifest"] == "new/manifest.jsonl"
    (tmp_path / "in" / "bad.png").write_bytes(b"junk")
    bad = sightline("apply", "--chain", "new/chain.toml", "in", "--out", "new", "--suffix", ".tiff")
    assert bad.status == 2
    assert "1 failed" in bad.out
    assert "bad.png" in bad.err


def test_answers_are_said_where_nothing_is_written(sightline: Command, tmp_path: Path) -> None:
    done = sightline("apply", "finders.otsu | areas least=5 | count", WORLD)
    assert done.status == 0, done.err
    assert len(done.out.splitlines()) == 6
    assert done.out.startswith("shapes-000000: count ")
    document = sightline("apply", "finders.otsu | areas least=5 | count", WORLD, "--json").document
    assert document["answers"][0]["answer"]["kind"] == "value"
    assert len(document["answers"][0]["seconds"]) == 3
    assert [row["step"] for row in document["stages"]] == ["finders.otsu", "areas least=5", "count"]
    assert not list(tmp_path.iterdir())


def test_stages_are_shown_on_one_page(sightline: Command, tmp_path: Path) -> None:
    words = ("apply", "gaussian | finders.otsu | areas", WORLD, "--show", "stages", "--count", "2")
    assert sightline(*words, "--out", "deep/page.html").out == "page: deep/page.html\n"
    assert (tmp_path / "deep" / "page.html").read_text().count("<figure>") == 8
    done = sightline(*words, "--out", "new")
    assert done.status == 0, done.err
    assert (tmp_path / "new" / "stages.html").is_file()
    assert len(list((tmp_path / "new").glob("*.png"))) == 6
    assert sightline(*words, "--out", "new", "--fresh").status == 0


def test_what_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, says in (
        (("gausian", WORLD), "Did you mean 'gaussian'?"),
        (("gaussian sigam=2", WORLD), "Did you mean 'sigma'?"),
        (("gaussian", WORLD), "name a folder for them with --out"),
        (("gaussian",), "name the steps, then the pictures"),
        (("--chain", "none.toml", WORLD), "none.toml"),
        (("finders.otsu", WORLD, "--show", "stage"), "there is one thing to show"),
        (("finders.otsu", WORLD, "--show", "stages", "--count", "0"), "1 picture or more"),
        (("finders.otsu", "no/folder"), "no/folder"),
        (("finders.otsu", WORLD, "--out", "x", "--workers", "0"), "1 or more"),
    ):
        assert main(["apply", *words]) == 2, words
        said = capsys.readouterr().err
        assert says in said, words
        assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_rules_are_measured_as_models_are(sightline: Command) -> None:
    done = sightline("evaluate", "finders.otsu | areas least=1000000", WORLD)
    assert done.status == 0, done.err
    assert "average_precision_50: 0 " in done.out
    assert "2. areas least=1000000  6 found nothing  0 left" in done.out
    document = sightline("evaluate", "finders.otsu | areas | count", WORLD, "--json").document
    assert document["figures"][0]["name"] == "mean_absolute_error"
    assert document["count"] == 6
    assert "name the data" in sightline("evaluate", "finders.otsu | areas").err


def test_rules_and_learning_stand_in_one_table(trained: Trained) -> None:
    """On the pictures that the run held out, with a paired interval."""
    chain = "finders.otsu | rule name=good when='share_light>2' otherwise=scratch"
    done = run(trained.folder, "compare", str(trained.run), chain, "--json")
    assert done.status == 0, done.err
    pair = done.document["pairs"][0]
    assert pair["second"] == chain
    found = pair["metrics"]["accuracy"]
    assert {"first", "second", "difference", "low", "high", "verdict"} <= set(found)
    evaluation = json.loads((trained.folder / trained.run / "evaluation.json").read_text())
    assert found["first"] == next(row["value"] for row in evaluation["figures"] if row["name"] == "accuracy")
    assert found["count"] == evaluation["count"]
    turned = run(trained.folder, "compare", chain, str(trained.run), "--json").document["pairs"][0]["metrics"]
    assert turned["accuracy"]["difference"] == -found["difference"]


def test_a_trained_model_is_a_step(trained: Trained) -> None:
    """Alone, and for every thing that a step before it found: crop, then answer."""
    place = str(trained.run)
    world = "drawn:parts?count=3&size=32"
    said = run(trained.folder, "predict", place, world, "--json").document["answers"]
    found = run(trained.folder, "apply", place, world, "--json").document["answers"]
    assert [row["answer"]["names"] for row in found] == [row["answer"]["names"] for row in said]
    each = run(
        trained.folder, "apply", f"gaussian sigma=.5 | finders.otsu | areas least=9 | each ({place})", world, "--json"
    )
    assert each.status == 0, each.err
    details = [details for row in each.document["answers"] for details in row["answer"]["details"]]
    assert details
    assert all(one["answer"]["kind"] == "labels" for one in details)
    out = run(trained.folder, "apply", f"gaussian | {place}", world, "--out", "answered")
    assert out.status == 0, out.err
    rows = [json.loads(line) for line in (trained.folder / "answered" / "manifest.jsonl").read_text().splitlines()]
    assert all(row["found"][0]["record"]["kind"] == "labels" for row in rows)
    assert read_image(trained.folder / "answered" / rows[0]["output"]).shape == (32, 32, 3)
