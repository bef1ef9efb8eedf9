"""Deep, many-channelled and floating pictures come through every room as they are, and can be learnt from."""

from pathlib import Path

import numpy as np
import pytest

from sightline.auditing.audit import audit
from sightline.core.conversion import convert
from sightline.core.data import open_data
from sightline.core.image import read_image, write_image
from sightline.core.recipe import apply, parse
from sightline.core.task import Facts
from sightline.exporting.export import export
from sightline.predicting.model import load
from sightline.training.cache import Cache
from sightline.training.keeping import keep
from sightline.training.train import train
from tests.training.workshop import QUICK

KINDS = {"deep": ("uint16", 1), "bands": ("uint16", 5), "floats": ("float32", 1), "colour": ("uint16", 3)}


def folder(where: Path, depth: str, channels: int, count: int = 24) -> tuple[Path, list[np.ndarray]]:
    """TIFFs of two names, one of them brighter; every value of the depth may occur."""
    made = []
    for n in range(count):
        rng = np.random.default_rng(n)
        pixels = rng.random((40, 48, channels)) * 0.5 + (0.5 if n % 2 else 0.0)
        pixels = pixels.astype(np.float32) if depth == "float32" else (pixels * 65535).astype(np.uint16)
        made.append(pixels)
        path = where / ("bright" if n % 2 else "dark") / f"{n:02d}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, pixels)
    return where, made


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_asked_is_nothing_changed(tmp_path: Path, kind: str) -> None:
    where, made = folder(tmp_path / "photos", *KINDS[kind], count=6)
    data = open_data(where)
    converted = open_data(convert(data, "jsonlines", tmp_path / "lines").path)
    cache = Cache(tmp_path / "cache", 2**24)
    still = parse([{"name": "flip", "chance": 1.0}, {"name": "flip", "chance": 1.0}])
    for ways in (data, converted, keep(data, cache), keep(data, cache)):
        by_name = {Path(sample.id).stem: sample for sample in ways}
        for n, pixels in enumerate(made):
            sample = by_name[f"{n:02d}"]
            np.testing.assert_array_equal(sample.pixels(), pixels)
            assert sample.pixels().dtype == pixels.dtype
            twice = apply(still, sample, np.random.default_rng(0))
            np.testing.assert_array_equal(twice.pixels(), pixels)
    assert cache.hits >= len(made)
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "again.tif", made[0])), made[0])


@pytest.mark.slow
def test_five_bands_of_sixteen_bits_are_audited_learnt_exported_and_asked(tmp_path: Path) -> None:
    where, made = folder(tmp_path / "photos", *KINDS["bands"])
    assert "uint16" not in audit(where).line, "all are alike, so there is nothing to say"
    run = train(where, out=tmp_path / "run", settings={**QUICK, "epochs": 3, "rate": 0.01, "average": 0.5}, look=False)
    spec = Facts.from_json(run.info["facts"]).input
    assert (spec.channels, spec.dtype) == (5, "uint16")
    model = load(export(run).path)
    answers = model.predict(made[:4])
    assert all(answer.names for answer in answers)
