"""Models that take features under the verbs that everything else is under: train, evaluate, export, predict."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sightline.core.annotations import Labels
from sightline.core.data import open_data
from sightline.core.dataset import Dataset
from sightline.core.directions import drawn
from sightline.core.errors import SettingsError
from sightline.core.image import write_image
from sightline.core.task import Facts
from sightline.core.vectors import AUTO
from sightline.evaluating.evaluate import evaluate
from sightline.exporting.export import export
from sightline.predicting.model import load, trained
from sightline.sources.drawn import dataset
from sightline.tasks._features import kept
from sightline.tasks.classify import TASK
from sightline.testing.toys import toy
from sightline.testing.without import run_without
from sightline.training.train import train
from tests.tasks.test_novelty import named, surfaces

QUICK = {"precision": "float32", "layout": "plain", "threads": 1, "workers": 1}


def test_hog_and_svm_tell_drawn_shapes(tmp_path: Path) -> None:
    """Learnt, measured, exported; and the bundle answers where neither torch nor scikit-learn is."""
    data = dataset("shapes", 300, size=64)
    run = train(data, model="svm", out=tmp_path / "run", settings=QUICK, options={"features": "hog"}, look=False)
    figures = {row["name"]: row for row in evaluate(run, data).figures}
    assert figures["accuracy"]["value"] >= 0.85
    made = export(run, data=data)
    assert all(row.equal for row in made.parity)
    members = {path.name for path in made.path.iterdir()}
    assert members == {"card.md", "golden.npz", "model.json", "model.onnx", "weights.safetensors"}
    assert not any(b"sklearn" in path.read_bytes() for path in made.path.iterdir() if path.suffix != ".json")
    sample = data[5]
    write_image(tmp_path / "one.png", sample.images[0].read())
    code = f"""
