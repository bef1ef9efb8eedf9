"""One tiny trained run, its bundle and its data, for every test of what is written from them."""

from pathlib import Path

import pytest

from sightline.core.annotations import Labels
from sightline.core.dataset import Dataset
from sightline.core.run import Run
from sightline.exporting.export import export
from sightline.testing.toys import toy
from sightline.training.train import train

QUICK = {
    "epochs": 3, "batch": 8, "precision": "float32", "layout": "plain", "threads": 1, "workers": 0, "rate": 0.01,
    "average": 0.5,
}  # fmt: skip


@pytest.fixture(scope="session")
def data() -> Dataset:
    return toy(Labels, 40)


@pytest.fixture(scope="session")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(data, "classify", out=tmp_path_factory.mktemp("export") / "run", settings=QUICK, look=False)


@pytest.fixture(scope="session")
def bundle(run: Run, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(run, tmp_path_factory.mktemp("bundle") / "toy", data=data).path
