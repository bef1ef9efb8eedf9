"""From a run or a bundle to explanations: shown for what has learnt, withheld for what has not."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import sightline
from sightline.core.annotations import Labels, Objects, Value, Vector
from sightline.core.errors import InputError, SettingsError, UnknownNameError
from sightline.core.image import encode
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.core.sides import reopen
from sightline.core.task import Facts
from sightline.evaluating.evaluate import Evaluation, evaluate
from sightline.evaluating.scene import Scene
from sightline.evaluating.studies import explanations
from sightline.explaining.asking import ask, log_odds, odds_back
from sightline.explaining.explain import explain
from sightline.explaining.hierarchy import hierarchy
from sightline.explaining.page import page
from sightline.predicting.answers import torch_run
from sightline.predicting.model import trained
from sightline.testing.without import run_without
from tests.tasks.lessons import Learnt, learnt, shared_folder


@pytest.fixture(scope="module")
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """A network that tells shapes, trained once for all tests."""
    return learnt("classify", shared_folder(tmp_path_factory))


@pytest.fixture
def shuffled(pupil: Learnt, tmp_path: Path) -> Run:
    """The same run with every weight in another place; its evaluation is still that of the trained one."""
    from safetensors.numpy import load, save

    folder = tmp_path / "shuffled"
    shutil.copytree(pupil.run.path, folder)
    rng = np.random.default_rng(0)
    weights = load((folder / "weights.safetensors").read_bytes())
    mixed = {name: rng.permutation(value.ravel()).reshape(value.shape) for name, value in weights.items()}
    (folder / "weights.safetensors").write_bytes(save(mixed))
    return Run(folder)


def _scene(run: Run, pupil: Learnt) -> Scene:
    task, facts, network = trained(run)
    sides = reopen(run.info, pupil.data)
    return Scene(task, facts, torch_run(network), network, (), (), (), sides, 0, run, run.info)


def test_what_has_learnt_is_explained(pupil: Learnt) -> None:
    samples = [pupil.held[row] for row in range(6)]
    found = explain(pupil.run, samples, data=pupil.data)
    assert found.verdict.shown
    assert found.verdict.method == "layercam"
    assert len(found.explanations) == 6
    hits = []
    for sample, each in zip(samples, found.explanations, strict=True):
        assert isinstance(each.answer, Labels)
        assert each.asked == each.answer.best
        assert each.heatmap.score == pytest.approx(each.answer.score(each.asked))
        assert each.heatmap.scores.shape == sample.pixels().shape[:2]
        assert each.heatmap.scores.max() == pytest.approx(1)
        assert each.heatmap.scores.min() >= 0
        distances = [near.distance for near in each.near]
        assert len(distances) == 3
        assert distances == sorted(distances)
        mask = sample.image.shows(sample.truth.best)  # type: ignore[attr-defined, union-attr]
        hits.append(mask[np.unravel_index(each.heatmap.scores.argmax(), mask.shape)])
    assert sum(hits) >= 5, "it points at the thing"


def test_another_name_has_another_map(pupil: Learnt) -> None:
    sample = pupil.held[0]
    one, two = (
        explain(pupil.run, sample, name=name, near=0, data=pupil.data).explanations[0] for name in ("cube", "sphere")
    )
    assert (one.asked, two.asked) == ("cube", "sphere")
    assert one.near == ()
    assert np.corrcoef(one.heatmap.scores.ravel(), two.heatmap.scores.ravel())[0, 1] < 0.9
    with pytest.raises(UnknownNameError, match=r"knows no 'cub'. Did you mean 'cube'"):
        explain(pupil.run, sample, name="cub", data=pupil.data)


def test_shuffled_weights_are_withheld_whatever_was_measured_before(pupil: Learnt, shuffled: Run) -> None:
    """The verdict that the run keeps is about other weights, so the check is made again."""
    for method in (None, "gradcam", "occlusion", "integrated"):
        found = explain(shuffled, pupil.held[0], method=method, data=pupil.data)
        assert not found.verdict.shown, method
        assert found.explanations == ()
        assert "not clearly better than its baseline" in found.verdict.line
        assert b"is withheld" in page(found)
        assert b"<img" not in page(found)


def test_the_report_shows_what_passed_and_says_what_did_not(pupil: Learnt) -> None:
    evaluation = Evaluation.read(pupil.run.evaluation)
    found = json.loads(json.dumps(evaluation.studies["explanations"]))
    assert found["verdicts"][0]["shown"]
    assert {row["sort"] for row in found["pictures"]} >= {"doubtful", "typical"}
    assert len({row["id"] for row in found["pictures"]}) == len(found["pictures"])
    assert found["pointing"]["value"] >= 0.8
    assert found["pointing"]["chance"] < 0.3
    assert set(found["prototypes"]) == set(pupil.facts.names)
    drawn = explanations.section(found, _scene(pupil.run, pupil))
    assert drawn.count("<img") == 5 * len(found["pictures"]) + len(pupil.facts.names)
    assert "lies on it" in drawn
    assert not re.search(r'(src|href)="http', drawn)


def test_the_report_of_shuffled_weights_withholds_with_the_reason(pupil: Learnt, shuffled: Run) -> None:
    found = evaluate(shuffled, pupil.data).studies["explanations"]
    assert not any(row["shown"] for row in found["verdicts"])
    assert "pictures" not in found
    drawn = explanations.section(json.loads(json.dumps(found)), _scene(shuffled, pupil))
    assert "withheld" in drawn
    assert "not clearly better than its baseline" in drawn
    assert "<img" not in drawn


def test_a_bundle_is_explained_where_there_is_no_torch(pupil: Learnt, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(encode(pupil.held[0].pixels()))
    code = """
