"""A model that is ready to answer, wherever it was opened from."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.core import bundle as bundles
from sightline.core import catalog
from sightline.core.annotations import Annotation, Labels
from sightline.core.dataset import Dataset
from sightline.core.errors import BundleError, InputError, RunError, SettingsError
from sightline.core.image import ArrayImage, BytesImage, as_image, encode
from sightline.core.run import Run
from sightline.core.sample import Sample
from sightline.exporting.export import export
from sightline.predicting.model import Model, largest_gap, load, trained
from sightline.predicting.runtimes import forms
from sightline.testing.toys import toy
from sightline.testing.without import run_without
from sightline.training.train import train

QUICK = {
    "epochs": 3, "batch": 8, "precision": "float32", "layout": "plain", "threads": 1, "workers": 0, "rate": 0.01,
    "average": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def data() -> Dataset:
    return toy(Labels, 40)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = train(data, "classify", out=tmp_path_factory.mktemp("predict") / "run", settings=QUICK, look=False)
    export(made, data=data)
    return made


@pytest.fixture(scope="module")
def model(run: Run) -> Model:
    return load(run.bundle, threads=1)


def _pictures(data: Dataset, count: int = 6) -> list[np.ndarray]:
    return [data[row].pixels() for row in range(count)]


# ---------------------------------------------------------------------------------------------------------- opening


def test_a_run_its_folder_and_its_zip_are_one_model(run: Run, model: Model, data: Dataset, tmp_path: Path) -> None:
    opened = bundles.load(run.bundle)
    zipped = bundles.save(tmp_path / "toy.sightline", dict(opened.model) | {"format": 1, "needs": "0.1"}, opened.files)
    shutil.copytree(run.bundle, tmp_path / "copy")
    wanted = model.predict(_pictures(data))
    for path in (run.path, zipped, str(tmp_path / "copy")):
        other = load(path, threads=1)
        assert other.version == model.version
        assert largest_gap(other.predict(_pictures(data)), wanted) == 0


def test_torch_and_the_runtime_answer_alike(run: Run, data: Dataset) -> None:
    both = [load(run.bundle, backend=backend, threads=1) for backend in ("torch", "onnx")]
    assert [each.backend for each in both] == ["torch", "onnx"]
    first, second = (each.predict(_pictures(data, 20)) for each in both)
    assert largest_gap(first, second) < 1e-5


def test_an_unknown_backend_is_refused_with_the_known_ones(run: Run) -> None:
    with pytest.raises(SettingsError, match="backend 'tpu': must be auto, fastest, onnx"):
        load(run.bundle, backend="tpu")


def test_every_runtime_and_precision_answers_within_what_is_allowed(run: Run, model: Model, data: Dataset) -> None:
    wanted = model.predict(_pictures(data))
    for form in forms():
        other = load(run.bundle, backend=form.runtime, precision=form.precision, allow=0.05, threads=1)
        assert (other.backend, other.precision) == (form.runtime, form.precision)
        assert largest_gap(other.predict(_pictures(data)), wanted) < (1e-3 if form.precision == "float32" else 0.05)


@pytest.mark.parametrize(
    ("words", "said"), [({"threads": 0}, "threads = 0"), ({"allow": -1.0}, "allow = -1"), ({"allow": math.nan}, "nan")]
)
def test_a_number_that_cannot_be_meant_is_refused(run: Run, words: dict[str, Any], said: str) -> None:
    for backend in ("onnx", "torch"):
        with pytest.raises(SettingsError, match=said):
            load(run.bundle, backend=backend, **words)


def test_an_unknown_precision_is_refused_by_every_runtime(run: Run) -> None:
    for backend in ("onnx", "openvino", "torch"):
        with pytest.raises(SettingsError, match="precision 'float7'"):
            load(run.bundle, backend=backend, precision="float7", threads=1)


def test_a_runtime_that_answers_otherwise_needs_a_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = catalog.find("exporters", "openvino")
    plain = pytest.importorskip("openvino") and entry.load

    def crooked(*given: Any) -> Any:
        passes = plain(*given)
        return lambda arrays: {
            name: value + 0.05 * (np.arange(value.shape[-1]) == 0) for name, value in passes(arrays).items()
        }

    monkeypatch.setattr(entry, "load", crooked)
    with pytest.raises(BundleError, match=r"does not give its golden answers here: gap .*allow="):
        load(run.bundle, backend="openvino", threads=1)
    assert load(run.bundle, backend="openvino", allow=0.1, threads=1).backend == "openvino"


def test_the_fastest_is_said_aloud_and_holds_the_golden_answers(run: Run, data: Dataset, model: Model) -> None:
    told: list[str] = []
    for _ in range(2):
        quick = load(run.bundle, backend="fastest", threads=1, tell=lambda event: told.append(event.text))
        assert quick.precision == "float32"
        assert largest_gap(quick.predict(_pictures(data)), model.predict(_pictures(data))) <= 1e-3
    assert told[0] == told[1], "remembered"
    assert told[0].startswith("runtime: ")


def test_a_bundle_without_a_graph_runs_in_torch_and_says_so(run: Run, data: Dataset, tmp_path: Path) -> None:
    opened = bundles.load(run.bundle)
    files = {name: content for name, content in opened.files.items() if name != "model.onnx"}
    path = bundles.save(tmp_path / "bare", dict(opened.model) | {"format": 1, "needs": "0.1"}, files)
    assert load(path).backend == load(path, backend="fastest").backend == "torch"
    with pytest.raises(BundleError, match="holds no graph; open it with backend='torch'"):
        load(path, backend="onnx")


def test_a_run_without_a_bundle_names_the_command_that_makes_one(run: Run, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "run", ignore=shutil.ignore_patterns("bundle"))
    with pytest.raises(BundleError, match=r"has no bundle yet. Make one with: sightline export"):
        load(tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(RunError, match="is not done"):
        trained(Run(tmp_path / "run"))


def test_nothing_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nowhere"):
        load(tmp_path / "nowhere")


# --------------------------------------------------------------------------------------------------------- answering


def test_every_way_to_name_a_picture_gives_the_same_answer(model: Model, data: Dataset, tmp_path: Path) -> None:
    pixels = data[0].pixels()
    (tmp_path / "a.png").write_bytes(encode(pixels))
    sample = Sample("a", (ArrayImage(pixels),))
    ways = [pixels, encode(pixels), tmp_path / "a.png", str(tmp_path / "a.png"), sample, BytesImage(encode(pixels))]
    alone = [model.predict(way)[0] for way in ways[:5]]
    assert largest_gap(model.predict(ways), [alone[0]] * 6) < 1e-6
    assert largest_gap(alone, [alone[0]] * 5) < 1e-6


def test_no_pictures_no_answers(model: Model) -> None:
    assert model.predict([]) == []


BAD: dict[str, tuple[object, str]] = {
    "no picture": (b"these bytes are no picture", "unknown_format"),
    "cut short": (encode(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))[:900], "truncated"),
    "too many channels": (np.zeros((32, 32, 4), np.uint8), "mismatch"),
    "too deep": (np.zeros((32, 32, 3), np.uint16), "mismatch"),
    "a volume": (np.zeros((8, 32, 32, 3), np.uint8), "mismatch"),
    "not there": (Path("nowhere.png"), "missing"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_harms_no_neighbour(model: Model, data: Dataset, kind: str) -> None:
    bad, code = BAD[kind]
    good = _pictures(data, 5)
    wanted = model.predict(good)
    given = [*good[:2], bad, *good[2:]]
    samples = [Sample(f"p{place}", (as_image(each),)) for place, each in enumerate(given)]
    pairs = list(model.predict_all(samples))
    assert [sample.id for sample, _ in pairs] == [f"p{place}" for place in range(6)]
    error = pairs[2][1]
    assert isinstance(error, InputError)
    assert error.code in (code, "corrupt")
    kept = [answer for _, answer in pairs if isinstance(answer, Annotation)]
    assert largest_gap(kept, wanted) < 1e-6
    with pytest.raises(InputError):
        model.predict(given)


def test_a_gray_picture_is_widened_and_a_picture_missing_refused(model: Model) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    assert largest_gap(model.predict(gray), model.predict(np.repeat(gray[..., None], 3, 2))) == 0
    ((_, error),) = model.predict_all([Sample("empty")])
    assert isinstance(error, InputError)
    assert "0 pictures where 1 are needed" in error.message


def test_answers_come_in_order_and_no_sooner_than_needed(model: Model, data: Dataset) -> None:
    """An endless stream is answered a batch at a time."""
    seen: list[int] = []

    def endless() -> object:
        for place in range(10**9):
            seen.append(place)
            yield Sample(f"s{place}", data[place % 40].images)

    stream = model.predict_all(endless(), batch=4)  # type: ignore[arg-type]
    assert [next(stream)[0].id for _ in range(6)] == [f"s{place}" for place in range(6)]
    assert len(seen) == 8


def test_it_breathes_between_batches(model: Model, data: Dataset) -> None:
    breaths: list[int] = []
    list(model.predict_all(data[:10], batch=4, between=lambda: breaths.append(1)))
    assert len(breaths) == 3


def test_it_predicts_where_there_is_no_torch(run: Run, model: Model, data: Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "pictures.npy", np.stack(_pictures(data, 4)))
    code = """
import sys, json
import numpy as np
from sightline.predicting.model import load
model = load(sys.argv[1])
print(json.dumps([answer.scores.tolist() for answer in model.predict(list(np.load(sys.argv[2], allow_pickle=False)))]))
try:
    load(sys.argv[1], backend="torch")
except Exception as error:
    print(type(error).__name__, error)
"""
    told = run_without(("torch", "onnx", "onnxscript"), code, str(run.bundle), str(tmp_path / "pictures.npy"))
    scores, refusal = told.strip().splitlines()
    wanted = [answer.scores.tolist() for answer in model.predict(_pictures(data, 4))]  # type: ignore[attr-defined]
    assert np.abs(np.array(json.loads(scores)) - np.array(wanted)).max() < 1e-6
    assert refusal.startswith("MissingExtraError")
    assert "sightline[train]" in refusal
