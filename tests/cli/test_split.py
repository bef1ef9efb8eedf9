"""`sightline split`: sides on disk that open again, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.data import open_data
from sightline.core.image import encode
from sightline.core.splitting import split_digest
from tests.cli.conftest import Command


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for n in range(40):
        path = tmp_path / "photos" / "ab"[n % 2] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (5, 5, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
        path.write_bytes(encode(pixels))
    (tmp_path / "photos" / "a" / "0 mirrored.png").write_bytes(
        encode(
            np.ascontiguousarray(
                open_data(tmp_path / "photos").where("id", lambda name: name == "a/0.png")[0].pixels()[:, ::-1]
            )
        )
    )
    return tmp_path / "photos"


def test_a_split_is_written_and_opens_again(photos: Path, tmp_path: Path, sightline: Command) -> None:
    done = sightline("split", str(photos), "--out", str(tmp_path / "s.jsonl"), "--json")
    assert done.status == 0
    assert done.document["counts"] == {"train": 29, "val": 6, "test": 6}
    back = open_data(tmp_path / "s.jsonl")
    assert split_digest(back) == done.document["split"]
    assert {one.split for one in back if one.id in ("a/0.png", "a/0 mirrored.png")} in ({"train"}, {"val"}, {"test"})
    said = sightline("split", str(photos), "--out", str(tmp_path / "again.jsonl"))
    assert "1 near duplicate kept together" in said.err
    assert done.document["split"][:12] in said.out
    kept = sightline("split", str(tmp_path / "s.jsonl"), "--out", str(tmp_path / "t.jsonl"), "--seed", "9")
    assert "brings its own split" in kept.err
    assert split_digest(open_data(tmp_path / "t.jsonl")) == done.document["split"]


def test_folds_are_a_file_each(photos: Path, tmp_path: Path, sightline: Command) -> None:
    done = sightline("split", str(photos), "--folds", "3", "--out", str(tmp_path / "folds"), "--json")
    assert len(done.document["folds"]) == 3
    held = [one.id for n in (1, 2, 3) for one in open_data(tmp_path / "folds" / f"fold-{n}.jsonl").side("val")]
    assert sorted(held) == sorted(one.id for one in open_data(photos))
    assert "error[settings]" in sightline("split", str(photos), "--folds", "1", "--out", str(tmp_path / "x")).err
    assert "no sample has the attribute 'day'" in sightline("split", str(photos), "--by", "day").err