import sys, numpy as np
from sightline.explaining.explain import explain
found = explain(sys.argv[1], sys.argv[2])
print(found.verdict.method, found.verdict.shown, found.explanations[0].asked)
print(*np.unravel_index(found.explanations[0].heatmap.scores.argmax(), (64, 64)))
assert "torch" not in sys.modules
"""
    told = run_without(("torch", "torchvision"), code, str(pupil.run.bundle), str(tmp_path / "one.png")).split()
    assert told[:3] == ["occlusion", "True", pupil.held[0].truth.best]  # type: ignore[union-attr]
    mask = pupil.held[0].image.shows(told[2])  # type: ignore[attr-defined]
    y, x = int(told[3]), int(told[4])
    assert mask[max(0, y - 6) : y + 7, max(0, x - 6) : x + 7].any()


def test_a_bundle_with_its_weights_gives_every_map_that_the_run_may_show(pupil: Learnt) -> None:
    found = sightline.explain(str(pupil.run.bundle), pupil.held[0], method="layercam")
    assert found.verdict.shown
    mine = explain(pupil.run, pupil.held[0], method="layercam", near=0, data=pupil.data)
    assert found.explanations[0].heatmap.gap(mine.explanations[0].heatmap) < 1e-4
    unchecked = sightline.explain(str(pupil.run.bundle), pupil.held[0], method="smoothed")
    assert "no check of it is kept in this bundle" in unchecked.verdict.line


def test_one_bad_picture_stops_none_of_the_others(pupil: Learnt, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff no picture")
    found = explain(pupil.run, [tmp_path / "bad.jpg", pupil.held[0]], near=0, data=pupil.data)
    assert len(found.explanations) == 1
    assert isinstance(found.failed[0][1], InputError)
    assert b"bad.jpg" in page(found)


def test_the_hierarchy_is_one_page_that_fetches_nothing(pupil: Learnt) -> None:
    made = hierarchy(pupil.run, pupil.held[1], data=pupil.data).decode()
    assert made.count("<h2>Level") == 5
    for part in ("The first filters", "The names", "what excites it most", "where it answers"):
        assert part in made
    assert not re.search(r'(src|href)="(?!data:)', made)
    with pytest.raises(SettingsError, match="is no run"):
        hierarchy(pupil.run.bundle)


# ------------------------------------------------------------------------------------------ what is asked, by record


def test_odds_there_and_back() -> None:
    for share in (0.01, 0.5, 0.99):
        assert odds_back(log_odds(share)) == pytest.approx(share)
    assert np.isfinite(log_odds(0.0))
    assert np.isfinite(log_odds(1.0))


def test_every_record_has_its_number() -> None:
    facts = Facts({}, ("cat", "dog"))
    boxes = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], np.float32)
    objects = Objects(boxes, np.array([0, 1]), ("cat", "dog"), np.array([0.6, 0.9], np.float32))
    asked = ask(Objects, facts, objects, "cat")
    assert (asked.words, asked.score) == ("cat", pytest.approx(0.6))
    half = Objects(boxes[:1] * [1, 1, 2, 1], np.array([0]), ("cat", "dog"), np.array([1.0], np.float32))
    assert asked.share(asked.read(half)) == pytest.approx(0.5), "half the box, wholly sure"
    assert asked.share(asked.read(objects.take(np.array([1])))) == pytest.approx(0, abs=1e-5)
    value = ask(Value, facts, Value(("age",), np.array([4.0])))
    assert value.read(Value(("age",), np.array([7.0]))) == 7
    alike = ask(Vector, facts, Vector(np.array([3.0, 4.0])), other=Vector(np.array([0.0, 2.0])))
    assert alike.score == pytest.approx(0.8)
    with pytest.raises(SettingsError, match="no cat in the answer"):
        ask(Objects, facts, objects.take(np.array([1])), "cat")
    with pytest.raises(SettingsError, match="Picture cannot be explained yet"):
        ask(sightline.Picture, facts, sightline.Picture(np.zeros((2, 2, 1), np.uint8)))


def test_pictures_come_as_arrays_too(pupil: Learnt) -> None:
    (one,) = explain(pupil.run, pupil.held[0].pixels(), near=0, data=pupil.data).explanations
    assert isinstance(one.sample, Sample)
    assert one.sample.id == "picture-0"
