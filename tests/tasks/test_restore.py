"""Restoring pictures: its lesson, a classical rival, and tiles that leave no seam."""

import cv2
import numpy as np
import pytest

from sightline.core.annotations import Picture
from sightline.core.errors import InputError
from sightline.core.image import ArrayImage
from sightline.core.inputs import InputSpec
from sightline.core.sample import Sample
from sightline.core.task import Facts
from sightline.sources.drawn import dataset
from sightline.tasks.restore import TASK
from tests.tasks.lessons import Learnt, Lesson, learnt, shared_folder

LESSON = Lesson(
    lambda: dataset("pairs", 80, size=64),
    lambda _, came: (came or 0) + 3,  # decibels above the picture as it came
    {"epochs": 14, "batch": 4, "rate": 0.003},
    {"tile": 32, "overlap": 8},
)


@pytest.fixture
def pupil(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    return learnt("restore", shared_folder(tmp_path_factory))


def test_it_beats_the_best_blur(pupil: Learnt) -> None:
    """The best of ten Gaussian blurs, chosen with the truth in hand, stays behind."""
    rivals = [
        pupil.measure(
            {sample: Picture(cv2.GaussianBlur(sample.pixels(), (0, 0), float(sigma))) for sample in pupil.held}
        ).value
        for sigma in np.linspace(0.3, 2.1, 10)
    ]
    assert pupil.evaluation.figures[0]["value"] > max(rivals) + 0.5, rivals


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(20, 24), (32, 32), (50, 77)])
def test_tiles_of_an_honest_network_come_back_as_the_picture(dtype: str, size: tuple[int, int]) -> None:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    pixels = (np.random.default_rng(0).random((*size, 3)) * top).astype(dtype)
    facts = Facts({"image": InputSpec((32, 32), 3, dtype, "tile", 8)})
    arrays, frames = TASK.inputs([Sample("a", (ArrayImage(pixels),))], facts)
    (answer,) = TASK.decode({"picture": arrays["image"].astype(np.float32) / np.float32(top)}, frames, facts)
    assert isinstance(answer, Picture)
    assert answer.pixels.dtype == pixels.dtype
    assert answer.pixels.shape == pixels.shape
    assert np.abs(answer.pixels.astype(np.float64) - pixels).max() <= (1e-6 if dtype == "float32" else 1)


def test_targets_are_the_same_windows_of_the_clean_picture() -> None:
    clean = np.random.default_rng(0).integers(0, 256, (50, 40, 3)).astype(np.uint8)
    sample = Sample("a", (ArrayImage(clean),), Picture(clean))
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    arrays, frames = TASK.inputs([sample], facts)
    wanted = TASK.targets([sample], frames, facts)["clean"]
    assert len(frames) == 4
    assert np.abs(wanted - arrays["image"] / 255).max() < 1e-6


def test_a_clean_picture_of_another_size_is_refused() -> None:
    dirty, clean = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 30, 3), np.uint8)
    sample = Sample("crooked", (ArrayImage(dirty),), Picture(clean))
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    _, frames = TASK.inputs([sample], facts)
    with pytest.raises(InputError, match="crooked: a clean picture of the same size"):
        TASK.targets([sample], frames, facts)


def test_answers_never_leave_the_range() -> None:
    facts = Facts({"image": InputSpec((32, 32), 3, "uint8", "tile", 8)})
    _, frames = TASK.inputs([Sample("a", (ArrayImage(np.zeros((32, 32, 3), np.uint8)),))], facts)
    wild = np.linspace(-3, 3, 32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
    (answer,) = TASK.decode({"picture": wild}, frames, facts)
    assert isinstance(answer, Picture)
    assert np.abs(answer.pixels - wild[0].clip(0, 1) * 255).max() <= 0.5
