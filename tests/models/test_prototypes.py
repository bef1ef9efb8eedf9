"""Means of a few pictures in the space of a trained network, against numpy and through a whole run."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sightline
from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import SettingsError, UnknownNameError
from sightline.models import prototypes

QUICK = {"epochs": 2, "batch": 16, "workers": 0, "threads": 1, "precision": "float32", "layout": "plain"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `embed`, with its bundle."""
    run = sightline.train(
        "drawn:shapes?count=60&size=32", "embed", out=tmp_path_factory.mktemp("base"), settings=QUICK, look=False
    )
    sightline.export(run)
    return run.path


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))


def _pictures(count: int = 40, names: int = 4, noise: float = 1.5) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    classes = torch.arange(count) % names
    looks = torch.randn(names, 3, 32, 32, generator=chance)
    return looks[classes] + noise * torch.randn(count, 3, 32, 32, generator=chance), classes


def test_each_name_is_the_centred_mean_of_its_pictures() -> None:
    x, classes = _pictures()
    network = prototypes.build(3, 4)
    network.solve([(x[:15], classes[:15]), (x[15:], classes[15:])])
    rows = network.seen(x).numpy().astype(np.float64)
    means = np.stack([rows[classes.numpy() == name].mean(0) for name in range(4)])
    centre = means.mean(0)
    near = _unit(rows - centre) @ _unit(means - centre).T
    got = network(x).numpy()
    heat = near.std() / got.std()
    assert prototypes.TEMPERATURES[0] <= heat * 1.0001
    assert np.abs(got * heat - near).max() < 1e-4


def test_the_temperature_is_the_best_where_each_picture_is_left_out() -> None:
    """By taking each picture out in truth, one after another."""
    x, classes = _pictures(12, noise=4.0)  # so few that leaving one out matters
    network = prototypes.build(3, 4)
    network.solve([(x, classes)])
    rows, names = network.seen(x).numpy().astype(np.float64), classes.numpy()
    centre = np.stack([rows[names == name].mean(0) for name in range(4)]).mean(0)
    near = []
    for left in range(len(rows)):
        others = np.arange(len(rows)) != left
        means = np.stack([rows[others & (names == name)].mean(0) for name in range(4)])
        near.append(_unit(means - centre) @ _unit(rows[left] - centre))
    lost = []
    for heat in prototypes.TEMPERATURES:
        scores = np.array(near) / heat
        lost.append(float(np.mean(np.log(np.exp(scores).sum(1)) - scores[np.arange(len(rows)), names])))
    found = 1 / float(network.weight.norm(dim=1)[0])
    assert found == pytest.approx(prototypes.TEMPERATURES[int(np.argmin(lost))], rel=1e-4)
    assert prototypes.TEMPERATURES[0] < found < prototypes.TEMPERATURES[-1]  # or the test would say nothing


def test_one_picture_a_name_is_enough_and_a_name_without_is_never_likeliest() -> None:
    x, classes = _pictures()
    network = prototypes.build(3, 5)
    network.solve([(x[:4], classes[:4])])
    assert (network(x[:4]).argmax(1) == classes[:4]).all()
    assert float(network.weight[0].norm()) == pytest.approx(1 / prototypes.USUAL, rel=1e-4)
    assert (network(x).argmax(1) != 4).all()
    network.solve([(x[:1], classes[:1])])
    assert (network(x)[:, 0] > network(x)[:, 4] + 1).all()


def test_a_run_or_a_bundle_lends_its_network_and_keeps_it(base: Path) -> None:
    x, classes = _pictures()
    by_run = catalog.find("models", f"prototypes:{base}").build(3, count=4)
    by_bundle = catalog.find("models", f"prototypes:{base / 'bundle'}").build(3, count=4)
    before = {name: value.clone() for name, value in by_run.seen.state_dict().items()}
    for network in (by_run.train(), by_bundle):
        network.solve([(x, classes)])
    assert torch.equal(by_run(x), by_bundle(x))
    assert all(torch.equal(value, before[name]) for name, value in by_run.seen.state_dict().items())
    assert not any(weight.requires_grad for weight in by_run.parameters())