import sys, sightline
answer = sightline.load({str(made.path)!r}).predict([{str(tmp_path / "one.png")!r}])[0]
print(answer.best, answer.scores.max())
assert not {{"torch", "sklearn", "skimage", "scipy.optimize"}} & set(sys.modules)
"""
    said = run_without(("torch", "sklearn", "skimage"), code).split()
    here = load(made.path, backend="torch").predict([sample])[0]
    assert isinstance(here, Labels)
    assert said[0] == here.best
    assert here.scores is not None
    assert float(said[1]) == pytest.approx(float(here.scores.max()), abs=1e-4)
    assert (
        train(data, model="svm", out=tmp_path / "run", settings=QUICK, options={"features": "hog"}).info["state"]
        == "done"
    )


def test_fewer_numbers_are_looked_at_in_words_and_the_graph_holds_how(tmp_path: Path) -> None:
    data = dataset("shapes", count=60, size=32)
    options = {"features": "hog+gabor", "reduce": "random:48"}
    run = train(data, model="logistic", out=tmp_path / "run", settings=QUICK, options=options, look=False)
    made = export(run, data=data)
    assert made.parity, "the graph gives the answers of the network"
    model = load(made.path, backend="torch")
    sample = data[1]
    answers = [one.predict([sample])[0] for one in (model, load(made.path))]
    assert answers[0].gap(answers[1]) < 1e-4
    found, facts = trained(run)[2], TASK.prepare(data, TASK.Options(features="hog+gabor", reduce="random:48"), "svm")
    assert found.model.front.axes.shape == (facts.input.length, 48)
    assert np.allclose(found.model.front.axes, drawn(np.zeros((1, facts.input.length)), 48).axes, atol=1e-6)
    assert kept({"keep": None, "reduce": "pca:32"}) == 32
    assert kept({"keep": None, "reduce": "none"}) == 0
    assert kept({"keep": 7}) == 7, "runs of earlier releases"
    for wrong, model_name, text in (
        ({"reduce": "pca:8", "keep": 8}, "svm", "Leave one of them out"),
        ({"reduce": "umap:8"}, "svm", "must be pca:N, random:N or none"),
        ({"reduce": "pca:8"}, "small", "'small' takes pixels"),
    ):
        with pytest.raises(SettingsError, match=text):
            TASK.prepare(data, TASK.Options(**wrong), model_name)  # type: ignore[arg-type]


def test_flaws_of_drawn_surfaces_are_told_from_usual_ones_alone(tmp_path: Path) -> None:
    whole = surfaces(200)
    sided = [replace(s, split="train" if place < 120 else "test") for place, s in enumerate(whole)]
    usual = [s for s in sided if s.split == "test" or named(s) == "good"]
    data = Dataset(usual, name="surfaces", recipe="surfaces sided")
    options = {"features": "gabor+colour_histogram"}
    run = train(data, "novelty", out=tmp_path / "run", settings=QUICK, options=options, look=False)
    model = load(export(run, data=data).path)
    held = [sample for sample in data if sample.split == "test"]
    answers = model.predict(held)
    scores = [float(answer.score("other")) for answer in answers if isinstance(answer, Labels)]
    assert roc_auc_score([named(sample) != "good" for sample in held], scores) > 0.9


def test_a_trained_network_lends_its_features(tmp_path: Path) -> None:
    """The bundle that stands on it needs neither the run nor its folder."""
    data = toy(Labels, 60)
    base = train(data, model="lenet", out=tmp_path / "base", settings={**QUICK, "epochs": 2}, look=False)
    options = {"features": f"bundle:{base.path}", "keep": 0}
    run = train(data, model="knn:3", out=tmp_path / "run", settings=QUICK, options=options, look=False)
    made = export(run, data=data)
    base.path.rename(tmp_path / "elsewhere")
    first, second = (load(made.path, backend=kind).predict(list(data[:6])) for kind in ("onnx", "torch"))
    assert max(one.gap(other) for one, other in zip(first, second, strict=True)) < 1e-3


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_any_channels_and_depth(channels: int, dtype: str) -> None:
    data = toy(Labels, 8, channels=channels, dtype=dtype)
    facts = TASK.prepare(data, TASK.Options(), "logistic")
    assert facts.input.features == AUTO
    arrays, _ = TASK.inputs(list(data), facts)
    assert arrays["features"].shape == (8, facts.input.length)
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_slips_are_one_line() -> None:
    data = toy(Labels, 8)
    with pytest.raises(SettingsError, match="'small' takes pixels; features are for models such as 'svm'"):
        TASK.prepare(data, TASK.Options(features="hog"), "small")
    with pytest.raises(SettingsError, match=r"hog has no setting 'cell'\. Did you mean 'cells'"):
        TASK.prepare(data, TASK.Options(features="hog:cell=4"), "svm")


def test_what_only_networks_know_is_refused_by_name() -> None:
    data = dataset("shapes", 4, size=32)
    asked = {"mirror": True, "dropout": 0.3, "smoothing": 0.0, "loss": "focal"}
    for model in ("svm", "svm:linear", "forest", "knn", "logistic", "naive_bayes"):
        for name, value in asked.items():
            line = f"task.{name} = {value!r}: that is for networks, and '{model}' learns from features in one go. "
            with pytest.raises(SettingsError, match=f"^{re.escape(line)}"):
                TASK.prepare(data, TASK.Options(**{name: value}), model)  # type: ignore[arg-type]
    both = r"^task.dropout = 0.2, task.mirror = True: these are for networks, and 'svm'"
    with pytest.raises(SettingsError, match=both):
        TASK.prepare(data, TASK.Options(dropout=0.2, mirror=True), "svm")
    assert TASK.prepare(data, TASK.Options(dropout=0.2, mirror=True), "small").options["mirror"]
    assert TASK.prepare(data, TASK.Options(), "svm").input.features == AUTO


def test_facts_from_before_there_were_features_open_as_they_were() -> None:
    plain = TASK.prepare(toy(Labels, 8), TASK.Options(), "small").to_json()
    for spec in plain["inputs"]:
        del spec["features"], spec["length"]
    assert Facts.from_json(plain).input.features == ""


def test_fewer_pictures_than_folds_still_learn(tmp_path: Path) -> None:
    data = Dataset(list(toy(Labels, 9)), name="nine", recipe="nine")
    run = train(data, model="knn", out=tmp_path / "run", settings=QUICK, look=False)
    assert run.info["state"] == "done"


def test_a_broken_picture_is_listed_and_the_rest_is_learnt(tmp_path: Path) -> None:
    for row, sample in enumerate(toy(Labels, 24)):
        folder = tmp_path / "data" / str(named(sample))
        folder.mkdir(parents=True, exist_ok=True)
        write_image(folder / f"{row}.png", sample.images[0].read())
    broken = tmp_path / "data" / "red" / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    data = open_data(tmp_path / "data")
    run = train(data, model="logistic", out=tmp_path / "run", settings={**QUICK, "bad_share": 0.2}, look=False)
    assert run.info["state"] == "done"
    assert any("broken" in name for name in json.loads((run.path / "skipped.json").read_text()))
