"""What pictures look like to a network of the user's: a run, a bundle, and those that cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sightline
from sightline.auditing.clustering import cluster
from sightline.auditing.looks import narrowest, open_looks
from sightline.core import catalog
from sightline.core.dataset import Dataset
from sightline.core.errors import InputError, SettingsError
from sightline.core.image import ArrayImage
from sightline.core.sample import Sample
from sightline.explaining.subject import Subject
from sightline.predicting.answers import answers, torch_run
from sightline.predicting.model import trained

WORLD = "drawn:shapes?count=24&size=32"
SETTINGS = {"epochs": 1, "batch": 8, "processes": 1, "precision": "float32"}


def learnt(place: Path, task: str, model: str, **options: Any) -> str:
    out = place / f"{task}-{model}"
    run = sightline.train(WORLD, task, model=model, out=out, look=False, options=options, settings=SETTINGS)
    return str(run.path)


def rows_of(on: str, count: int = 5) -> np.ndarray:
    """Rows by a network, which are the same side by side and alone, and of length one."""
    samples = list(sightline.open_data(WORLD))[:count]
    looks = open_looks(on)
    rows, alone = looks.rows(samples), looks.rows(samples[1:2])
    assert looks.lengths == ()
    assert np.allclose(rows[1], alone[0], atol=1e-5)  # type: ignore[arg-type]
    assert np.allclose(np.linalg.norm(np.stack(rows), axis=1), 1, atol=1e-5)  # type: ignore[arg-type]
    return np.stack(rows)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> str:
    return learnt(tmp_path_factory.mktemp("runs"), "embed", "small", length=16)


def test_a_run_of_vectors_answers_with_them(vectors: str) -> None:
    rows = rows_of(vectors)
    task, facts, network = trained(sightline.open_run(vectors))
    given = answers(task, torch_run(network), list(sightline.open_data(WORLD))[:5], facts)
    values = np.stack([answer.values for _, answer in given])  # type: ignore[union-attr]
    assert rows.shape == (5, 16)
    assert np.allclose(rows, values / np.linalg.norm(values, axis=1, keepdims=True), atol=1e-4)
    assert np.allclose(rows, rows_of(f"bundle:{vectors}"))
    found = cluster(WORLD, on=vectors, reduce="pca:4")
    assert found.on == vectors
    assert (found.numbers, len(found.ids)) == (16, 24)


def test_what_the_network_cannot_take_is_left_out(vectors: str) -> None:
    samples = list(sightline.open_data(WORLD))
    samples[3] = Sample("wide", (ArrayImage(np.zeros((32, 32, 5), np.uint8)),))
    found = cluster(Dataset(samples, name="mixed"), on=vectors)
    assert [identity for identity, _ in found.skipped] == ["wide"]
    assert len(found.ids) == 23
    with pytest.raises(InputError, match="5 channels where"):
        cluster(Dataset(samples[3:4], name="wide"), on=vectors)


def test_a_run_of_names_is_asked_before_its_last_layer_and_so_is_its_bundle(tmp_path: Path) -> None:
    run = learnt(tmp_path, "classify", "small")
    rows = rows_of(run)
    assert rows.shape[1] > 16
    bundle = str(sightline.export(sightline.open_run(run)).path)
    assert np.allclose(rows, rows_of(bundle), atol=1e-5)


def test_an_autoencoder_is_asked_in_its_narrow_middle() -> None:
    samples = list(sightline.open_data(WORLD))[:3]
    plain = Dataset([replace(sample, truth=None) for sample in samples], name="plain")
    task = catalog.find("tasks", "restore").TASK

    def asked(model: str) -> np.ndarray:
        facts = task.prepare(plain, task.Options(damage="noise"), model)
        network = task.network(model, facts).eval()
        return narrowest(Subject(task, facts, torch_run(network), network), samples, model)

    rows = asked("unet")
    assert rows.shape[0] == 3
    assert rows.shape[1] >= 32, "the widest maps are the smallest"
    assert len(np.unique(rows.round(6), axis=0)) == 3
    with pytest.raises(SettingsError, match="at their size throughout"):
        asked("dncnn")


def test_a_run_on_features_is_told_to_name_them(tmp_path: Path) -> None:
    run = learnt(tmp_path, "classify", "logistic", features="hog")
    with pytest.raises(SettingsError, match="name those instead: --on hog"):
        open_looks(run)