def test_it_sees_what_the_base_saw_whatever_the_scale_the_size_and_the_channels(base: Path) -> None:
    network = catalog.find("models", f"prototypes:{base}").build(3, count=4)
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    wanted = network.seen.model((x - 0.5) / 0.25)[-1].mean((2, 3))
    assert torch.allclose(network.seen((x - 0.5) / 0.25), wanted, atol=1e-5)
    network.meet((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    scale = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1), torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)
    assert torch.allclose(network.seen((x - scale[0]) / scale[1]), wanted, atol=1e-4)
    network.meet((0.5,), (0.25,))
    wide = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    narrow = torch.nn.functional.interpolate(wide, size=(32, 32), mode="bilinear", antialias=True)
    assert torch.allclose(
        network.seen((wide - 0.5) / 0.25), network.seen((narrow - 0.5) / 0.25), atol=1e-4
    )  # as torch itself shrinks
    gray = catalog.find("models", f"prototypes:{base}").build(1, count=4)
    plane = x[:, :1]
    assert torch.allclose(gray.seen(plane), gray.seen(plane.expand(-1, 3, -1, -1)), atol=1e-5)
    with pytest.raises(SettingsError, match="5 channels"):
        catalog.find("models", f"prototypes:{base}").build(5, count=4)


def test_five_pictures_a_name_learn_export_and_predict_without_torch(base: Path, tmp_path: Path) -> None:
    data = sightline.open_data("drawn:shapes?count=120&size=40&seed=5")
    left: dict[str, int] = {}
    samples = []
    for sample in data:
        name = sample.truth.best  # type: ignore[union-attr]
        left[name] = left.get(name, 0) + 1
        samples.append(replace(sample, split="train" if left[name] <= 5 else "test"))
    sides = Dataset(samples, name="few", names=data.names)
    lent = tmp_path / "lent"
    shutil.copytree(base, lent)
    told: dict[str, Any] = {"model": f"prototypes:{lent}", "out": tmp_path / "run", "settings": QUICK, "look": False}
    run = sightline.train(sides, **told)
    shutil.rmtree(lent)  # what was seen through is part of the run
    assert len(run.history) == 1
    assert sightline.train(sides, **told).info["state"] == "done"
    sightline.export(run, data=sides)
    by_torch = sightline.load(run.path, backend="torch")
    test = [sample for sample in samples if sample.split == "test"][:6]
    given = sightline.load(run.path).predict(test)
    assert max(one.gap(other) for one, other in zip(given, by_torch.predict(test), strict=True)) < 1e-3
    assert all(float(np.sum(answer.scores)) == pytest.approx(1.0, abs=1e-4) for answer in given)
    np.save(tmp_path / "picture.npy", test[0].pixels())
    code = (
        "import sys; sys.modules['torch'] = None; import numpy, sightline; "
        f"print(sightline.load({str(run.path)!r}).predict(numpy.load({str(tmp_path / 'picture.npy')!r}))[0].best)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == given[0].best


def test_where_there_is_no_network_one_line_says_what_is_needed(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="name the folder of a run, or a bundle"):
        sightline.train("drawn:shapes?count=20&size=32", model=f"prototypes:{tmp_path / 'none'}", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "run.json").write_bytes((base / "run.json").read_bytes())
    with pytest.raises(SettingsError, match="is not done"):
        catalog.find("models", f"prototypes:{tmp_path / 'begun'}")
    flat = {**json.loads((base / "run.json").read_bytes()), "model": "ridge"}
    (tmp_path / "begun" / "run.json").write_text(json.dumps(flat), encoding="utf-8")
    (tmp_path / "begun" / "weights.safetensors").write_bytes((base / "weights.safetensors").read_bytes())
    with pytest.raises(SettingsError, match="no map of features"):
        catalog.find("models", f"prototypes:{tmp_path / 'begun'}")
