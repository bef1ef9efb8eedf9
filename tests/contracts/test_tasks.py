"""What every task promises; a new one is found by itself, learns its lesson once, and is then asked everything."""

import json
from pathlib import Path

import numpy as np
import pytest

from sightline.core import catalog
from sightline.core.annotations import Annotation, Objects, from_json
from sightline.core.annotations import check as sound
from sightline.core.dataset import Dataset
from sightline.core.errors import UnknownNameError
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.predicting.model import Model, largest_gap, load
from sightline.testing.toys import toy
from sightline.testing.without import run_without
from tests.tasks.lessons import Learnt, learnt, shared_folder

NAMES = catalog.names("tasks")
RUNTIME_ONLY = ("torch", "torchvision", "onnx", "onnxscript")


@pytest.fixture(scope="module", params=NAMES)  # one task after the other, so that workers share them out
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pupil(name: str, tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    return learnt(name, shared_folder(tmp_path_factory))


@pytest.fixture
def model(pupil: Learnt) -> Model:
    return load(pupil.run.bundle, threads=1)


def _some(pupil: Learnt, count: int = 20) -> list[Sample]:
    return [pupil.held[row] for row in range(min(count, len(pupil.held)))]


def _answers(model: Model, samples: list[Sample], batch: int = 16) -> list[Annotation]:
    given = [answer for _, answer in model.predict_all(samples, batch=batch)]
    assert all(isinstance(answer, Annotation) for answer in given)
    return [answer for answer in given if isinstance(answer, Annotation)]


# ------------------------------------------------------------------------------------------------- before learning


def test_no_task_file_needs_torch() -> None:
    code = f"""
import sys
from sightline.core import catalog
for name in {NAMES!r}:
    task = catalog.find("tasks", name).TASK
    print(name, task.kind.__name__, task.metrics[0])
assert "torch" not in sys.modules
"""
    assert len(run_without(("torch",), code).splitlines()) == len(NAMES) >= 5


def test_it_says_what_it_is(name: str) -> None:
    task = catalog.find("tasks", name).TASK
    assert issubclass(task.kind, Annotation)
    assert task.metrics
    assert set(task.metrics) <= set(catalog.names("metrics"))
    assert task.model in catalog.names("models")
    assert task.Options() == task.Options(), "settings are a frozen dataclass with defaults"


def test_it_judges_any_data_without_failing(name: str) -> None:
    """Every record that a toy can be labelled with, pictures without truth, and nothing at all."""
    task = catalog.find("tasks", name).TASK
    bare = Dataset([Sample(sample.id, sample.images) for sample in toy(Objects, 4)], name="bare")
    data = [bare, Dataset([], name="none")]
    for kind in (*Annotation.__subclasses__(),):
        try:
            data.append(toy(kind, 6))
        except UnknownNameError:
            continue
    assert len(data) > 6
    for each in data:
        fit = task.fits(each)
        assert fit.strength in (0, 1, 2)
        assert fit.why
        assert "\n" not in fit.why
    assert task.fits(data[1]).strength == 0, "nothing can be learnt from nothing"
    assert task.fits(toy(task.truth or task.kind, 6)).strength


def test_the_order_is_chance_alone_and_uses_every_row_once(name: str) -> None:
    task = catalog.find("tasks", name).TASK
    data = toy(task.truth or task.kind, 30)
    facts = task.prepare(data, task.Options(), task.model)
    for size in (1, 7, 16, 64):
        first, again, other = (task.order(data, facts, size, np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert first == again
        assert first != other
        assert sorted(row for batch in first for row in batch) == list(range(30))
        assert all(batch and all(type(row) is int for row in batch) for batch in first)


def test_facts_are_plain_and_found_alike_twice(pupil: Learnt) -> None:
    held = {sample.id for sample in pupil.held}
    train = [sample for sample in pupil.data if sample.id not in held]
    data = Dataset(train, names=pupil.data.names, kind=pupil.data.kind)
    options = pupil.task.Options(**pupil.lesson.options)
    facts, again = (pupil.task.prepare(data, options, pupil.task.model) for _ in range(2))
    assert facts == again
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    assert all(isinstance(spec, InputSpec) for spec in facts.inputs.values())


# -------------------------------------------------------------------------------------------------- after learning


def test_it_learns(pupil: Learnt) -> None:
    """Its first metric reaches the bar of its lesson, and beats the untrained network and the baseline."""
    figure = pupil.evaluation.figures[0]
    untrained = pupil.untrained
    bar = pupil.lesson.bar(untrained.value, figure["baseline"])
    told = f"{figure['name']} {figure['value']:.3f}, bar {bar:.3f}, untrained {untrained.value:.3f}"
    assert untrained.beats(figure["value"], bar), told
    assert untrained.beats(figure["value"], untrained.value), told
    assert figure["baseline"] is None or untrained.beats(figure["value"], figure["baseline"]), told


def test_its_loss_falls(pupil: Learnt) -> None:
    lost = [row["loss"] for row in pupil.run.history]
    if hasattr(pupil.task.network(pupil.run.info["model"], pupil.facts), "solve"):
        assert lost == [None], "what is solved has no loss, and is solved once"
        return
    assert len(lost) == sum(pupil.run.info["phases"])
    assert lost[-1] < 0.9 * lost[0]


def test_it_reports_its_metrics_with_intervals(pupil: Learnt) -> None:
    assert [figure["name"] for figure in pupil.evaluation.figures] == list(pupil.task.metrics)
    for figure in pupil.evaluation.figures:
        assert figure["low"] <= figure["value"] <= figure["high"]
        assert figure["low"] < figure["high"]
        assert figure["count"] == pupil.evaluation.count == len(pupil.held)


def test_one_sound_answer_a_sample(pupil: Learnt, model: Model) -> None:
    samples = _some(pupil)
    given = _answers(model, samples)
    assert len(given) == len(samples)
    for sample, answer in zip(samples, given, strict=True):
        assert type(answer) is pupil.task.kind
        sound(answer)
        scores = getattr(answer, "scores", None)
        if scores is not None:
            assert (scores >= 0).all()
            assert (scores <= 1).all()
        if isinstance(answer, Objects):
            rows, columns = sample.pixels().shape[:2]
            assert (answer.boxes >= 0).all()
            assert (answer.boxes <= [columns, rows, columns, rows]).all()


def test_its_answer_can_be_drawn(pupil: Learnt, model: Model) -> None:
    draw = catalog.find("overlays", pupil.task.kind.__name__.lower())
    sample = pupil.held[0]
    drawn = draw(sample.pixels(), _answers(model, [sample])[0])
    assert drawn.dtype == np.uint8
    assert drawn.shape[2] == 3
    assert drawn.shape[:2] >= sample.pixels().shape[:2]


def test_the_exported_model_is_the_trained_model(pupil: Learnt) -> None:
    """Every line of the parity table is equal, and torch and the runtime answer alike on what neither has seen."""
    assert pupil.parity
    assert all(row["equal"] and row["gap"] <= row["tolerance"] for row in pupil.parity)
    assert pupil.parity[0]["part"].startswith(f"answers ({pupil.task.kind.__name__}")
    samples = _some(pupil)
    torch_model, runtime = (load(pupil.run.bundle, backend=backend, threads=1) for backend in ("torch", "onnx"))
    gap = largest_gap(_answers(torch_model, samples), _answers(runtime, samples))
    assert gap <= pupil.task.kind.tolerance


def test_neighbours_in_a_batch_change_nothing(pupil: Learnt, model: Model) -> None:
    samples = _some(pupil)
    together, alone = _answers(model, samples), _answers(model, samples, 1)
    turned = _answers(model, samples[::-1], 7)[::-1]
    assert largest_gap(together, alone) <= pupil.task.kind.tolerance
    assert largest_gap(together, turned) <= pupil.task.kind.tolerance


PREDICT = """
import json, sys
from pathlib import Path
from sightline.core.annotations import to_json
from sightline.core.image import FileImage
from sightline.core.sample import Sample
from sightline.predicting.model import load
model = load(sys.argv[1])
samples = [
    Sample(path.name, tuple(FileImage(file) for file in sorted(path.iterdir())))
    for path in sorted(Path(sys.argv[2]).iterdir())
]
for _, answer in model.predict_all(samples):
    print(json.dumps(to_json(answer)))
assert model.backend == "onnx" and "torch" not in sys.modules
"""


def test_the_bundle_answers_alike_where_there_is_no_torch(pupil: Learnt, model: Model, tmp_path: Path) -> None:
    samples = _some(pupil, 6)
    for sample in samples:
        (tmp_path / sample.id).mkdir()
        for place, image in enumerate(sample.images):
            data = image.encoded()
            suffix = ".npy" if data.startswith(b"\x93NUMPY") else ".png"
            (tmp_path / sample.id / f"{place}{suffix}").write_bytes(data)
    told = run_without(RUNTIME_ONLY, PREDICT, str(pupil.run.bundle), str(tmp_path)).splitlines()
    theirs = [from_json(json.loads(line)) for line in told]
    assert largest_gap(_answers(model, sorted(samples, key=lambda sample: sample.id)), theirs) <= (
        pupil.task.kind.tolerance
    )


def test_the_bundle_says_what_it_is(pupil: Learnt, model: Model) -> None:
    assert model.task_name == pupil.name
    assert model.facts == pupil.facts
    assert model.card["metrics"] == json.loads(json.dumps([dict(figure) for figure in pupil.evaluation.figures]))
    assert model.card["parity"] == pupil.parity
    assert model.card["golden"]["tolerance"] == pupil.task.kind.tolerance
