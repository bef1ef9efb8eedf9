"""Explanations by the command: drawn where they may be shown, the reason where not."""

import json
from pathlib import Path

import pytest

from sightline.core.image import encode, read_image
from sightline.sources.drawn import dataset
from tests.cli.conftest import Trained, run
from tests.tasks.lessons import learnt, shared_folder


def test_what_learnt_next_to_nothing_is_withheld_with_the_reason(trained: Trained) -> None:
    document = json.loads((trained.run / "evaluation.json").read_bytes())["studies"]["explanations"]
    assert not any(row["shown"] for row in document["verdicts"])
    done = run(trained.folder, "explain", trained.run.name, "drawn:parts?count=2&size=32", "--json", "--quiet")
    assert done.status == 0, done.err
    assert done.document["explanations"] == []
    assert "baseline" in done.document["verdict"]["reasons"][0]
    assert "withheld" in (trained.folder / done.document["paths"]["page"]).read_text(encoding="utf-8")
    assert "Explanations are withheld" in (trained.run / "report.html").read_text(encoding="utf-8")


def test_maps_are_drawn_without_torch(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bundle = learnt("classify", shared_folder(tmp_path_factory)).run.bundle
    photos = tmp_path / "photos"
    photos.mkdir()
    for row, sample in enumerate(dataset("shapes", 2, size=64, seed=7)):
        (photos / f"{row}.png").write_bytes(encode(sample.pixels()))
    (photos / "bad.jpg").write_bytes(b"\xff\xd8\xff no picture")
    done = run(tmp_path, "explain", str(bundle), "photos", "--out", "why", blocked=("torch",))
    assert done.status == 2
    assert done.out.splitlines()[0].startswith("Occlusion is shown unchecked")
    assert "error[corrupt]" in done.err
    page = (tmp_path / "why" / "explanations.html").read_text(encoding="utf-8")
    assert page.count("<img") == 4
    assert "bad.jpg" in page
    assert read_image(tmp_path / "why" / "0.png").shape[2] == 3
    assert read_image(tmp_path / "why" / "1.png").shape[2] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("drawn:parts?count=1&size=32", "--method", "gradcan"), "no method is called 'gradcan'"),
        ((), "name pictures to explain"),
        (("drawn:parts?count=1&size=32", "--near", "-1"), "give 0 or more"),
        (("gone.png", "--hierarchy"), "gone.png"),
        (("drawn:parts?count=1&size=32", "--out", "RUN/run.json"), "run.json: a file stands where a folder should be."),
    ],
)
def test_a_wrong_word_is_one_line(trained: Trained, words: tuple[str, ...], said: str) -> None:
    words = tuple(word.replace("RUN", str(trained.run)) for word in words)
    done = run(trained.folder, "explain", trained.run.name, *words, "--quiet")
    assert done.status == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1
