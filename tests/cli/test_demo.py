"""The demonstration shows every stage, and runs again without doing work twice."""

from pathlib import Path

import pytest

from sightline.core.image import read_image
from tests.cli.conftest import run


@pytest.mark.slow
def test_the_demonstration_leaves_all_that_it_promises(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", "--fast", "--json", "--quiet", timeout=280)
    assert done.status == 0, done.err
    stories = done.document["stories"]
    assert len(stories) == 2
    for story in stories.values():
        assert story["audit"]["count"] > 0
        assert story["evaluation"]["figures"]
        assert all(row["equal"] for row in story["parity"])
        for kind in ("data", "run", "bundle", "report", "predictions"):
            assert (tmp_path / story["paths"][kind]).exists(), kind
        assert read_image(tmp_path / story["paths"]["predictions"]).shape[1] == 4 * 192
    weights = {path: path.read_bytes() for path in tmp_path.rglob("run/weights.safetensors")}
    again = run(tmp_path, "demo", "--fast", timeout=280)
    assert again.status == 0, again.err
    assert again.err.count("is done already") == 2
    assert "epoch 1/" not in again.err
    assert [line.split(":")[0] for line in again.out.splitlines()[-10:]] == [
        f"{name} {kind}" for name in stories for kind in ("data", "run", "bundle", "report", "predictions")
    ]
    assert {path: path.read_bytes() for path in weights} == weights
