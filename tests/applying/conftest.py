"""Steps that another package brings, so that chains are tried without knowing which filters there are today."""

from pathlib import Path

import numpy as np
import pytest

from sightline.core.image import write_image

STEPS = '''"""Steps of another package."""
import time
from typing import Literal

import numpy as np
from sightline.core.annotations import Labels, Objects
from sightline.core.errors import InputError


def brighten(image: np.ndarray, *, by: int = 1, mode: Literal["wrap", "clip"] = "wrap") -> np.ndarray:
    """Every number larger."""
    if mode == "clip":
        return np.minimum(image.astype(np.int64) + by, np.iinfo(image.dtype).max).astype(image.dtype)
    return image + image.dtype.type(by)


def turned(image: np.ndarray) -> np.ndarray:
    """Upside down."""
    return image[::-1].copy()


turned.moves = True


def cut(image: np.ndarray, *, size: tuple[int, int] = (4, 4)) -> np.ndarray:
    """The corner."""
    return image[: size[0], : size[1]].copy()


def masked(image: np.ndarray, *, mask: np.ndarray | None = None, fill: float | None = None) -> np.ndarray:
    """Nothing where the mask is dark."""
    return image if mask is None else np.where(mask > 0, image, image.dtype.type(0 if fill is None else fill))


def slow(image: np.ndarray, *, seconds: float = 0.02, whether: bool = True) -> np.ndarray:
    """Takes its time."""
    time.sleep(seconds if whether else 0)
    return image.copy()


def fussy(image: np.ndarray) -> np.ndarray:
    """Fails in two ways."""
    if image.mean() < 2:
        raise ZeroDivisionError("a fault of the step")
    if image.mean() > 250:
        raise InputError("mismatch", "too light for this step.")
    return image.copy()


def spots(image: np.ndarray, *, least: int = 100) -> Objects:
    """One thing, around all that is light."""
    rows, columns = np.nonzero(image.max(2) >= least)
    boxes = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]] if len(rows) else []
    held = np.array(boxes, np.float32).reshape(-1, 4)
    return Objects(held, np.zeros(len(held), np.int64), ("spot",), np.ones(len(held), np.float32))


def said(image: np.ndarray, *, objects: Objects | None = None) -> Labels:
    """Whether the chain handed anything over."""
    return Labels(("nothing" if objects is None else f"{len(objects)}",))
'''
POINTS = """[sightline.filters]
brighten = steps_of_another:brighten
turned = steps_of_another:turned
cut = steps_of_another:cut
masked = steps_of_another:masked
slow = steps_of_another:slow
fussy = steps_of_another:fussy
both = steps_of_another:slow
[sightline.finders]
both = steps_of_another:spots
keep = steps_of_another:spots
spots = steps_of_another:spots
said = steps_of_another:said
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the other package is installed in."""
    folder = tmp_path_factory.mktemp("another")
    (folder / "steps_of_another.py").write_text(STEPS)
    told = folder / "another-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(POINTS)
    return folder


@pytest.fixture
def another(package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other package, where this process and its children find it."""
    import os

    monkeypatch.syspath_prepend(str(package))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]))
    return package


def picture(seed: int, *shape: int, dtype: str = "uint8") -> np.ndarray:
    """Noise around a light spot."""
    rng = np.random.default_rng(seed)
    shape = shape or (12, 16, 3)
    top = {"uint8": 255, "uint16": 65535}[dtype]
    made = rng.integers(0, top // 4, shape).astype(dtype)
    made[2 : 6 + seed % 3, 3:9] = top
    return made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two folders of pictures, of two kinds of files and two depths."""
    folder = tmp_path / "photos"
    for number in range(10):
        name = f"{'day' if number % 2 else 'night'}/{number:02}.{'png' if number % 3 else 'jpg'}"
        write_image(folder / name, picture(number))
    write_image(folder / "day" / "deep.png", picture(40, 12, 16, 1, dtype="uint16"))
    return folder
