"""`sightline diff`: what differs between two folders, in one line and in JSON."""

import shutil
from pathlib import Path

import numpy as np

from sightline.core.image import encode
from tests.cli.conftest import Command


def test_two_folders(tmp_path: Path, sightline: Command) -> None:
    rng = np.random.default_rng(0)
    for n in range(8):
        path = tmp_path / "a" / "xy"[n % 2] / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(rng.integers(0, 255, (4, 4, 3)).astype(np.uint8)))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    same = sightline("diff", str(tmp_path / "a"), str(tmp_path / "b"))
    assert same.out == "8 samples: nothing differs\n"
    (tmp_path / "b" / "x" / "0.png").unlink()
    (tmp_path / "b" / "x" / "2.png").rename(tmp_path / "b" / "x" / "two.png")
    (tmp_path / "b" / "y" / "1.png").write_bytes(encode(np.zeros((4, 4, 3), np.uint8)))
    found = sightline("diff", str(tmp_path / "a"), str(tmp_path / "b"))
    assert found.out.splitlines() == [
        "8 -> 7 samples: 1 removed, 1 renamed, 1 with other pixels",
        "removed: x/0.png",
        "renamed: x/2.png -> x/two.png",
        "changed: y/1.png",
    ]
    plain = sightline("diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json", "--labels-only").document
    assert plain["counts"] == {
        "added": 1, "removed": 2, "renamed": 0, "changed": 0, "relabelled": 0, "moved": 0, "regrouped": 0,
    }  # fmt: skip
    assert plain["equal"] is False
