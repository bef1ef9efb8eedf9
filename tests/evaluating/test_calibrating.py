"""From a run to answers that know what they do not know, through evaluation, bundle and command alike."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import bundle as bundles
from sightline.core.annotations import Labels, Objects
from sightline.core.calibration import NOTHING
from sightline.core.dataset import Dataset
from sightline.core.errors import BundleError, RunError
from sightline.core.run import Run
from sightline.core.sides import reopen
from sightline.evaluating.calibrating import calibrated
from sightline.evaluating.describe import report
from sightline.evaluating.evaluate import Evaluation, evaluate
from sightline.evaluating.rivals import rivals
from sightline.exporting.export import export
from sightline.predicting.answers import torch_run
from sightline.predicting.model import Model, load, trained
from sightline.testing.toys import toy
from sightline.training.train import train

QUICK = {
    "epochs": 2, "batch": 16, "precision": "float32", "layout": "plain", "threads": 1, "workers": 0, "rate": 0.003,
    "average": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy(Labels, 720, size=32)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    where = tmp_path_factory.mktemp("trust") / "run"
    return train(data, "classify", model="quick:s", out=where, settings=QUICK, options={"size": 32}, look=False)


@pytest.fixture(scope="module")
def evaluation(run: Run, data: Dataset) -> Evaluation:
    return evaluate(run, data)


@pytest.fixture(scope="module")
def model(run: Run, data: Dataset, evaluation: Evaluation) -> Model:
    export(run, data=data)
    return load(run.bundle, threads=1)


def _noise(count: int = 20) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]


def test_the_bundle_answers_as_the_evaluation_was_measured(
    run: Run, data: Dataset, model: Model, evaluation: Evaluation
) -> None:
    held = reopen(run.info, data, folder=run.path).side("test")
    given = [answer for _, answer in model.predict_all(held)]
    pairs = [(s.truth, a) for s, a in zip(held, given, strict=True) if isinstance(a, Labels)]
    right = np.mean([truth.best == answer.best for truth, answer in pairs])  # type: ignore[union-attr]
    assert right == pytest.approx(evaluation.figures[0]["value"])
    surprise = -np.mean([np.log(answer.score(truth.best)) for truth, answer in pairs])  # type: ignore[union-attr]
    loss = next(row for row in evaluation.figures if row["name"] == "log_loss")
    assert surprise == pytest.approx(loss["value"], rel=1e-3)
    assert model.calibration.count == len(reopen(run.info, data, folder=run.path).side("val"))
    assert model.calibration.outliers is not None
    assert model.card["calibration"]["outliers"]["output"] == "features"


def test_noise_is_refused_and_what_it_knows_is_not(run: Run, data: Dataset, model: Model) -> None:
    held = reopen(run.info, data, folder=run.path).side("test")
    usual = [answer.outlier for _, answer in model.predict_all(held)]  # type: ignore[union-attr]
    assert np.mean(np.array(usual) > 1) < 0.05
    for answer in model.predict(_noise()):
        decision = model.judge(answer)
        assert decision is not None
        assert decision.unsure
        assert "unlike the pictures it learnt from" in decision.why


def test_torch_and_the_runtime_agree_on_how_unlike_a_picture_is(run: Run, data: Dataset, model: Model) -> None:
    pictures = [data[row].pixels() for row in range(8)] + _noise(4)
    other = load(run.bundle, backend="torch").predict(pictures)
    for one, two in zip(model.predict(pictures), other, strict=True):
        assert one.gap(two) < 1e-3
        assert one.outlier == pytest.approx(two.outlier, rel=1e-3, abs=1e-3)  # type: ignore[attr-defined]


def test_it_is_learnt_once_and_anew_for_other_weights(run: Run, data: Dataset, model: Model, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "run")
    copy = Run(tmp_path / "run")
    task, facts, network = trained(copy)
    parted, passes = reopen(copy.info, data, folder=copy.path), torch_run(network)

    def never(arrays: Any) -> Any:
        raise AssertionError("asked the network again")

    kept = calibrated(copy, task, facts, never, parted)
    assert kept.to_json() == json.loads(json.dumps(model.card["calibration"])) == model.calibration.to_json()
    copy.weights.write_bytes(copy.weights.read_bytes() + b" ")
    with pytest.raises(AssertionError, match="asked the network again"):
        calibrated(copy, task, facts, never, parted)
    shutil.copy(run.weights, copy.weights)
    (copy.path / "reference.npz").write_bytes(b"damaged")
    assert calibrated(copy, task, facts, passes, parted).to_json() == kept.to_json(), "damaged arrays are made anew"
    (copy.path / "calibration.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        calibrated(copy, task, facts, never, parted)


def test_a_bundle_from_before_answers_as_before(run: Run, data: Dataset, model: Model, tmp_path: Path) -> None:
    opened = bundles.load(run.bundle)
    from sightline.core import golden
    from sightline.predicting.answers import answers

    samples, _, seed = golden.unpack(opened.files["golden.npz"])
    plain = [a for _, a in answers(model.task, model.run, samples, model.facts)]
    files = {name: member for name, member in opened.files.items() if name != "reference.npz"}
    files["golden.npz"] = golden.pack(samples, plain, seed)  # type: ignore[arg-type]
    bundles.save(tmp_path / "old", dict(opened.model) | {"calibration": {}}, files)
    old = load(tmp_path / "old", threads=1)
    assert old.calibration == NOTHING
    answer = old.predict(data[0].pixels())[0]
    assert answer.outlier is None  # type: ignore[attr-defined]
    decision = old.judge(answer)
    assert decision is not None
    assert decision.names == (answer.best,)  # type: ignore[attr-defined]


@pytest.mark.parametrize("spoilt", ["missing", "cut", "plain"])
def test_a_bundle_whose_measure_does_not_fit_is_refused(run: Run, model: Model, tmp_path: Path, spoilt: str) -> None:
    from sightline.core import golden

    opened = bundles.load(run.bundle)
    files, card = dict(opened.files), json.loads(json.dumps(dict(opened.model)))
    arrays = golden.unpack_arrays(files["reference.npz"], "reference.npz")
    if spoilt == "missing":
        arrays = {"middle": arrays["middle"]}
    elif spoilt == "cut":
        arrays = {"middle": arrays["middle"][:9], "axes": arrays["axes"][:9]}
    else:
        card["calibration"]["scores"] = None
    files["reference.npz"] = golden.pack_arrays(arrays)
    bundles.save(tmp_path / "bad", card, files)
    with pytest.raises(BundleError, match=r"calibration cannot be read|its reference has 9"):
        load(tmp_path / "bad", threads=1)


def test_the_studies_say_what_scores_are_worth(evaluation: Evaluation) -> None:
    found = evaluation.studies["calibration"]
    assert [row["name"] for row in found["measures"]] == ["ece", "ece_adaptive", "brier", "log_loss"]
    for row in found["measures"]:
        assert row["after"]["low"] <= row["after"]["value"] <= row["after"]["high"]
    assert found["flagged"] == (found["measures"][0]["after"]["value"] > 0.03)
    assert 0 < found["by_chance"] < 0.5
    assert sum(row["count"] for row in found["bins"]) == evaluation.count
    decided = found["decisions"]
    assert decided["sure"]["count"] + decided["unsure"]["count"] == evaluation.count
    assert decided["measured"]
    assert found["coverage"][-1][0] == 1.0
    assert found["coverage"][-1][1] == pytest.approx(1 - evaluation.figures[0]["value"], abs=1e-4)
    assert found["notes"] == []
    for row in found["sets"]:
        assert row["value"] >= row["level"] - 0.08
    curves = evaluation.studies["curves"]["names"]
    assert {line["name"] for line in curves} == {"blue", "green", "red"}
    assert all(len(line["roc"]) <= 100 and line["roc"][0] == [0, 0] and line["roc"][-1] == [1, 1] for line in curves)
    measures = evaluation.studies["measures"]
    assert {"roc_auc", "brier", "matthews", "precision"} <= {row["name"] for row in measures["figures"]}
    assert "top_5_accuracy" not in {row["name"] for row in measures["figures"]}, "three names: it says nothing"
    assert not {"accuracy", "f1"} & {row["name"] for row in measures["figures"]}, "those are said already"
    assert sum(row["count"] for row in measures["names"]) == evaluation.count
    assert len(json.dumps(dict(evaluation.studies))) < 60_000


def test_the_report_shows_them(run: Run, data: Dataset, evaluation: Evaluation) -> None:
    page = report(run, data=data).read_text()
    for title in (
        "Whether scores can be trusted",
        "What it does not know",
        "How well names are told apart",
        "Each name",
    ):
        assert f"<h2>{title}</h2>" in page
    assert "there is no" not in page.split("What was not tested")[1].split("</section>")[0]
    assert page.count("<svg") >= 8


def test_numbers_from_the_side_that_it_was_calibrated_on_are_called_too_good(run: Run, data: Dataset) -> None:
    kept = run.evaluation.read_bytes()
    try:
        notes = evaluate(run, data, side="val").studies["calibration"]["notes"]
    finally:
        run.evaluation.write_bytes(kept)
    assert notes == ["Measured on the pictures that it was calibrated on, so these numbers are too good."]


def test_a_run_equals_itself_after_calibration(run: Run, data: Dataset) -> None:
    assert all(found.difference.verdict == "cannot tell" for found in rivals(run, run, data=data).values())


def test_things_found_are_calibrated_before_their_threshold_is_measured(tmp_path: Path) -> None:
    data = toy(Objects, 60, size=32)
    made = train(data, "detect", out=tmp_path / "run", settings=QUICK | {"epochs": 1}, look=False)
    found = evaluate(made, data)
    assert "calibration" not in found.studies
    assert (made.path / "calibration.json").is_file()
    assert 0 < found.thresholds["score"] < 1
